"""Length of the lists that a placement is really asked for: what stands further down, nobody sees."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

from recommendations.engine.evaluation.accuracy import LENGTH
from recommendations.models import Placement, Slate
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.snapshot import ServedPlacement
from recommendations.terms import BlendName

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
    return _usual(_lengths().get(placement.name, Counter()), most=placement.n)


def blend_length(blend: BlendName) -> int:
    """Number of items that most of the newest lists of the blend's placements had, 20 at most: so many are measured.

    Of fewer than 20 lists it is what the longest of its placements shows.
    """
    shows = _shows().get(blend, {})
    lengths = sum((_lengths().get(name, Counter()) for name in shows), Counter[int]())
    return _usual(lengths, most=min(max(shows.values(), default=LENGTH), LENGTH))


def _usual(lengths: Counter[int], *, most: int) -> int:
    if lengths.total() < FEWEST:
        return most
    [(usual, _times)] = lengths.most_common(1)
    return min(most, usual)


def _placements() -> Mapping[str, Mapping[str, int]]:
    """Items that each placement shows, by blend and by its name."""
    shows: dict[str, dict[str, int]] = defaultdict(dict)
    for name, blend, n in Placement.objects.filter(enabled=True).values_list("name", "blend__name", "n"):
        shows[blend][name] = n
    return shows


def _count() -> Mapping[str, Counter[int]]:
    """How many of the newest lists of each placement had so many items."""
    newest = Slate.objects.order_by("-served_at").values_list("placement", "replay", "items__len")[:NEWEST]
    lengths: dict[str, Counter[int]] = defaultdict(Counter)
    for name, replay, length in newest:
        if length and not replay:
            lengths[name][int(length)] += 1
    return lengths


_lengths = ProcessHeld(_count, watch=_Clock)
_shows = ProcessHeld(_placements, watch=_Clock)
