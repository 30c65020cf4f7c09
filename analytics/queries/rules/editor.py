"""What the editor of a rule needs beside the rule: what can be chosen, and what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, FilteredRelation, QuerySet, Value

from analytics.queries.audiences.choices import with_chosen
from analytics.queries.segments.choices import segment_choices
from analytics.templatetags.rules import Names
from recommendations.models import Audience, AuditEntry, Placement, Rule
from recommendations.wording.labels import placement_label

MOST_ENTRIES = 50
PLACEMENT, AUDIENCE = 0, 1


@dataclass(frozen=True, kw_only=True)
class Choices:
    placements: Sequence[tuple[str, str]]
    segments: Sequence[tuple[str, str]]
    audiences: Sequence[tuple[str, str]]

    @property
    def segment_names(self) -> dict[int, str]:
        return {int(number): words for number, words in self.segments if number.isdecimal()}


def choices(*, segment: str, audience: str) -> Choices:
    """What there is to choose from; ``segment`` and ``audience`` are what was chosen before."""
    rows = list(_placements_and_audiences())
    return Choices(
        placements=[(name, placement_label(name)) for kind, _place, _key, name in rows if kind == PLACEMENT],
        segments=segment_choices(segment),
        audiences=with_chosen([(str(key), name) for kind, _place, key, name in rows if kind == AUDIENCE], audience),
    )


def _placements_and_audiences() -> QuerySet[Any]:
    """Kind, place in the list, key and name of the placements that answer and of the audiences, in one query."""
    placements = Placement.objects.filter(enabled=True).order_by().annotate(kind=Value(PLACEMENT), place=F("pk"))
    audiences = Audience.objects.unarchived().order_by().annotate(kind=Value(AUDIENCE), place=F("position"))
    fields = ("kind", "place", "pk", "name")
    return placements.values_list(*fields).union(audiences.values_list(*fields), all=True).order_by("kind", "place")


def find_rule(pk: int) -> Rule | None:
    """A rule, with ``last_approval``: what was asked last for it, None where nothing was."""
    joined = ("placement", "segment", "audience", "author", "last_approval__asked_by", "last_approval__decided_by")
    asked = Rule.objects.annotate(last_approval=FilteredRelation("approvals")).select_related(*joined)
    return asked.filter(pk=pk).order_by(F("last_approval__asked_at").desc(nulls_last=True)).first()


def history(rule: Rule) -> tuple[list[AuditEntry], Names]:
    """Entries of a rule, the newest first, and the names of all that they speak of."""
    entries = AuditEntry.objects.filter(object_type="rule", object_id=str(rule.pk)).select_related("staff")
    rows = list(entries[:MOST_ENTRIES])
    return rows, Names.of(part for row in rows for part in (row.before, row.after) if part)
