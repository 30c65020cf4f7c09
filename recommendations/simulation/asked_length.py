"""Length of the lists that a placement is really asked for: what stands further down, nobody sees."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

from recommendations.models import Slate
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.snapshot import ServedPlacement

NEWEST = 5_000
"""Lists that are looked at, of all placements."""

FEWEST = 20  # lists of the placement; of fewer, its own length holds
KEPT = 60.0  # seconds; a price tag asks several times


class _Clock:
    """A mark of change that moves by itself."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def moved(self) -> bool:
        if time.monotonic() < self._began + KEPT:
            return False
        self._began = time.monotonic()
        return True


def asked_length(placement: ServedPlacement) -> int:
    """Number of items that most of the newest lists of the placement had, at most as many as it says itself.

    The demo's replay, which asks for lists of its own, does not count.
    """
    lengths = _lengths().get(placement.name, Counter())
    if lengths.total() < FEWEST:
        return placement.n
    [(usual, _times)] = lengths.most_common(1)
    return min(placement.n, usual)


def _count() -> Mapping[str, Counter[int]]:
    """How many of the newest lists of each placement had so many items."""
    newest = Slate.objects.order_by("-served_at").values_list("placement", "replay", "items__len")[:NEWEST]
    lengths: dict[str, Counter[int]] = defaultdict(Counter)
    for name, replay, length in newest:
        if length and not replay:
            lengths[name][int(length)] += 1
    return lengths


_lengths = ProcessHeld(_count, watch=_Clock)
