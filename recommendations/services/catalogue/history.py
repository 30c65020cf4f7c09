"""Undoing of changes to items: of one entry of the trail, or of all that an import changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, Field, QuerySet
from django.db.models.functions import Cast

from recommendations.models import AuditEntry, Category, Import, Item, ItemPrice, Staff
from recommendations.services.access import audit
from recommendations.services.catalogue import editing
from recommendations.store.live import fetch

BATCH = 500
_OF_BATCH = ("verb", "batch", "after")
KIND = "item"


class ChangedSinceError(Exception):
    """A later change touched the same fields, so that reverting would overwrite it. ``fields`` names them."""

    def __init__(self, entry: AuditEntry, fields: Sequence[str]) -> None:
        super().__init__(f"{', '.join(fields)} of {entry.label} changed again after {entry.at:%Y-%m-%d %H:%M}")
        self.entry, self.fields = entry, fields


class NothingToUndoError(Exception):
    """The import changed nothing, came from a command, or was undone already."""

    def __init__(self, imported: Import) -> None:
        super().__init__(f"{imported} has nothing that could be undone")
        self.imported = imported


@dataclass(frozen=True, kw_only=True)
class Undone:
    reverted: int
    retired: int  # items that the import had made; their history is kept
    left: Sequence[str] = field(default=())  # titles of items that were changed again since then


def may_revert(entry: AuditEntry) -> bool:
    """Whether an entry can be reverted: changes of fields can, the creation of an item cannot (it can be retired)."""
    return entry.object_type == KIND and entry.before is not None and bool(entry.after)


@transaction.atomic
def revert(*, entry: AuditEntry, by: Staff | None, now: datetime) -> Item:
    """Give the fields of one change their old values again; an entry of its own says so. Raises ChangedSinceError."""
    item = Item.objects.select_for_update(of=("self",)).prefetch_related("categories").get(pk=entry.object_id)
    if later := _changed_again(item, entry.after or {}):
        raise ChangedSinceError(entry, later)
    _restore([(item, entry.before or {})], by=by, now=now, verb="revert")
    item.refresh_from_db()
    return item


class UndoScope(NamedTuple):
    """What the trail holds of an import: all that it changed, or only the items that it retired and brought back."""

    batch: UUID
    whole: bool


def undo_scope(imported: Import) -> UndoScope | None:
    """How an import can be undone; None where it cannot, or was already."""
    entries = AuditEntry.objects.filter(object_type="import", object_id=str(imported.pk), batch__isnull=False)
    verbs = {verb: UndoScope(batch, "new" in (after or {})) for verb, batch, after in entries.values_list(*_OF_BATCH)}
    return None if "undo" in verbs else verbs.get("import")


def items_of(imported: int) -> QuerySet[AuditEntry, int]:
    """Keys of the items that an import (its key) changed, or by a command those that it retired or brought back."""
    batches = AuditEntry.objects.filter(object_type="import", object_id=str(imported), verb="import").values("batch")
    entries = AuditEntry.objects.filter(batch__in=batches, object_type=KIND).order_by()
    return entries.values_list(Cast("object_id", BigIntegerField()), flat=True)


@transaction.atomic
def undo_import(*, imported: Import, by: Staff, now: datetime) -> Undone:
    """Take back what the trail holds of an import, but not what changed again since. Raises NothingToUndoError."""
    stored = Import.objects.select_for_update().get(pk=imported.pk)
    back_to = undo_scope(stored)
    if back_to is None:
        raise NothingToUndoError(stored)
    batch, whole = back_to
    entries = {int(entry.object_id): entry for entry in AuditEntry.objects.filter(batch=batch, object_type=KIND)}
    items = Item.objects.select_for_update(of=("self",)).prefetch_related("categories").in_bulk(entries)
    left = [item for key, item in items.items() if _changed_again(item, entries[key].after or {})]
    rest = {item.pk for item in left}
    back = [(item, entries[key].before or {}) for key, item in items.items() if key not in rest and entries[key].before]
    _restore(back, by=by, now=now, verb="undo")
    new = [key for key in items if key not in rest and entries[key].before is None]
    retired = editing.retire(items=new, by=by, now=now)
    done = Undone(reverted=len(back), retired=retired, left=[item.title for item in left])
    if whole:
        stored.status, stored.kept = Import.Status.UNDONE, len(done.left)
        stored.save(update_fields=["status", "kept"])
    audit.record(
        by=by, verb="undo", subject=stored, batch=batch,
        after={"reverted": done.reverted, "retired": done.retired, "left": len(done.left)},
    )  # fmt: skip
    return done


def _changed_again(item: Item, after: Mapping[str, Any]) -> list[str]:
    """Fields that have another value than the change gave them; the creation of an item gave it all of its fields."""
    return [name for name, value in after.items() if name in _NAMES and _now(item, name) != _then(name, value)]


def _restore(back: Sequence[tuple[Item, Mapping[str, Any]]], *, by: Staff | None, now: datetime, verb: str) -> None:
    """Set the old values; parts of the trail that are no fields of an item are left alone."""
    changes, columns, prices = [], {"updated_at"}, []
    for item, old in back:
        values = {name: _then(name, value) for name, value in old.items() if name in _NAMES}
        before = editing.plain_values({name: _now(item, name) for name in values})
        for name, value in values.items():
            if name == "categories":
                item.categories.set(Category.objects.filter(path__in=value))
            else:
                setattr(item, name, value)
                columns.add(name)
        item.updated_at = now
        if "price" in values and item.price is not None:
            prices.append(ItemPrice(item=item, valid_from=now, price=item.price))
        changes.append((item, before, editing.plain_values(values)))
    Item.objects.bulk_update([item for item, _ in back], sorted(columns), batch_size=BATCH)
    ItemPrice.objects.bulk_create(
        prices, update_conflicts=True, unique_fields=["item", "valid_from"], update_fields=["price"]
    )
    audit.record_all(by=by, verb=verb, changes=changes)
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.CATALOGUE))


_NAMES = frozenset({*editing.CHANGEABLE, "categories", "retired_at", "rating_average", "rating_count", "kind"})


def _now(item: Item, name: str) -> Any:
    if name == "categories":
        return sorted(category.path for category in item.categories.all())
    return getattr(item, name)


def _then(name: str, value: Any) -> Any:
    """Convert a value of the trail to what the field holds."""
    if name == "categories":
        return value
    if name == "parent":
        return None if value is None else Item.objects.filter(pk=value).first()
    column: Field[Any, Any] = next(each for each in Item._meta.fields if each.name == name)
    return column.to_python(value)
