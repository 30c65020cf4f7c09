"""The catalogue as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.catalogue.items import ItemRow


def items_file(lines: Sequence[ItemRow]) -> HttpResponse:
    """A CSV file in the order of the page, one line an item."""
    head = [
        _("Id"), _("Item"), _("Brand"), _("Category"), _("Price"), _("Availability"), _("Listed"), _("Bought"),
        _("Slots"),
    ]  # fmt: skip
    return csv_file("catalogue", head=head, rows=[_row(line) for line in lines])


def _row(line: ItemRow) -> list[Value]:
    item = line.item
    return [
        item.shop_id,
        item.title,
        item.brand,
        "|".join(category.path for category in item.categories.all()),
        None if item.price is None else float(item.price),
        item.get_availability_display(),
        item.listed_at.isoformat(),
        line.bought if line.known else None,
        line.slots if line.known else None,
    ]
