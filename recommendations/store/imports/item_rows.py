"""Rows of an item file: the form, the rules in SQL, and the way from text to ready items."""

import re
from typing import LiteralString

from django.conf import settings
from django.utils.translation import gettext as _
from psycopg import sql

from recommendations import fields
from recommendations.models import Item
from recommendations.store.imports.item_merge import links_of
from recommendations.store.imports.row_checks import RowCheck, all_broken, checks_of, instant, moment, needed
from recommendations.store.imports.table_files import Header
from recommendations.store.imports.validate import Form
from recommendations.store.temp_tables import rows
from recommendations.terms import PATH_SEPARATOR, Availability, ItemKind

FORM = Form(
    known=[
        "item_id", "title", "description", "brand", "categories", "price", "original_price", "cost", "currency",
        "availability", "available_quantity", "available_time", "expire_time", "image_url", "url", "tags",
        "attributes", "creator", "collection", "collection_number", "duration", "published_at", "language",
        "rating_average", "rating_count", "item_kind", "parent_id", "item_group_id",
    ],
    needed=["item_id", "title"],
)  # fmt: skip
OURS = {
    "item_id": "shop_id", "available_time": "available_at", "expire_time": "expires_at", "item_kind": "kind",
    "collection_number": "number",
}  # fmt: skip
"""Columns that are called otherwise in the catalogue."""
NOT_STORED = {"currency", "categories", "parent_id", "item_group_id"}
"""Columns that are no column of the catalogue's items; links to categories and parents are made after the merge."""
CATEGORIES = "SELECT DISTINCT categories FROM staged WHERE categories IS NOT NULL"
ADDRESS = f"^({'|'.join(fields.ADDRESSES)})"
STARTS, ENDS = instant("available_time"), instant("expire_time")
TURNED = sql.SQL(
    "CASE WHEN %(gives_start)s THEN {} ELSE item.available_at END >= CASE WHEN %(gives_end)s THEN {} "
    "ELSE item.expires_at END"  # where the file is silent the item keeps its time
).format(STARTS, ENDS)
NOWHERE: LiteralString = (
    "staged.parent_id IS NOT NULL AND staged.parent_id NOT IN (SELECT item_id FROM staged WHERE item_id IS NOT NULL) "
    "AND NOT EXISTS (SELECT FROM recommendations_item parent WHERE parent.shop_id = staged.parent_id)"
)
"""The parent is no item of the catalogue and in no row of the file that is left."""
ORPHANED = sql.SQL("CASE WHEN {} THEN 'parent_id:unknown_parent' END").format(sql.SQL(NOWHERE))
RULES = [
    *needed("item_id"),
    *checks_of(fields.Id, "item_id"),
    *needed("title"),
    *checks_of(fields.Title, "title"),
    *checks_of(fields.Brand, "brand", "creator", "collection"),
    *checks_of(fields.Language, "language"),
    *checks_of(fields.Text, "description", "attributes"),
    *checks_of(fields.Address, "image_url", "url"),
    RowCheck("categories", "bad_category", "staged.categories = ANY(%(bad_categories)s)"),
    *checks_of(fields.Money, "price", "original_price", "cost", code="negative_price"),
    RowCheck("currency", "foreign_currency", "staged.currency <> %(currency)s"),
    RowCheck("availability", "unknown_availability", "staged.availability <> ALL(%(availabilities)s)"),
    *checks_of(fields.Count, "available_quantity", code="not_a_stock"),
    *moment("available_time", dates=True),
    *moment("expire_time", dates=True),
    RowCheck("image_url", "not_a_url", sql.SQL("staged.image_url !~* {}").format(ADDRESS)),
    RowCheck("url", "not_a_url", sql.SQL("staged.url !~* {}").format(ADDRESS)),
    RowCheck("tags", "bad_tags", sql.SQL("staged.tags ~ {}").format(f"[^|]{{{fields.LONGEST_TAG + 1}}}")),
    RowCheck("attributes", "not_an_object", "NOT pg_input_is_valid(staged.attributes, 'jsonb')"),
    RowCheck("attributes", "not_an_object", "jsonb_typeof(staged.attributes::jsonb) <> 'object'"),
    *checks_of(fields.Count, "collection_number", "duration", code="not_a_count"),
    *moment("published_at", dates=True),
    RowCheck("item_kind", "unknown_kind", "staged.item_kind <> ALL(%(kinds)s)"),
    *checks_of(fields.Rating, "rating_average", code="not_a_rating"),
    *checks_of(fields.Count, "rating_count", code="not_a_count"),
    *checks_of(fields.Id, "parent_id", "item_group_id"),
    RowCheck("parent_id", "own_parent", "staged.parent_id = staged.item_id"),
    RowCheck("parent_id", "unknown_parent", NOWHERE),
    RowCheck("expire_time", "available_after_end", TURNED, joint=True),
]  # fmt: skip
VERDICT = all_broken(RULES)

