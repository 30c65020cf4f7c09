"""Items of the catalogue, field by field: the before and after of an import or of a request."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL

from recommendations.models import Item
from recommendations.store.imports.item_merge import COLUMNS, READY

FIELDS = tuple(name for name in COLUMNS if name not in {"listed_at", "parent_id"})

type ItemState = dict[str, Any]
"""Field → value, the parent as its primary key, categories as a list of paths; in JSON amounts and times are text."""


def of_ready() -> Mapping[int, ItemState]:
    """Items of the catalogue that stand in the table of ready items, by primary key, as JSON."""
    ready = RawSQL(f"SELECT shop_id FROM {READY}", [])  # noqa: S608, S611 - a constant of ours
    return {key: in_json(image) for key, image in _of(Item.objects.filter(shop_id__in=ready)).items()}


def of_items(keys: Iterable[int]) -> Mapping[int, ItemState]:
    """States of items by primary key."""
    return _of(Item.objects.filter(pk__in=list(keys)))


def changed(before: ItemState, after: ItemState) -> tuple[ItemState, ItemState]:
    """The fields that differ, as they were and as they are."""
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def in_json(image: ItemState) -> ItemState:
    return {name: plain(value) for name, value in image.items()}


def plain(value: Any) -> Any:
    """Value as JSON holds it: amounts and times as text."""
    if isinstance(value, str | int | float | bool | list | dict | None):
        return value
    return DjangoJSONEncoder().default(value)


def _of(items: QuerySet[Item]) -> Mapping[int, ItemState]:
    paths = ArrayAgg("categories__path", filter=Q(categories__isnull=False), default=[], order_by="categories__path")
    rows = items.annotate(paths=paths, variant_of=F("parent_id")).values("pk", "paths", "variant_of", *FIELDS)
    return {row.pop("pk"): {_NAMES.get(name, name): value for name, value in row.items()} for row in rows}


_NAMES = {"paths": "categories", "variant_of": "parent"}
