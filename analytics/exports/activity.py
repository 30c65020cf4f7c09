"""The audit trail as a file."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from analytics.exports.table import csv_file
from analytics.queries.activity import ActivityRow


def activity_file(lines: Iterable[ActivityRow]) -> HttpResponse:
    """A CSV file with a row per field that changed; an entry without fields has one row."""
    head = [
        _("When"),
        _("Who"),
        _("Did"),
        _("Kind"),
        _("Id"),
        _("Called"),
        _("Field"),
        _("Before"),
        _("After"),
        _("Note"),
    ]
    rows = [
        [
            localtime(line.entry.at).isoformat(timespec="seconds"), str(line.entry.author or ""), line.verb, line.kind,
            line.entry.object_id, line.entry.label, field, before, after, line.entry.note,
        ]
        for line in lines
        for field, before, after in (
            [(each.field, each.before, each.after) for each in line.differences] or [("", None, None)]
        )
    ]  # fmt: skip
    return csv_file("activity", head=head, rows=rows)
