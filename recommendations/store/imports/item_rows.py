"""Rows of an item file: the form, the rules in SQL, and the way from text to ready items."""

import csv
import io
from collections.abc import Iterable

from psycopg import sql

from recommendations.store.imports.item_merge import category_keys
from recommendations.store.imports.row_checks import (
    RowCheck,
    at_most,
    first_broken,
    moment,
    money,
    needed,
    number,
    whole_number,
)
from recommendations.store.imports.validate import Form, Header
from recommendations.store.temp_tables import rows, run
from recommendations.terms import PATH_SEPARATOR, Availability

FORM = Form(
    known=[
        "item_id", "title", "description", "brand", "categories", "price", "original_price", "cost", "currency",
        "availability", "available_quantity", "available_time", "expire_time", "image_url", "url", "tags",
        "attributes", "rating_average", "rating_count",
    ],
    needed=["item_id", "title"],
)  # fmt: skip
OURS = {"item_id": "shop_id", "available_time": "available_at", "expire_time": "expires_at"}
"""Columns that are called otherwise in the catalogue."""
NOT_STORED = {"currency", "categories"}
LONGEST_PATH, LONGEST_LEVEL = 500, 200
MOST = 2_147_483_647

JOINS = sql.SQL("LEFT JOIN recommendations_item item ON item.shop_id = staged.item_id")
RULES = [
    *needed("item_id"),
    *at_most(128, "item_id"),
    *needed("title"),
    *at_most(300, "title"),
    *at_most(200, "brand"),
    *at_most(100_000, "description", "attributes"),
    *at_most(1_000, "image_url", "url"),
    RowCheck("categories", "bad_category", "staged.categories = ANY(%(bad_categories)s)"),
    *money("price", "original_price", "cost"),
    RowCheck("currency", "foreign_currency", "staged.currency <> %(currency)s"),
    RowCheck("availability", "unknown_availability", "staged.availability <> ALL(%(availabilities)s)"),
    *whole_number("available_quantity", "not_a_stock", least=0, most=MOST),
    *moment("available_time"),
    *moment("expire_time"),
    RowCheck("image_url", "not_a_url", "staged.image_url !~* '^(https?://|/)'"),
    RowCheck("url", "not_a_url", "staged.url !~* '^(https?://|/)'"),
    RowCheck("tags", "bad_tags", "staged.tags ~ '[^|]{101}'"),
    RowCheck("attributes", "not_an_object", "NOT pg_input_is_valid(staged.attributes, 'jsonb')"),
    RowCheck("attributes", "not_an_object", "jsonb_typeof(staged.attributes::jsonb) <> 'object'"),
    *number("rating_average", most=1_000_000),
    *whole_number("rating_count", "out_of_range", least=0, most=MOST),
    # where the file is silent the item keeps its time
    RowCheck("expire_time", "available_after_end", "CASE WHEN %(gives_start)s THEN staged.available_time::timestamptz "
         "ELSE item.available_at END >= CASE WHEN %(gives_end)s THEN staged.expire_time::timestamptz "
         "ELSE item.expires_at END"),
]  # fmt: skip
VERDICT = first_broken(RULES)

REPEATED = """
UPDATE staged SET fault = 'item_id:already_listed' FROM (
  SELECT file_line, row_number() OVER (PARTITION BY item_id ORDER BY file_line) AS place FROM staged
  WHERE item_id IS NOT NULL AND fault IS NULL
) numbered WHERE place > 1 AND numbered.file_line = staged.file_line
"""
READY = """
INSERT INTO ready_item (
  shop_id, title, description, brand, price, original_price, cost, availability, available_quantity, available_at,
  expires_at, image_url, url, tags, attributes, rating_average, rating_count)
SELECT item_id, title, description, brand, round(price::numeric, 2), round(original_price::numeric, 2),
  round(cost::numeric, 2), availability, trunc(available_quantity::numeric)::integer, available_time::timestamptz,
  expire_time::timestamptz, image_url, url,
  ARRAY(SELECT trim(tag) FROM unnest(string_to_array(tags, '|')) AS tag WHERE trim(tag) <> ''), attributes::jsonb,
  rating_average::numeric::float, trunc(rating_count::numeric)::integer
FROM staged
"""


def bad_categories() -> list[str]:
    """Texts of the stage that are no categories, such as "Shoes >> Running" or one of 300 characters."""
    return [
        text for (text,) in rows("SELECT DISTINCT categories FROM staged WHERE categories IS NOT NULL") if _bad(text)
    ]


def rule_values(header: Header, *, currency: str) -> dict[str, object]:
    return {
        "currency": currency,
        "availabilities": list(Availability),
        "bad_categories": bad_categories(),
        "gives_start": "available_time" in header.places,
        "gives_end": "expire_time" in header.places,
    }


def given(header: Header) -> list[str]:
    """The catalogue's names of the columns that the file has."""
    return [OURS.get(name, name) for name in header.places if name not in NOT_STORED]


def make_ready() -> None:
    run(READY)


def links(header: Header) -> bytes | None:
    """CSV of shop id and category key for ``item_merge.merge_ready``; categories that are missing are made."""
    if "categories" not in header.places:
        return None
    filed = rows("SELECT item_id, categories FROM staged WHERE categories IS NOT NULL")
    keys = category_keys({path for _, text in filed for path in _paths(text)})
    buffer = io.StringIO()
    csv.writer(buffer).writerows((item, keys[path]) for item, text in filed for path in set(_paths(text)))
    return buffer.getvalue().encode()


def _paths(text: str) -> list[str]:
    """``Shoes > Running | Sale`` → two paths in our spelling."""
    return [PATH_SEPARATOR.join(level.strip() for level in path.split(">")) for path in text.split("|") if path.strip()]


def _bad(text: str) -> bool:
    paths = _paths(text)
    levels: Iterable[str] = (level for path in paths for level in path.split(PATH_SEPARATOR))
    return any(len(path) > LONGEST_PATH for path in paths) or any(
        not 0 < len(level) <= LONGEST_LEVEL for level in levels
    )
