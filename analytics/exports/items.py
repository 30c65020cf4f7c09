"""The catalogue as a file."""

from collections.abc import Callable, Mapping, Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from analytics.exports.table import Value, csv_file
from analytics.queries.catalogue.items import ItemRow
from recommendations.models import Item
from recommendations.services.catalogue.quality import wanted_fields


def _paths(item: Item) -> str:
    return "|".join(category.path for category in item.categories.all())


WANTED: Mapping[str, tuple[object, Callable[[Item], Value]]] = {
    "brand": (gettext_lazy("Brand"), lambda item: item.brand),
    "creator": (gettext_lazy("Creator"), lambda item: item.creator),
    "category": (gettext_lazy("Category"), _paths),
    "price": (gettext_lazy("Price"), lambda item: None if item.price is None else float(item.price)),
    "number": (gettext_lazy("Number in its collection"), lambda item: item.number),
    "duration": (gettext_lazy("Duration"), lambda item: item.duration),
    "published_at": (
        gettext_lazy("Day of publication"), lambda item: item.published_at.isoformat() if item.published_at else None,
    ),
}  # fmt: skip
"""Columns of what not every shop asks for: they are in the file where this one does, or an item has it."""


def items_file(lines: Sequence[ItemRow]) -> HttpResponse:
    """A CSV file in the order of the page, one line an item."""
    asked = wanted_fields()
    there = [
        column for name, column in WANTED.items()
        if name in asked or any(column[1](line.item) not in {None, ""} for line in lines)
    ]  # fmt: skip
    head = [
        _("Id"), _("Item"), *(str(words) for words, _value in there), _("Availability"), _("Listed"),
        pgettext("taken", "Bought"), _("Slots"),
    ]  # fmt: skip
    return csv_file("catalogue", head=head, rows=[_row(line, [value for _words, value in there]) for line in lines])


def _row(line: ItemRow, wanted: Sequence[Callable[[Item], Value]]) -> list[Value]:
    item = line.item
    return [
        item.shop_id,
        item.title,
        *(value(item) for value in wanted),
        item.get_availability_display(),
        item.listed_at.isoformat(),
        line.bought if line.known else None,
        line.slots if line.known else None,
    ]
