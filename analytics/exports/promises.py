"""New items of a placement as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.exports.table import Value, csv_file
from analytics.queries.catalogue.promises import NewItemRow


def new_items_file(rows: Sequence[NewItemRow]) -> HttpResponse:
    """A CSV file in the order of the page, one line an item."""
    head = [
        _("Id"), _("Item"), _("Listed"), _("State"), _("Promised"), _("Shown"), pgettext("promise", "Of"),
        _("Days left"), _("Clicks"), _("Expected clicks"), _("Fit"),
        _("By what people do"),
    ]  # fmt: skip
    return csv_file("new-items", head=head, rows=[_row(row) for row in rows])


def _row(row: NewItemRow) -> list[Value]:
    new = row.new
    return [
        new.item.shop_id,
        new.item.title,
        new.item.listed_at.isoformat(),
        new.get_state_display(),
        new.promised_at.isoformat() if new.promised_at else None,
        new.shown if new.promised_at else None,
        new.promise.impressions if new.promise else None,
        None if row.left is None else round(row.left, 2),
        new.clicks if new.promised_at else None,
        round(new.expected, 2) if new.promised_at else None,
        None if new.fit is None else round(new.fit, 3),
        round(row.grown, 3),
    ]
