"""Events of a run in parts of whole customers: no more of them are in memory than a part, and what is made of it.

A shop of usual size has one part, which is read once and kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recommendations.engine.frames import IdArray
from recommendations.engine.preprocess.clean import Parts
from recommendations.loop.context import RunContext
from recommendations.store.memory import give_back
from recommendations.store.models import model
from recommendations.store.snapshots.frames import event_shards, in_order

PART_ROWS = 2_000_000
"""Events of a part, about: with all that is made of them a gigabyte."""


@dataclass(frozen=True)
class ChangedParts:
    """Parts of which each is changed when it is asked for."""

    parts: Parts
    change: Callable[[pd.DataFrame], pd.DataFrame]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return map(self.change, self.parts)


def of_customers(parts: Parts, keys: IdArray | None) -> Parts:
    """Leave in each part the events of these customers alone; None: of all."""
    return parts if keys is None else ChangedParts(parts, lambda part: part[np.isin(part["user"].to_numpy(), keys)])


@dataclass(frozen=True)
class _ManyParts:
    """Parts that are told one by one, and whose memory goes back to the system after the last."""

    parts: Parts
    tell: Callable[[], None]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for part in self.parts:
            self.tell()
            yield part
            del part
        give_back()


@contextmanager
def event_parts(context: RunContext, *, until: float) -> Iterator[Parts]:
    """Open the events before a moment; the run is heard of at each part, and may be cancelled there."""
    with event_shards(until=model.moment(until), rows=PART_ROWS) as shards:
        yield [*shards] if len(shards) == 1 else _ManyParts(shards, context.report.beat)


def since(parts: Parts, moment: float) -> tuple[pd.DataFrame, int]:
    """The events of all parts since a moment, the oldest first; and how many events there are at all."""
    recent, total = [], 0
    for part in parts:
        recent.append(part[part["at"].to_numpy() >= moment])
        total += len(part)
    return in_order(recent), total
