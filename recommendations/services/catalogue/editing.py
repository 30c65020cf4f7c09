"""Changes of the catalogue by staff: every one leaves an audit entry, and acts on the next answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import batched
from typing import Any

from django.db import transaction

from recommendations.models import Category, Item, ItemPrice, Staff
from recommendations.services.access import audit
from recommendations.store.imports.item_diff import plain
from recommendations.store.live import fetch
from recommendations.store.live.change_watch import Watch
from recommendations.store.process_held import ProcessHeld
from recommendations.terms import Availability, ItemKind

CHANGEABLE = (
    "title", "description", "brand", "price", "original_price", "cost", "availability", "available_quantity",
    "available_at", "expires_at", "image_url", "url", "tags", "attributes", "parent",
    "kind", "creator", "collection", "number", "duration", "published_at", "language",
)  # fmt: skip
BATCH = 1_000
TILES = 4_096  # items whose texts a process keeps


class UnknownFieldError(ValueError):
    """The field is not one of those that ``update_item`` changes."""


@dataclass(frozen=True)
class TileFacts:
    """Texts of the picture that is drawn of an item where the shop has none, and what it is."""

    title: str
    brand: str
    path: str  # of the first of its categories
    public_from: datetime | None = None  # when its sale begins
    kind: str = ItemKind.PRODUCT


@transaction.atomic
def update_item(
    *,
    item: Item,
    changes: Mapping[str, Any],
    by: Staff | None,
    now: datetime,
    check: Callable[[Item], None] | None = None,
) -> Item:
    """Change an item; fields that have the value already are left out, and without any nothing happens.

    ``changes`` may hold ``categories`` with the whole list. ``check`` gets the item as it is stored and locked; what it
    raises keeps the change from being made. Raises ValidationError where a value is none for its field, and
    UnknownFieldError for a field that is not in ``CHANGEABLE``.
    """
    unknown = changes.keys() - {*CHANGEABLE, "categories"}
    if unknown:
        raise UnknownFieldError(", ".join(sorted(unknown)))
    stored = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if check:
        check(stored)
    before, after = audit.apply(stored, {name: value for name, value in changes.items() if name != "categories"})
    if after:
        stored.full_clean(exclude={field.name for field in Item._meta.fields} - after.keys(), validate_unique=False)
    if "categories" in changes:
        _apply_categories(stored, changes["categories"], before=before, after=after)
    if not after:
        return stored
    columns = {name: value for name, value in after.items() if name != "categories"}
    Item.objects.filter(pk=stored.pk).update(**columns, updated_at=now)
    stored.updated_at = now
    if "price" in after and stored.price is not None:
        ItemPrice.objects.update_or_create(item=stored, valid_from=now, defaults={"price": stored.price})
    audit.record(by=by, verb="change", subject=stored, before=plain_values(before), after=plain_values(after))
    _announce()
    return stored


@transaction.atomic
def confirm_price(*, item: Item, by: Staff, now: datetime) -> None:
    """Note that somebody found the price of an item right: it counts as checked from now on, and stays as it is."""
    stored = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if stored.price is None:
        return
    ItemPrice.objects.update_or_create(item=stored, valid_from=now, defaults={"price": stored.price})
    Item.objects.filter(pk=stored.pk).update(updated_at=now)  # flaws are counted anew
    audit.record(by=by, verb="confirm price", subject=stored)


@transaction.atomic
def set_availability(*, items: Iterable[int], availability: Availability, by: Staff | None, now: datetime) -> int:
    """Set the availability of these items (primary keys) at once; returns how many had another."""
    return _change_all(items, "change", {"availability": availability}, by=by, now=now)


@transaction.atomic
def retire(*, items: Iterable[int], by: audit.Author, now: datetime) -> int:
    """Take items off sale for good, keeping their history; returns how many were on sale."""
    return _change_all(items, "retire", {"retired_at": now}, by=by, now=now, only={"retired_at": None})


@transaction.atomic
def bring_back(*, items: Iterable[int], by: Staff | None, now: datetime) -> int:
    """Undo ``retire``; returns how many were retired."""
    return _change_all(items, "bring back", {"retired_at": None}, by=by, now=now)


@transaction.atomic
def rename_category(*, category: Category, name: str, by: Staff | None) -> None:
    """Rename a category; its path, by which imports know it, stays."""
    stored = Category.objects.select_for_update(of=("self",)).get(pk=category.pk)
    if stored.name == name:
        return
    audit.record(by=by, verb="rename", subject=stored, before={"name": stored.name}, after={"name": name})
    Category.objects.filter(pk=stored.pk).update(name=name)
    _announce()


def tile_facts(*, shop_id: str) -> TileFacts | None:
    """Texts for the drawn picture of an item; None where there is no such item.

    A process keeps the texts until the catalogue changes.
    """
    return None if "\x00" in shop_id else tiles()(shop_id)


def _read_tile_facts(shop_id: str) -> TileFacts | None:
    item = Item.objects.filter(shop_id=shop_id).only("title", "brand", "kind", "available_at").first()
    if item is None:
        return None
    first = item.categories.order_by("path").values_list("path", flat=True).first()
    return TileFacts(
        title=item.title, brand=item.brand, path=first or "", public_from=item.available_at, kind=item.kind
    )


tiles = ProcessHeld(lambda: lru_cache(TILES)(_read_tile_facts), watch=lambda: Watch(fetch.Changed.CATALOGUE))


def _apply_categories(
    item: Item, categories: Iterable[Category], *, before: dict[str, Any], after: dict[str, Any]
) -> None:
    had, gets = set(item.categories.all()), set(categories)
    if had != gets:
        item.categories.set(gets)
        before["categories"] = sorted(category.path for category in had)
        after["categories"] = sorted(category.path for category in gets)


def _change_all(
    items: Iterable[int],
    verb: str,
    values: Mapping[str, Any],
    *,
    by: audit.Author,
    now: datetime,
    only: Mapping[str, Any] | None = None,
) -> int:
    """Give the items these values, those that have them already left out; returns how many changed."""
    changed = 0
    for keys in batched(items, BATCH):
        rows = Item.objects.select_for_update().filter(pk__in=keys, **(only or {})).exclude(**values).order_by("pk")
        batch = list(rows.only("pk", "title", *values))
        before = [plain_values({name: getattr(item, name) for name in values}) for item in batch]
        changes = [(item, had, plain_values(values)) for item, had in zip(batch, before, strict=True)]
        audit.record_all(by=by, verb=verb, changes=changes)
        Item.objects.filter(pk__in=[item.pk for item in batch]).update(**values, updated_at=now)
        changed += len(batch)
    if changed:
        _announce()
    return changed


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON holds them: amounts and times as text, another item by its key."""
    return {name: value.pk if isinstance(value, Item) else plain(value) for name, value in values.items()}


def _announce() -> None:
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.CATALOGUE))
