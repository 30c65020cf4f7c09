"""Rules that hang on segments: for one, or for an audience that asks for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from recommendations.models import Rule
from recommendations.services.audiences.editing import segments_of


def rules_of(numbers: Sequence[int]) -> Mapping[int, list[Rule]]:
    """Rules by the number of the segment."""
    rules: dict[int, list[Rule]] = defaultdict(list)
    for rule in Rule.objects.unarchived().exclude(segment=None, audience=None).select_related("segment", "audience"):
        asked = {rule.segment.number} if rule.segment else set[int]()
        asked |= segments_of(rule.audience.conditions) if rule.audience else set()
        for number in asked & set(numbers):
            rules[number].append(rule)
    return rules
