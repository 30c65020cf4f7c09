"""The list of customers as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.customer.filters import STATES
from analytics.queries.customer.listing import CustomerRow


def customers_file(lines: Sequence[CustomerRow]) -> HttpResponse:
    """A CSV file in the order of the page, one line a customer."""
    head = [
        _("Customer"), _("State"), _("Activity"), _("Events"), _("Most recent event"),
        _("New this week"), _("Share gained"), _("Segment"),
    ]  # fmt: skip
    return csv_file("customers", head=head, rows=[_row(line) for line in lines])


def _row(line: CustomerRow) -> list[Value]:
    return [
        line.customer.code,
        str(STATES[line.state]),
        round(line.activity, 2),
        line.events,
        line.last_event.isoformat() if line.last_event else None,
        line.leading,
        round(line.shift, 4),
        str(line.segment) if line.segment else None,
    ]
