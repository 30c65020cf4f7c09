"""Shopify's product file: the first row of a handle has what its variants share; each of these becomes an item."""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation

from recommendations.ingest.feeds.mapping import RawRow
from recommendations.ingest.feeds.synonyms import ATTRIBUTE, plain_name
from recommendations.ingest.feeds.values import plain_text
from recommendations.store.imports.csv_rows import FileRow
from recommendations.store.imports.table_files import Table

OPTIONS = (1, 2, 3)
MAPS: Mapping[str, str] = {"Type": "categories"}
"""What a column means in these files alone."""
HANDLES = frozenset({"handle", "url_handle"})
ONLY_VARIANT = "Default Title"
PUBLISHED = ("published", "published_on_online_store")
PICTURES = ("image_src", "product_image_url")
ID, GROUP, PAGE = "item_id", "item_group_id", "url"


def is_shopify(columns: Collection[str]) -> bool:
    names = {plain_name(name) for name in columns}
    return bool(names & HANDLES) and "option1_value" in names


class ShopifyRows:
    """Variants of an open file; rows that add only a picture to a product are none."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = {plain_name(name): name for name in table.columns}
        self._product: dict[str, str] = {}
        self._handle = ""

    def columns(self) -> list[str]:
        """Names of the fields that the rows have, those of options but for their names."""
        left_out = {self._names.get(name) for name in _OF_FOLDING}
        return [*(name for name in self._table.columns if name not in left_out), ID, GROUP, PAGE, "availability"]

    def rows(self) -> Iterator[RawRow | FileRow]:
        for row in self._table:
            if row.fault:
                yield row
                continue
            given = {name: text for name, text in zip(self._table.columns, row.values, strict=True) if text}
            self._begin(given)
            if self._is_variant(given):
                yield RawRow(row.line, self._variant(given))

    def _begin(self, given: dict[str, str]) -> None:
        handle = self._of(given, *HANDLES)
        if handle != self._handle:
            self._handle, self._product = handle, dict(given)

    def _is_variant(self, given: dict[str, str]) -> bool:
        names = ("option1_value", "variant_sku", "sku", "variant_price", "price")
        return any(self._names.get(name) in given for name in names)

    def _variant(self, given: dict[str, str]) -> dict[str, str]:
        own = {name: text for name, text in self._product.items() if plain_name(name) not in _OF_VARIANT} | given
        fields = {name: text for name, text in own.items() if plain_name(name) not in _OF_FOLDING}
        options = self._options(given)
        fields |= {f"{ATTRIBUTE}{name}": value for name, value in options.items()}
        sku = self._of(given, "variant_sku", "sku")
        handle = self._handle
        fields[ID] = sku or "/".join([handle, *options.values()])
        if handle:
            fields[GROUP], fields[PAGE] = handle, f"/products/{handle}"
        if (body := self._names.get("body_html") or self._names.get("description")) in fields:
            fields[str(body)] = plain_text(fields[str(body)])
        if tags := self._names.get("tags"):
            fields[tags] = "|".join(tag.strip() for tag in own.get(tags, "").split(","))
        self._set_picture(fields)
        self._set_prices(fields)
        self._set_stock(fields, own)
        return fields

    def _options(self, given: Mapping[str, str]) -> dict[str, str]:
        """Name → value; the names stand in the first row of a handle alone."""
        options = {}
        for number in OPTIONS:
            name = self._of(self._product, f"option{number}_name")
            value = self._of(given, f"option{number}_value")
            if name and value and value != ONLY_VARIANT:
                options[plain_name(name) or name] = value
        return options

    def _set_picture(self, fields: dict[str, str]) -> None:
        """Show the variant's own picture, else the product's first: that of the row is any other one."""
        for name in PICTURES:
            column = self._names.get(name)
            if column and column in self._product:
                fields[column] = self._product[column]
            elif column:
                fields.pop(column, None)

    def _set_prices(self, fields: dict[str, str]) -> None:
        """Leave out a former price that is none: Shopify writes 0.00, and shows none that is not above the price."""
        price = _number(self._of(fields, "variant_price", "price"))
        for name in ("variant_compare_at_price", "compare_at_price"):
            former = _number(fields.get(column := self._names.get(name, ""), ""))
            if former is not None and (not former or (price is not None and former <= price)):
                fields.pop(column)

    def _set_stock(self, fields: dict[str, str], own: Mapping[str, str]) -> None:
        """Say whether it is for sale: what is sold beyond its stock is negative, what nobody counts has none."""
        column = self._names.get("variant_inventory_qty") or self._names.get("inventory_quantity") or ""
        tracked = bool(self._of(own, "variant_inventory_tracker", "inventory_tracker"))
        quantity = fields.get(column, "")
        if not tracked:
            fields.pop(column, None)
        elif quantity.startswith("-") and quantity[1:].isdigit():
            fields[column] = quantity = "0"
        goes_on = self._of(own, "variant_inventory_policy", "continue_selling_when_out_of_stock").lower()
        hidden = self._of(own, *PUBLISHED).lower() == "false" or self._of(own, "status").lower() in {
            "draft",
            "archived",
        }
        if hidden:
            fields["availability"] = "out_of_stock"
        elif tracked and quantity == "0":
            fields["availability"] = "backorder" if goes_on in {"continue", "true"} else "out_of_stock"
        else:
            fields["availability"] = "in_stock"

    def _of(self, given: Mapping[str, str], *names: str) -> str:
        columns = (self._names.get(name, "") for name in names)
        return next((given[column] for column in columns if column in given), "")


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_OF_FOLDING = frozenset({
    *HANDLES, *(f"option{number}_{part}" for number in OPTIONS for part in ("name", "value", "linked_to")),
    "variant_sku", "sku", "variant_inventory_tracker", "inventory_tracker", "variant_inventory_policy",
    "continue_selling_when_out_of_stock", *PUBLISHED, "status",
})  # fmt: skip
"""Columns that are understood here, and are no fields of an item."""
_OF_VARIANT = frozenset({
    "variant_sku", "sku", "variant_price", "price", "variant_compare_at_price", "compare_at_price",
    "variant_inventory_qty", "inventory_quantity", "variant_barcode", "barcode", "variant_image", "variant_image_url",
    "variant_grams", "cost_per_item", "google_shopping_mpn", "google_shopping_manufacturer_part_number_mpn",
    *(f"option{number}_value" for number in OPTIONS), "variant_inventory_tracker", "inventory_tracker",
    "variant_inventory_policy", "continue_selling_when_out_of_stock",
})  # fmt: skip
"""Columns of a variant, which a later row of the handle does not take from the first."""