READY = sql.SQL("""
INSERT INTO ready_item (
  shop_id, title, description, brand, price, original_price, cost, availability, available_quantity, available_at,
  expires_at, image_url, url, tags, attributes, creator, collection, number, duration, published_at, language,
  rating_average, rating_count, kind)
SELECT item_id, title, description, brand, round(price::numeric, 2), round(original_price::numeric, 2),
  round(cost::numeric, 2), availability, trunc(available_quantity::numeric)::integer, {}, {}, image_url, url,
  ARRAY(SELECT trim(tag) FROM unnest(string_to_array(tags, '|')) AS tag WHERE trim(tag) <> ''), attributes::jsonb,
  creator, collection, trunc(collection_number::numeric)::integer, trunc(duration::numeric)::integer, {}, language,
  rating_average::numeric::float, trunc(rating_count::numeric)::integer, item_kind
FROM staged
""").format(STARTS, ENDS, instant("published_at"))

CURRENCIES = """
SELECT currency FROM staged WHERE currency IS NOT NULL
UNION SELECT given ->> 'currency' FROM refused WHERE given ->> 'currency' IS NOT NULL LIMIT 2
"""


def category_path(text: str) -> str | None:
    """``Shoes>Running`` in our spelling; None where it is no category, such as "Shoes >> Running"."""
    levels = [level.strip() for level in text.split(">")]
    path = PATH_SEPARATOR.join(levels)
    return (
        path
        if all(0 < len(level) <= fields.LONGEST_LEVEL for level in levels) and len(path) <= fields.LONGEST_PATH
        else None
    )


def rule_values(header: Header, *, currency: str) -> dict[str, object]:
    return {
        "currency": currency,
        "zone": settings.TIME_ZONE,
        "availabilities": list(Availability),
        "kinds": list(ItemKind),
        "bad_categories": [text for (text,) in rows(CATEGORIES) if None in _paths(text)],
        "gives_start": "available_time" in header.places,
        "gives_end": "expire_time" in header.places,
    }


def given(header: Header) -> list[str]:
    """The catalogue's names of the columns that the file has."""
    return [OURS.get(name, name) for name in header.places if name not in NOT_STORED]


def links(header: Header) -> bytes | None:
    """Categories of the items, for ``item_merge.merge_ready``."""
    if "categories" not in header.places:
        return None
    filed = rows("SELECT item_id, categories FROM staged WHERE categories IS NOT NULL")
    return links_of((item, path) for item, text in filed for path in _paths(text) if path)


def _paths(text: str) -> list[str | None]:
    """``Shoes > Running | Sale`` → two paths."""
    return [category_path(path) for path in text.split("|") if path.strip()]


def currency_text(*, currency: str) -> str:
    """The remedy where a first file has all of its amounts in another currency than the shop; "" where it has not."""
    codes = [code for (code,) in rows(CURRENCIES)]
    if len(codes) != 1 or codes == [currency] or not re.fullmatch("[A-Z]{3}", codes[0]) or Item.objects.exists():
        return ""
    text = _(
        "All amounts of the file are in %(theirs)s, and the shop's currency is %(ours)s. If the shop sells in "
        "%(theirs)s, start it with SHOP_CURRENCY=%(theirs)s (docs/settings.md), and import the file again."
    )
    return text % {"theirs": codes[0], "ours": currency}
