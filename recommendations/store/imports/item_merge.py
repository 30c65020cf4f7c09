"""Items in bulk: from a table of ready items into the catalogue, with categories and the history of prices."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from recommendations.models import Category
from recommendations.store.domain import shop_domain
from recommendations.store.temp_tables import copy, like, rows, run, temporary, upsert
from recommendations.terms import PATH_SEPARATOR

READY = "ready_item"
ANALYSED = 1_000  # so many new items change what the planner should expect
COLUMNS = (
    "shop_id", "title", "description", "brand", "price", "original_price", "cost", "availability",
    "available_quantity", "available_at", "expires_at", "image_url", "url", "tags", "attributes", "creator",
    "collection", "number", "duration", "published_at", "language", "rating_average", "rating_count", "kind",
    "parent_id", "listed_at", "retired_at",
)  # fmt: skip
DEFINITION = f"{like('recommendations_item', COLUMNS)}; ALTER TABLE {READY} ADD PRIMARY KEY (shop_id)"
# What an item has where the file is silent. The names are columns of ours, never text from outside.
DEFAULTS: dict[str, LiteralString] = {
    "description": "''",
    "brand": "''",
    "availability": "'in_stock'",
    "image_url": "''",
    "url": "''",
    "creator": "''",
    "collection": "''",
    "language": "''",
    "tags": "'{}'",
    "attributes": "'{}'",
    "listed_at": "%(now)s",
}
LINKS = "ready_link"

PRICES = """
INSERT INTO recommendations_itemprice (item_id, valid_from, price)
SELECT item.id, CASE WHEN last.price IS NULL THEN least(item.listed_at, %(now)s) ELSE %(now)s END, item.price
FROM ready_item ready JOIN recommendations_item item USING (shop_id)
LEFT JOIN LATERAL (
  SELECT price FROM recommendations_itemprice WHERE item_id = item.id ORDER BY valid_from DESC LIMIT 1
) last ON true
WHERE item.price IS NOT NULL AND item.price IS DISTINCT FROM last.price
ON CONFLICT (item_id, valid_from) DO UPDATE SET price = excluded.price
"""
UNLINK = """
DELETE FROM recommendations_item_categories link USING ready_item ready JOIN recommendations_item item USING (shop_id)
WHERE link.item_id = item.id AND NOT EXISTS (
  SELECT FROM ready_link wanted WHERE wanted.shop_id = item.shop_id AND wanted.category_id = link.category_id)
RETURNING item.id
"""
LINK = """
INSERT INTO recommendations_item_categories (item_id, category_id)
SELECT item.id, wanted.category_id FROM ready_link wanted JOIN recommendations_item item USING (shop_id)
WHERE %(all)s OR item.id = ANY(%(new)s)
ON CONFLICT DO NOTHING RETURNING item_id
"""
INSERT = sql.SQL("""
INSERT INTO recommendations_item AS item ({names}, updated_at)
SELECT {values}, %(now)s FROM ready_item ORDER BY shop_id
ON CONFLICT (shop_id) {action} RETURNING item.id, xmax = 0
""")
TOUCH = "UPDATE recommendations_item SET updated_at = %(now)s WHERE id = ANY(%(keys)s)"


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Primary keys of the items that a merge touched."""

    new: set[int]
    changed: set[int]


def merge_ready(*, given: Iterable[str], links: bytes | None, now: datetime, update: bool) -> Merged:
    """Bring the ready items into the catalogue; columns that were not given keep what they have.

    ``links``: CSV of shop id and category key; None leaves the categories as they are. ``update`` False touches no
    item that the shop has already. Running it twice changes nothing the second time.
    """
    new, changed = _merge(given, now=now, update=update)
    run(PRICES, now=now)
    if links is not None:
        with temporary(LINKS, "(shop_id text, category_id bigint)"):
            copy(LINKS, ["shop_id", "category_id"], [links])
            linked = rows(LINK, all=update, new=list(new))
            relinked = {key for (key,) in (rows(UNLINK) if update else [])} | {key for (key,) in linked}
        run(TOUCH, now=now, keys=list(relinked - new))
        changed |= relinked - new
    if len(new) >= ANALYSED:  # the first page that counts items would come before autovacuum, and take minutes
        run("ANALYZE recommendations_item, recommendations_item_categories")
    return Merged(new=new, changed=changed)


def links_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """CSV of shop id and category key, of pairs of shop id and path; categories that are missing are made."""
    pairs = dict.fromkeys(pairs)
    keys = category_keys({path for _, path in pairs})
    buffer = io.StringIO()
    csv.writer(buffer).writerows((shop_id, keys[path]) for shop_id, path in pairs)
    return buffer.getvalue().encode()


def category_keys(paths: Iterable[str], *, names: Mapping[str, str] | None = None) -> dict[str, int]:
    """Primary key per path; missing nodes are made, ancestors too, each called as in ``names`` or by its last level."""
    wanted = {
        PATH_SEPARATOR.join(levels[: depth + 1]) for levels in map(_levels, paths) for depth in range(len(levels))
    }
    keys = dict(Category.objects.filter(path__in=wanted).values_list("path", "pk"))
    for path_depth in range(1, max((len(_levels(path)) for path in wanted), default=0) + 1):
        missing = [path for path in sorted(wanted - keys.keys()) if len(_levels(path)) == path_depth]
        nodes = [
            Category(
                path=path,
                name=(names or {}).get(path, _levels(path)[-1])[:200],
                parent_id=keys.get(PATH_SEPARATOR.join(_levels(path)[:-1])),
            )
            for path in missing
        ]
        Category.objects.bulk_create(nodes, ignore_conflicts=True, batch_size=2_000)
        keys |= dict(Category.objects.filter(path__in=missing).values_list("path", "pk"))
    return keys


def _levels(path: str) -> list[str]:
    return path.split(PATH_SEPARATOR)


def _default(name: str) -> sql.Composable:
    """What an item has in this column where nobody says: its kind is the first of what the shop offers."""
    return sql.Literal(shop_domain().kinds[0].value) if name == "kind" else sql.SQL(DEFAULTS.get(name, "NULL"))


def _merge(given: Iterable[str], *, now: datetime, update: bool) -> tuple[set[int], set[int]]:
    """Keys of the items that are new, and of those that changed."""
    names = [name for name in given if update and name not in {"shop_id", "listed_at"}]
    statement = INSERT.format(
        names=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)),
        values=sql.SQL(", ").join(
            sql.SQL("coalesce({}, {})").format(sql.Identifier(name), _default(name)) for name in COLUMNS
        ),
        action=upsert(names, stored="item", also=", updated_at = %(now)s"),
    )
    touched = rows(statement, now=now)
    return {key for key, fresh in touched if fresh}, {key for key, fresh in touched if not fresh}
