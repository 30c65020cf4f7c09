"""What the catalogue holds of items, field by field, as JSON: the before and after of an import."""

from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.db.models.expressions import RawSQL

from recommendations.models import Item
from recommendations.store.items import COLUMNS, READY

FIELDS = (*(name for name in COLUMNS if name != "listed_at"), "retired_at")

type Image = dict[str, Any]
"""Field → value; amounts and times are text, categories a list of paths."""


def of_ready() -> Mapping[int, Image]:
    """By primary key: the items of the catalogue that stand in the table of ready items."""
    ready = RawSQL(f"SELECT shop_id FROM {READY}", [])  # noqa: S608, S611 - a constant of ours
    found = Item.objects.filter(shop_id__in=ready)
    paths = ArrayAgg("categories__path", filter=Q(categories__isnull=False), default=[], order_by="categories__path")
    return {row.pop("pk"): _plain(row) for row in found.annotate(paths=paths).values("pk", "paths", *FIELDS)}


def changed(before: Image, after: Image) -> tuple[Image, Image]:
    """The fields that differ, as they were and as they are."""
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def plain(value: Any) -> Any:
    """As JSON holds it: amounts and times as text."""
    if isinstance(value, str | int | float | bool | list | dict | None):
        return value
    return DjangoJSONEncoder().default(value)


def _plain(row: Image) -> Image:
    return {"categories" if name == "paths" else name: plain(value) for name, value in row.items()}
