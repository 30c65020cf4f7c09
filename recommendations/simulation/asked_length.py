"""Length of the lists that a placement is really asked for: what stands further down, nobody sees."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

from recommendations.engine.evaluation.accuracy import LENGTH
from recommendations.models import PageSlot, Placement, Slate
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.snapshot import ServedPlacement
from recommendations.terms import BlendName

NEWEST = 5_000
"""Lists that are looked at, of all placements."""

FEWEST = 200  # lists; of fewer, what the pages of the shop say holds, so that some calls of a developer move nothing
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

    Of few lists it is the most that a page of the shop shows of it, and its own length where it stands on no page. The
    demo's replay, which asks for lists of its own, does not count; what staff look at is not stored at all.
    """
    shown = min(placement.n, _on_pages().get(placement.name, placement.n))
    return _usual(_lengths().get(placement.name, Counter()), otherwise=shown, most=placement.n)


def blend_length(blend: BlendName) -> int:
    """Number of items that most of the newest lists of the blend's placements had, 20 at most: so many are measured.

    Of few lists it is what the longest of its placements shows.
    """
    shows = _shows().get(blend, {})
    lengths = sum((_lengths().get(name, Counter()) for name in shows), Counter[int]())
    longest = min(max(shows.values(), default=LENGTH), LENGTH)
    return _usual(lengths, otherwise=longest, most=longest)


def _usual(lengths: Counter[int], *, otherwise: int, most: int) -> int:
    if lengths.total() < FEWEST:
        return otherwise
    [(usual, _times)] = lengths.most_common(1)
    return min(most, usual)


def _placements() -> Mapping[str, Mapping[str, int]]:
    """Items that each placement shows, by blend and by its name."""
    shows: dict[str, dict[str, int]] = defaultdict(dict)
    for name, blend, n in Placement.objects.filter(enabled=True).values_list("name", "blend__name", "n"):
        shows[blend][name] = n
    return shows


def _slots() -> Mapping[str, int]:
    """Items that a page of the shop shows of a placement, by its name; the most where it stands on several."""
    slots = PageSlot.objects.order_by("n").values_list("placement__name", "n")
    return {name: n for name, n in slots if n}


def _count() -> Mapping[str, Counter[int]]:
    """How many of the newest lists of each placement had so many items."""
    newest = Slate.objects.filter(replay=False).order_by("-served_at").values_list("placement", "items__len")[:NEWEST]
    lengths: dict[str, Counter[int]] = defaultdict(Counter)
    for name, length in newest:
        if length:
            lengths[name][int(length)] += 1
    return lengths


_lengths = ProcessHeld(_count, watch=_Clock)
_shows = ProcessHeld(_placements, watch=_Clock)
_on_pages = ProcessHeld(_slots, watch=_Clock)
