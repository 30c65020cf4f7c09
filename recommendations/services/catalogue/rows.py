"""Item rows from a shop's system: many in few statements, with a verdict on each.

As with changes by staff, every change leaves an audit entry and acts on the next answer; but for a vector, which says
nothing that staff could read or undo, and counts from the next run on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal, Self

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from recommendations.ingest.refusal import Refusal
from recommendations.ingest.waiting import join_waiting
from recommendations.models import ApiKey, Item
from recommendations.services.access import audit
from recommendations.services.access.keys import KnownKey
from recommendations.services.catalogue import editing
from recommendations.services.catalogue.given_vectors import (
    GivenVector,
    checked_vector,
    refused_vectors,
    take_vectors,
)
from recommendations.services.catalogue.item_checks import BrokenRuleError, check_times, fields_of
from recommendations.services.catalogue.item_schema import ItemChanges
from recommendations.store.imports import item_diff, item_upsert
from recommendations.store.imports.item_diff import ItemState
from recommendations.store.imports.item_upsert import Row
from recommendations.store.imports.reasons import REASONS
from recommendations.store.live import fetch

type Became = Literal["created", "updated", "unchanged"] | Refusal
type Take = Callable[[Sequence[Row], ApiKey, datetime], Mapping[str, Became]]


class ItemVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a row; the pointer starts at the row."""

    verdict: Literal["created", "updated", "unchanged", "rejected"]
    item_id: str | None = None
    pointer: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ItemRow:
    """A row of one item; ``fields`` as ``item_checks.fields_of`` gives them, and its vector where it says one."""

    shop_id: str
    fields: Mapping[str, Any]
    vector: GivenVector | UnsetType | None = UNSET

    @classmethod
    def of(cls, shop_id: str, form: ItemChanges) -> Self:
        """The row of a form. Raises BrokenRuleError."""
        vector = UNSET if form.embedding is UNSET else checked_vector(form.embedding)
        return cls(shop_id=shop_id, fields=fields_of(form), vector=vector)

    @property
    def parent(self) -> str | None:
        return self.fields.get("parent")


def put_items(rows: Sequence[ItemRow | ItemVerdict], *, by: KnownKey, now: datetime) -> list[ItemVerdict]:
    """Make each item as its row has it, with the defaults for what the row does not say; retired ones come back.

    Rows that have their verdict already keep it. Repeating it changes nothing.
    """
    return _taken(rows, _put, by=by, now=now)


def change_items(rows: Sequence[ItemRow | ItemVerdict], *, by: KnownKey, now: datetime) -> list[ItemVerdict]:
    """Change what the rows give of items that exist; those that are retired stay so."""
    return _taken(rows, _change, by=by, now=now)


def retire_item(*, shop_id: str, by: KnownKey, now: datetime) -> bool:
    """Retire one item as ``editing.retire`` does; False where there is no such item."""
    key = Item.objects.filter(shop_id=shop_id).values_list("pk", flat=True).first()
    if key is not None:
        editing.retire(items=[key], by=ApiKey(pk=by.pk), now=now)
    return key is not None


@transaction.atomic
def _taken(rows: Sequence[ItemRow | ItemVerdict], take: Take, *, by: KnownKey, now: datetime) -> list[ItemVerdict]:
    """Take the rows, those of parents before those of their variants where a batch has both."""
    every = due = _first_of_each(rows)
    own = Refusal("/parent_id", _("An item cannot be a variant of itself."))
    became: dict[str, Became] = {row.shop_id: own for row in due.values() if row.parent == row.shop_id}
    became |= refused_vectors((key, row.vector) for key, row in due.items() if isinstance(row.vector, GivenVector))
    due = {shop_id: row for shop_id, row in due.items() if shop_id not in became}
    parents = _keys_of(row.parent for row in due.values() if row.parent)
    while ready := [row for row in due.values() if row.parent is None or row.parent in parents]:
        became |= take([_row(row, parents) for row in ready], ApiKey(pk=by.pk), now)
        for row in ready:
            del due[row.shop_id]
        parents |= _keys_of(row.parent for row in due.values() if row.parent)
    orphan = Refusal("/parent_id", _("There is no item with this id; send the item first."))
    became |= dict.fromkeys(due, orphan)
    _take_vectors(every, became, now=now)
    if created := [shop_id for shop_id, outcome in became.items() if outcome == "created"]:
        transaction.on_commit(partial(join_waiting, created))
    return _verdicts(rows, became)


def _take_vectors(due: Mapping[str, ItemRow], became: dict[str, Became], *, now: datetime) -> None:
    """Take the vectors of the rows that were taken, and say that their items were updated where nothing else was."""
    vectors = {
        shop_id: row.vector
        for shop_id, row in due.items()
        if not isinstance(row.vector, UnsetType) and not isinstance(became[shop_id], Refusal)
    }
    keys = _keys_of(vectors)
    changed = take_vectors({key: vectors[shop_id] for shop_id, key in keys.items()}, now=now) if keys else set()
    unchanged = {shop_id for shop_id, key in keys.items() if key in changed and became[shop_id] == "unchanged"}
    became |= dict.fromkeys(unchanged, "updated")


