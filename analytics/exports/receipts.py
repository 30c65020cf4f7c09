"""Imported campaigns as a file."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.campaigns.results import ImportedResult


def receipts_file(results: Sequence[ImportedResult]) -> HttpResponse:
    """A CSV file in the order of the page, one line a campaign."""
    head = [_("Campaign"), _("Kind"), _("From"), _("Until"), _("People"), _("People who answered"), _("Answers")]
    rows: Iterable[list[Value]] = (
        [
            each.campaign.name, each.kind, each.starts_at.date().isoformat(), each.ends_at.date().isoformat(),
            each.people, each.answered, each.answers,
        ]
        for each in results
    )  # fmt: skip
    return csv_file("imported-campaigns", head=head, rows=rows)
