"""Length of the lists that a placement is really asked for: what stands further down, nobody sees."""

from collections import Counter

from recommendations.models import Slate
from recommendations.store.serving.snapshot import ServedPlacement

NEWEST = 5_000
"""Lists that are looked at, of all placements."""

FEWEST = 20  # lists of the placement; of fewer, its own length holds


def asked_length(placement: ServedPlacement) -> int:
    """Number of items that most of the newest lists of the placement had, at most as many as it says itself.

    The demo's replay, which asks for lists of its own, does not count.
    """
    newest = Slate.objects.order_by("-served_at").values_list("placement", "replay", "items__len")[:NEWEST]
    lengths = Counter(length for name, replay, length in newest if name == placement.name and not replay and length)
    if lengths.total() < FEWEST:
        return placement.n
    [(usual, _times)] = lengths.most_common(1)
    return min(placement.n, int(usual))
