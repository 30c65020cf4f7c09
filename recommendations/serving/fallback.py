"""What stands in for the model where it has too little to show: segment → popular → newest."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.slots import Cap
from recommendations.serving.candidates import Pools
from recommendations.serving.customer_context import NOBODY, Person
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import Source

SEGMENTS = "segments"


class Rung(NamedTuple):
    """Rows of the stock, the best first."""

    source: Source
    rows: IntArray


class Filled(NamedTuple):
    row: int
    source: Source


def ladder(snapshot: Snapshot, pools: Pools | None, person: Person) -> Iterator[Rung]:
    """A rung is made only when the one before it was not enough."""
    if pools is not None:
        recommender = pools.model.recommenders.get(SEGMENTS)
        if recommender is not None and person.past is not None and person.segment != NOBODY:
            shares = np.nan_to_num(recommender.score(person.past.query)[0])
            order = np.argsort(-shares, kind="stable")
            yield Rung(Source.SEGMENT, _known(snapshot.stock_rows[order[shares[order] > 0]]))
        popular = pools.popular[: int(np.count_nonzero(pools.popularity > 0))]
        yield Rung(Source.POPULAR, _known(snapshot.stock_rows[popular]))
    yield Rung(Source.NEWEST, newest(snapshot))


def newest(snapshot: Snapshot) -> IntArray:
    """All rows of the stock, the one that was listed last first."""
    return np.argsort(-snapshot.stock.column("listed"), kind="stable").astype(np.int32)


def filled(rungs: Iterable[Rung], *, open_: BoolArray, n: int, caps: Sequence[Cap] = ()) -> list[Filled]:
    """The first n rows that may be shown (``open_`` by row of the stock), each once; ``caps`` know what is shown."""
    open_ = open_.copy()
    for cap in caps:
        open_ &= ~cap.blocked
    found: list[Filled] = []
    for rung in rungs:
        while len(found) < n and len(rows := rung.rows[open_[rung.rows]]):
            taken = rows[: 1 if caps else n - len(found)]
            open_[taken] = False
            found += [Filled(row, rung.source) for row in taken.tolist()]
            for cap in caps:
                if cap.take(found[-1].row):
                    open_ &= ~cap.blocked
        if len(found) >= n:
            break
    return found


def _known(rows: IntArray) -> IntArray:
    return rows[rows >= 0]