def _first_of_each(rows: Iterable[ItemRow | ItemVerdict]) -> dict[str, ItemRow]:
    first: dict[str, ItemRow] = {}
    for row in rows:
        if isinstance(row, ItemRow):
            first.setdefault(row.shop_id, row)
    return first


def _verdicts(rows: Iterable[ItemRow | ItemVerdict], became: Mapping[str, Became]) -> list[ItemVerdict]:
    """Verdict on every row; the second row of an item is refused."""
    verdicts, seen = [], set()
    for row in rows:
        if isinstance(row, ItemVerdict):
            verdicts.append(row)
            continue
        outcome = became[row.shop_id]
        if row.shop_id in seen:
            outcome = Refusal("/item_id", str(REASONS["already_listed"]))
        seen.add(row.shop_id)
        if isinstance(outcome, Refusal):
            verdicts.append(ItemVerdict("rejected", row.shop_id, outcome.pointer, outcome.reason))
        else:
            verdicts.append(ItemVerdict(outcome, row.shop_id))
    return verdicts


def _keys_of(shop_ids: Iterable[str | None]) -> dict[str, int]:
    wanted = {shop_id for shop_id in shop_ids if shop_id is not None}
    return dict(Item.objects.filter(shop_id__in=wanted).values_list("shop_id", "pk")) if wanted else {}


def _row(row: ItemRow, parents: Mapping[str, int]) -> Row:
    columns = {name: value for name, value in row.fields.items() if name != "parent"}
    if "parent" in row.fields:
        columns["parent_id"] = parents[row.parent] if row.parent else None
    return {"shop_id": row.shop_id, **columns}


def _put(rows: Sequence[Row], by: ApiKey, now: datetime) -> Mapping[str, Became]:
    keys = item_upsert.lock_items(row["shop_id"] for row in rows)
    new = [row for row in rows if row["shop_id"] not in keys]
    created = item_upsert.merge_rows(new, given=item_upsert.COLUMNS, now=now, update=False).new if new else set()
    keys |= item_upsert.lock_items(row["shop_id"] for row in new)  # with those that somebody else made in the meantime
    before = item_diff.of_items(set(keys.values()) - created)
    held = [row for row in rows if keys[row["shop_id"]] not in created]
    changed = item_upsert.merge_rows(held, given=item_upsert.COLUMNS, now=now, update=True).changed if held else set()
    _note(before, made=created, changed=changed, by=by)
    return {
        shop_id: "created" if key in created else "updated" if key in changed else "unchanged"
        for shop_id, key in keys.items()
    }


def _change(rows: Sequence[Row], by: ApiKey, now: datetime) -> Mapping[str, Became]:
    keys = item_upsert.lock_items(row["shop_id"] for row in rows)
    before = item_diff.of_items(keys.values())
    became: dict[str, Became] = {}
    held = []
    for row in rows:
        try:
            held.append(_with_changes(row, before.get(keys.get(row["shop_id"], 0))))
        except BrokenRuleError as error:
            became[row["shop_id"]] = error.refusal
    given = {name for row in rows for name in row} - {"shop_id"}
    changed = item_upsert.merge_rows(held, given=given, now=now, update=True).changed if held and given else set()
    _note(before, made=set(), changed=changed, by=by)
    for row in held:
        became[row["shop_id"]] = "updated" if keys[row["shop_id"]] in changed else "unchanged"
    return became


def _with_changes(row: Row, image: ItemState | None) -> Row:
    """Whole item with the changes of its row. Raises BrokenRuleError."""
    if image is None:
        raise BrokenRuleError("/item_id", _("There is no item with this id; send the item first."))
    whole = {**image, "parent_id": image["parent"], **row}
    check_times(whole)
    return whole


def _note(before: Mapping[int, ItemState], *, made: set[int], changed: set[int], by: ApiKey) -> None:
    """Write the audit entries, and announce the change to every process."""
    if not made and not changed:
        return
    after = {key: item_diff.in_json(image) for key, image in item_diff.of_items({*made, *changed}).items()}
    items = {key: Item(pk=key, title=image["title"]) for key, image in after.items()}
    audit.record_all(by=by, verb="create", changes=[(items[key], None, after[key]) for key in sorted(made)])
    pairs = {key: item_diff.changed(item_diff.in_json(before[key]), after[key]) for key in sorted(changed)}
    back = {key for key, (_before, now) in pairs.items() if "retired_at" in now}
    for verb, keys in (("change", changed - back), ("bring back", back)):
        audit.record_all(by=by, verb=verb, changes=[(items[key], *pairs[key]) for key in sorted(keys)])
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.CATALOGUE))
