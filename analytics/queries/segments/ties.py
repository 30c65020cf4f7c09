"""Rules and weights that hang on segments: for one, or for an audience that asks for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from recommendations.models import Audience, BlendWeights, Rule, Segment
from recommendations.services.audiences.editing import segments_of


def rules_of(numbers: Sequence[int]) -> Mapping[int, list[Rule]]:
    """Rules by the number of the segment."""
    rules: dict[int, list[Rule]] = defaultdict(list)
    for rule in Rule.objects.unarchived().exclude(segment=None, audience=None).select_related("segment", "audience"):
        for number in _asked(rule.segment, rule.audience) & set(numbers):
            rules[number].append(rule)
    return rules


def weights_of(numbers: Sequence[int]) -> Mapping[int, list[BlendWeights]]:
    """Weights that serve, by the number of the segment."""
    weights: dict[int, list[BlendWeights]] = defaultdict(list)
    serving = BlendWeights.objects.defaults().exclude(segment=None, audience=None)
    for own in serving.select_related("segment", "audience", "blend"):
        for number in _asked(own.segment, own.audience) & set(numbers):
            weights[number].append(own)
    return weights


def _asked(segment: Segment | None, audience: Audience | None) -> set[int]:
    """Numbers of the segments on which something hangs."""
    asked = segments_of(audience.conditions) if audience else set()
    return asked | ({segment.number} if segment else set())
