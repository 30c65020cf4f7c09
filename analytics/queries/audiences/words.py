"""Names of all that conditions of audiences speak of, and the conditions in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommendations.models import Segment
from recommendations.services.audiences.editing import AudienceCount
from recommendations.services.rules.editing import value_titles
from recommendations.wording.audiences import audience_text, fact_text
from recommendations.wording.rules import Titles

type Conditions = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class AudienceNames:
    """Names of segments by number, and what values are called."""

    segments: Mapping[int, str]
    titles: Titles

    @classmethod
    def of(cls, audiences: Iterable[Conditions]) -> "AudienceNames":
        every = [one for conditions in audiences for side in conditions.values() for one in side]
        numbers = {number for one in every for number in one.get("segments", ())}
        return cls(
            segments={each.number: str(each) for each in Segment.objects.filter(number__in=numbers)} if numbers else {},
            titles=value_titles(asked for one in every for asked in _asked(one)),
        )

    @property
    def categories(self) -> set[str]:
        """Paths of the categories that conditions ask for and that are there."""
        return {value for attribute, value in self.titles if attribute == "category"}

    def sentence(self, conditions: Conditions) -> str:
        """Who is meant, in one sentence."""
        return audience_text(conditions, segments=self.segments, titles=self.titles)

    def matches(self, counted: AudienceCount, conditions: Conditions) -> list[tuple[int, list[str]]]:
        """Key of each example, and by what the customer meets each condition."""
        return [
            (
                example.customer,
                [
                    fact_text(condition, fact, segments=self.segments)
                    for condition, fact in zip(conditions["all"], example.facts, strict=True)
                    if fact is not None
                ],
            )
            for example in counted.examples
        ]


def _asked(condition: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Conditions of items, and the category of an interest as one."""
    if "category" in condition:
        return [{"attribute": "category", "values": [condition["category"]]}]
    asked: Sequence[Mapping[str, Any]] = condition.get("items", ())
    return asked
