"""Merge of items from memory into the catalogue, many at once, on the way that files take."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from recommendations.models import Item
from recommendations.store.imports import item_merge
from recommendations.store.imports.item_merge import Merged, links_of, merge_ready
from recommendations.store.temp_tables import run, temporary

type Row = Mapping[str, Any]
"""Columns of ``item_merge.COLUMNS``, and ``categories`` as a list of paths; what is None or absent gets its default."""

COLUMNS = frozenset({*item_merge.COLUMNS, "categories"} - {"shop_id", "listed_at"})
FILL = "INSERT INTO ready_item SELECT * FROM jsonb_populate_recordset(NULL::ready_item, %(rows)s::jsonb)"


def lock_items(shop_ids: Iterable[str]) -> dict[str, int]:
    """Primary keys of the items that exist, which nobody else changes until the end of the transaction."""
    rows = Item.objects.select_for_update(no_key=True).filter(shop_id__in=list(shop_ids)).order_by("shop_id")
    return dict(rows.values_list("shop_id", "pk"))


@transaction.atomic
def merge_rows(rows: Sequence[Row], *, given: Collection[str], now: datetime, update: bool) -> Merged:
    """Merge rows as ``item_merge.merge_ready`` does; ``given`` names the columns that are to be changed."""
    pairs = ((row["shop_id"], path) for row in rows for path in row.get("categories") or ())
    links = links_of(pairs) if "categories" in given else None
    with temporary(item_merge.READY, item_merge.DEFINITION):
        run(FILL, rows=msgspec.json.encode(rows).decode())
        return merge_ready(given=set(given) - {"categories"}, links=links, now=now, update=update)
