"""What the editor of a rule needs beside the rule: what can be chosen, and what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, FilteredRelation
from django.utils.translation import gettext as _

from analytics.queries.rules.overview import placements
from analytics.queries.segments.choices import segment_choices
from analytics.templatetags.rules import Names
from recommendations.models import AuditEntry, Rule

MOST_ENTRIES = 50


@dataclass(frozen=True, kw_only=True)
class Choices:
    placements: Sequence[tuple[str, str]]
    segments: Sequence[tuple[str, str]]

    @property
    def segment_names(self) -> dict[int, str]:
        return {int(number): words for number, words in self.segments if number.isdecimal()}


def choices(*, segment: str) -> Choices:
    """What there is to choose from; ``segment`` is what was chosen before."""
    return Choices(placements=placements(), segments=segment_choices(segment))


def find_rule(pk: int) -> Rule | None:
    """A rule, with ``last_approval``: what was asked last for it, None where nothing was."""
    joined = ("placement", "segment", "author", "last_approval__asked_by", "last_approval__decided_by")
    asked = Rule.objects.annotate(last_approval=FilteredRelation("approvals")).select_related(*joined)
    return asked.filter(pk=pk).order_by(F("last_approval__asked_at").desc(nulls_last=True)).first()


def history(rule: Rule) -> tuple[list[AuditEntry], Names]:
    """Entries of a rule, the newest first, and the names of all that they speak of."""
    rows = list(_entries(rule)[:MOST_ENTRIES])
    return rows, Names.of(part for row in rows for part in (row.before, row.after) if part)


def last_change(rule: Rule) -> tuple[str, datetime] | None:
    """Who changed it last, and when."""
    row = _entries(rule).filter(verb__in=["create", "change", "roll back"]).first()
    return (str(row.staff or _("the schedule or a command")), row.at) if row else None


def _entries(rule: Rule) -> Any:
    return AuditEntry.objects.filter(object_type="rule", object_id=str(rule.pk)).select_related("staff")
