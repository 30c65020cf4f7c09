"""The audit trail as a file."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from analytics.exports.table import csv_file
from analytics.templatetags.activity import author, called, differences, kind_label, verb_label
from recommendations.models import AuditEntry


def activity_file(entries: Iterable[AuditEntry]) -> HttpResponse:
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
            localtime(entry.at).isoformat(timespec="seconds"), author(entry), verb_label(entry.verb),
            kind_label(entry.object_type), entry.object_id, called(entry), field, before, after, entry.note,
        ]
        for entry in entries
        for field, before, after in differences(entry, longest=None) or [("", None, None)]
    ]  # fmt: skip
    return csv_file("activity", head=head, rows=rows)
