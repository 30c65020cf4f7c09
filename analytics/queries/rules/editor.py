"""What the editor of a rule needs beside the rule: what can be chosen, and what happened to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.activity import VERBS
from analytics.queries.rules.overview import placements
from analytics.queries.rules.words import FieldChange, Names, field_changes
from recommendations.models import AuditEntry, Rule, Segment
from recommendations.wording import labels

MOST_ENTRIES = 50


@dataclass(frozen=True, kw_only=True)
class Choices:
    placements: Sequence[tuple[str, str]]
    segments: Mapping[int, str]
    caps: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One act on the rule: who, when, what, from what to what."""

    at: datetime
    who: str
    verb: str
    changes: Sequence[FieldChange]
    note: str


def choices() -> Choices:
    return Choices(
        placements=placements(),
        segments={each.number: str(each) for each in Segment.objects.filter(version__is_live=True)},
        caps=[(code, str(words)) for code, words in labels.CAPS_PER],
    )


def find_rule(pk: int) -> Rule | None:
    return Rule.objects.select_related("placement", "segment", "author").filter(pk=pk).first()


def history(rule: Rule) -> list[Entry]:
    """Entries of a rule, the newest first. Of what was published whole, only what differs is told."""
    rows = list(_entries(rule)[:MOST_ENTRIES])
    names = Names.of(part for row in rows for part in (row.before, row.after) if part)
    return [
        Entry(
            at=row.at,
            who=_who(row),
            verb=str(VERBS.get(row.verb, row.verb)),
            changes=_changes(row, names),
            note=row.note,
        )
        for row in rows
    ]


def last_change(rule: Rule) -> tuple[str, datetime] | None:
    """Who changed it last, and when."""
    row = _entries(rule).filter(verb__in=["create", "change", "roll back"]).first()
    return (_who(row), row.at) if row else None


def _entries(rule: Rule) -> Any:
    return AuditEntry.objects.filter(object_type="rule", object_id=str(rule.pk)).select_related("staff")


def _who(row: AuditEntry) -> str:
    return str(row.staff) if row.staff else _("the schedule or a command")


def _changes(row: AuditEntry, names: Names) -> list[FieldChange]:
    before, after = row.before or {}, row.after or {}
    if row.verb in {"publish", "withdraw"} and not (before and after):
        return []
    return field_changes(before, after, names)
