"""Items in the newest answers that were served."""

from collections import Counter
from collections.abc import Collection

from recommendations.models import Slate

NEWEST_ANSWERS = 5_000
"""Answers that are looked at: as many as a page can count."""


def served(items: Collection[int]) -> Counter[int]:
    """How many slots of the newest answers each of these items filled."""
    if not items:
        return Counter()
    answers = Slate.objects.order_by("-served_at").values_list("items", flat=True)[:NEWEST_ANSWERS]
    wanted = set(items)
    return Counter(item for answer in answers for item in answer if item in wanted)
