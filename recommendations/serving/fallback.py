"""Fallbacks for a model that has too little to show: segment → popular → newest."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.slots import Cap
from recommendations.serving.candidates import CandidateSource
from recommendations.serving.customer_context import NOBODY, CustomerContext
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import Source

SEGMENTS = "segments"


class FallbackSource(NamedTuple):
    """A source of fillers: rows of the stock, the best first."""

    source: Source
    rows: IntArray


class Backfilled(NamedTuple):
    row: int
    source: Source


def fallback_chain(
    snapshot: Snapshot, candidates: CandidateSource | None, customer: CustomerContext
) -> Iterator[FallbackSource]:
    """Yield the fallback sources in order; one is made only when those before it were not enough."""
    if candidates is not None:
        recommender = candidates.model.recommenders.get(SEGMENTS)
        if recommender is not None and customer.history is not None and customer.segment != NOBODY:
            shares = np.nan_to_num(recommender.score(customer.history.query)[0])
            order = np.argsort(-shares, kind="stable")
            yield FallbackSource(Source.SEGMENT, _present(snapshot.stock_rows[order[shares[order] > 0]]))
        popular = candidates.popular[: int(np.count_nonzero(candidates.popularity > 0))]
        yield FallbackSource(Source.POPULAR, _present(snapshot.stock_rows[popular]))
    yield FallbackSource(Source.NEWEST, snapshot.stock.newest)


def backfill(
    fallbacks: Iterable[FallbackSource], *, open_: BoolArray, n: int, caps: Sequence[Cap] = ()
) -> list[Backfilled]:
    """The first n rows that may be shown (``open_`` by row of the stock), each once; ``caps`` know what is shown."""
    open_ = open_.copy()
    for cap in caps:
        open_ &= ~cap.blocked
    fillers: list[Backfilled] = []
    for fallback in fallbacks:
        while len(fillers) < n and len(rows := fallback.rows[open_[fallback.rows]]):
            taken = rows[: 1 if caps else n - len(fillers)]
            open_[taken] = False
            fillers += [Backfilled(row, fallback.source) for row in taken.tolist()]
            for cap in caps:
                if cap.take(fillers[-1].row):
                    open_ &= ~cap.blocked
        if len(fillers) >= n:
            break
    return fillers


def _present(rows: IntArray) -> IntArray:
    return rows[rows >= 0]
