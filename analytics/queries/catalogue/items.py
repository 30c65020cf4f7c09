"""The catalogue as a list: searched, filtered, in the order asked for.

What the record knows is filtered and sorted by PostgreSQL; purchases, slots and the flaws that only the live model
tells come from its arrays (``services/catalogue/exposure.py``), so that no page ever sums the event table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import filters as fields
from analytics.queries.catalogue.insights import FLAWS
from recommendations.engine.frames import IdArray
from recommendations.models import Category, Item
from recommendations.models.catalogue import ItemQuerySet
from recommendations.services.catalogue.exposure import Exposure
from recommendations.services.catalogue.history import items_of
from recommendations.services.catalogue.picture_counts import SEEN
from recommendations.services.catalogue.quality import OF_MODEL, CatalogueFlaw, condition, has_flaw, on_sale
from recommendations.terms import PATH_SEPARATOR

PER_PAGE = 50
MOST_IN_A_FILE = 10_000
SHORTEST = 2  # characters that are looked for
MOST_DAYS = 36_500
COLUMNS: Mapping[str, str] = {"title": "title", "price": "price", "listed": "listed_at"}
OF_ARRAYS = ("bought", "slots")
USUAL = "-slots"
UNSEEN = "unseen"


class Filters(fields.ListFilters):
    """Filters and order of the catalogue; ``department`` is the path of a first level, ``days`` those since listed.

    ``imported`` is the key of an import whose new and changed items are listed; ``picture`` leaves items whose
    picture was not seen.
    """

    text: str = fields.text("q")
    flaw: CatalogueFlaw | None = fields.choice(FLAWS, words=lambda flaw: FLAWS[flaw][0])
    department: str = fields.text(longest=500)
    picture: str | None = fields.choice({UNSEEN: gettext_lazy("Picture not seen")})
    days: int | None = fields.number(
        least=1, most=MOST_DAYS, words=lambda days: _("Listed within %(days)d days") % {"days": days}
    )
    imported: int | None = fields.number(words=lambda _key: _("New or changed by one import"))
    sort: str = fields.order((*COLUMNS, *OF_ARRAYS), usual=USUAL)
    page: int = fields.page()


@dataclass(frozen=True, kw_only=True)
class ItemRow:
    item: Item  # with its categories
    known: bool  # to the live model
    acts: int
    bought: int
    slots: int


def items(filters: Filters, known: Exposure | None, *, now: datetime) -> tuple[Page[int], list[ItemRow]]:
    keys = _keys(filters, known, now=now)
    page = Paginator(keys.tolist(), PER_PAGE).get_page(filters.page)
    return page, _lines(list(page), known)


def first_lines(filters: Filters, known: Exposure | None, *, now: datetime) -> list[ItemRow]:
    """The first rows, as many as a file holds."""
    return _lines(_keys(filters, known, now=now)[:MOST_IN_A_FILE].tolist(), known)


def next_item(filters: Filters, known: Exposure | None, *, now: datetime, after: int | None) -> int | None:
    """Key of the first item that the filters leave, or of the one behind ``after`` where that is still among them."""
    keys = _keys(filters, known, now=now).tolist()
    at = keys.index(after) + 1 if after in keys else 0
    return int(keys[at]) if at < len(keys) else None


def place_of(item: int, filters: Filters, known: Exposure | None, *, now: datetime) -> tuple[int, int] | None:
    """Place of an item among those that the filters leave, and how many they are; None where it is not among them."""
    keys = _keys(filters, known, now=now)
    places = np.flatnonzero(keys == item)
    return (int(places[0]) + 1, len(keys)) if len(places) else None


def departments() -> list[tuple[str, str]]:
    """Path and name of the first level of the tree."""
    return list(Category.objects.filter(parent=None).order_by("name").values_list("path", "name"))


def _keys(filters: Filters, known: Exposure | None, *, now: datetime) -> IdArray:
    """Keys of all items that the filters leave, in order."""
    rows = _chosen(filters, now=now)
    column = filters.sort.removeprefix("-")
    if column in COLUMNS:
        order = F(COLUMNS[column])
        rows = rows.order_by(
            order.desc(nulls_last=True) if filters.sort.startswith("-") else order.asc(nulls_last=True), "pk"
        )
    keys = np.fromiter(rows.values_list("pk", flat=True), np.int64)
    if filters.flaw in OF_MODEL:
        keys = keys[has_flaw(filters.flaw, keys, known)]
    return keys if column in COLUMNS else _sorted(keys, known, filters.sort)


def _chosen(filters: Filters, *, now: datetime) -> ItemQuerySet:
    rows = on_sale()
    if len(filters.text) >= SHORTEST:
        rows = rows.called(filters.text)
    if filters.flaw and filters.flaw not in OF_MODEL:
        rows = rows.filter(condition(filters.flaw, now=now))
    if filters.department:
        under = Q(category__path=filters.department) | Q(
            category__path__startswith=f"{filters.department}{PATH_SEPARATOR}"
        )
        rows = rows.filter(Exists(Item.categories.through.objects.filter(under, item=OuterRef("pk"))))
    if filters.picture == UNSEEN:
        rows = rows.exclude(pk__in=on_sale().filter(SEEN).values("pk"))
    if filters.imported is not None:
        rows = rows.filter(pk__in=items_of(filters.imported))
    if filters.days is not None:
        rows = rows.filter(listed_at__gt=now - timedelta(days=filters.days))
    return rows


def _sorted(keys: IdArray, known: Exposure | None, sort: str) -> IdArray:
    """Keys by a count of the model, most first with "-"; ties by key, what the model does not know counts nothing."""
    if known is None:
        return np.sort(keys)
    rows = known.rows(keys)
    counts = known.bought if sort.removeprefix("-") == "bought" else known.slots
    values = np.where(rows >= 0, counts[np.maximum(rows, 0)], 0) if len(counts) else np.zeros(len(keys))
    return keys[np.lexsort((keys, -values if sort.startswith("-") else values))]


def _lines(keys: Sequence[int], known: Exposure | None) -> list[ItemRow]:
    there = Item.objects.prefetch_related("categories").in_bulk(keys)
    return item_rows([there[key] for key in keys if key in there], known)


def item_rows(items: Sequence[Item], known: Exposure | None) -> list[ItemRow]:
    """Items with what the live model counts of them."""
    if known is None:
        return [ItemRow(item=item, known=False, acts=0, bought=0, slots=0) for item in items]
    rows = known.rows(np.array([item.pk for item in items], np.int64)).tolist()
    return [
        ItemRow(
            item=item,
            known=row >= 0,
            acts=int(known.acts[row]) if row >= 0 else 0,
            bought=int(known.bought[row]) if row >= 0 else 0,
            slots=int(known.slots[row]) if row >= 0 else 0,
        )
        for item, row in zip(items, rows, strict=True)
    ]
