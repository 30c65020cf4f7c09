"""Each format into the catalogue: what its public specification means in our words."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recommendations.ingest.import_files import import_items
from recommendations.models import Import, Item
from recommendations.store.serving.stock import load_stock
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"
FIELDS = (
    "shop_id", "title", "description", "brand", "price", "original_price", "cost", "availability",
    "available_quantity", "image_url", "url", "tags", "attributes", "parent__shop_id", "rating_average", "rating_count",
)  # fmt: skip


def load(path: Path, **more: Any) -> Import:
    return import_items(path, now=NOW, report=silent, **more)


def catalogue() -> dict[str, dict[str, Any]]:
    items = {row["shop_id"]: row for row in Item.objects.order_by("shop_id").values(*FIELDS)}
    for item in Item.objects.prefetch_related("categories"):
        items[item.shop_id]["categories"] = sorted(category.path for category in item.categories.all())
    return items


def tee(size: str, **more: Any) -> dict[str, Any]:
    return {
        "shop_id": f"TEE-R-{size}", "title": f"Linen tee, red, {size}", "description": "A light tee.", "brand": "Acme",
        "original_price": None, "cost": None, "available_quantity": None,
        "image_url": "https://shop.example/i/tee-red.jpg", "tags": [], "categories": ["Clothing > Tees"],
        "rating_average": None, "rating_count": None,
    } | more  # fmt: skip


def shirt(size: str, gtin: str, number: int) -> dict[str, str]:
    return {"condition": "new", "color": "red", "size": size, "gtin": gtin, "mpn": f"T-{number}"}


GOOGLE = {
    "MUG": {
        "shop_id": "MUG", "title": "Mug", "description": "Holds tea.", "brand": "Potter & Co", "price": Decimal(12),
        "original_price": None, "cost": None, "availability": "preorder", "available_quantity": None,
        "image_url": "https://shop.example/i/mug.jpg", "url": "https://shop.example/mug", "tags": [],
        "attributes": {"condition": "used"}, "parent__shop_id": None, "rating_average": None, "rating_count": None,
        "categories": ["Home & Garden > Kitchen & Dining > Tableware > Drinkware > Mugs"],
    },
    # Its sale is in October, and it is September.
    "TEE-R-L": tee(
        "L", price=Decimal("39.99"), availability="out_of_stock", url="https://shop.example/tee?v=2",
        attributes=shirt("L", "9506000134369", 2), parent__shop_id="TEE-R-M",
    ),
    "TEE-R-M": tee(
        "M", price=Decimal("29.99"), original_price=Decimal("39.99"), availability="in_stock",
        url="https://shop.example/tee?v=1", attributes=shirt("M", "9506000134352", 1), parent__shop_id=None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ["google.tsv", "google_rss.xml", "google_atom.xml", "products.json"])
def test_googles_product_data_are_the_same_in_every_format(name: str) -> None:
    imported = load(FIXTURES / name)
    assert (imported.rows, imported.kept, imported.rejected) == (3, 3, 0)
    assert catalogue() == GOOGLE
    again = load(FIXTURES / name)
    assert (again.kept, again.duplicates) == (0, 3)


@pytest.mark.parametrize("availability", ["preorder", "backorder"])
def test_what_is_sent_later_is_for_sale_today(tmp_path: Path, availability: str) -> None:
    """Google's date says when a pre-order ships."""
    feed = "id\ttitle\tavailability\tavailability_date\nA1\tShoe\t{}\t2026-12-01T00:00:00Z\n"
    (tmp_path / "feed.tsv").write_text(feed.format(availability))
    assert load(tmp_path / "feed.tsv").kept == 1
    item = Item.objects.get()
    assert (item.availability, item.available_at) == (availability, None)
    assert item.attributes == {"availability_date": "2026-12-01T00:00:00Z"}
    assert load_stock().sellable(NOW).tolist() == [True]


def test_an_import_says_what_it_took_each_column_for() -> None:
    renamed, ignored = load(FIXTURES / "google.tsv").message.split("\n")
    assert "“id → item_id”" in renamed
    assert "“sale price, price → price”" in renamed
    assert "“product_type, google_product_category → categories”" in renamed
    assert ignored == "Columns that are ignored: “shipping”, “additional_image_link”."


@pytest.mark.parametrize("name", ["shopify_classic.csv", "shopify_now.csv"])
def test_shopifys_rows_are_folded_into_variants(name: str) -> None:
    imported = load(FIXTURES / name)
    assert (imported.rows, imported.kept, imported.rejected) == (4, 4, 0)
    items = catalogue()
    assert items.keys() == {"TEE-R-M", "TEE-R-L", "mug", "OLD"}
    shared = {
        "title": "Linen tee", "description": "A light tee. Washes well & dries fast.", "brand": "Acme",
        "categories": ["Tees"], "tags": ["summer", "linen"], "url": "/products/linen-tee",
        "rating_average": None, "rating_count": None,
    }  # fmt: skip
    assert items["TEE-R-M"] == shared | {
        "shop_id": "TEE-R-M", "price": Decimal("29.99"), "original_price": Decimal("39.99"), "cost": Decimal("11.50"),
        "availability": "in_stock", "available_quantity": 7, "image_url": "https://cdn.shopify.example/tee-red.jpg",
        "attributes": {"color": "Red", "size": "M", "gtin": "9506000134352"}, "parent__shop_id": None,
    }  # fmt: skip
    assert items["TEE-R-L"] == shared | {
        "shop_id": "TEE-R-L", "price": Decimal("39.99"), "original_price": None, "cost": None,  # 0.00 is none
        "availability": "backorder", "available_quantity": 0, "image_url": "https://cdn.shopify.example/tee.jpg",
        "attributes": {"color": "Red", "size": "L"}, "parent__shop_id": "TEE-R-M",
    }  # fmt: skip
    mug = items["mug"]  # without a SKU, and nobody counts its stock
    assert (mug["price"], mug["availability"], mug["available_quantity"]) == (Decimal(12), "in_stock", None)
    assert (mug["attributes"], mug["parent__shop_id"]) == ({}, None)
    assert mug["categories"] == ["Home & Garden > Kitchen & Dining > Tableware"]
    assert items["OLD"]["availability"] == "out_of_stock"  # a draft is not for sale


@pytest.mark.parametrize("name", ["google_rss_1.xml", "google_atom_03.xml", "google_commented.xml"])
def test_googles_older_formats_say_the_same(name: str) -> None:
    imported = load(FIXTURES / name)
    assert (imported.rows, imported.kept, imported.rejected) == (1, 1, 0)
    assert catalogue()["JUMPER"] == {
        "shop_id": "JUMPER", "title": "Green wool jumper", "description": "Soft, and warm in winter.", "brand": "",
        "price": Decimal(25), "original_price": None, "cost": None, "availability": "in_stock",
        "available_quantity": None, "image_url": "https://shop.example/i/jumper.jpg",
        "url": "https://shop.example/jumper", "tags": [], "attributes": {"condition": "new"}, "parent__shop_id": None,
        "rating_average": None, "rating_count": None, "categories": [],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["shopify_template.csv", "shopify_template_now.csv"])
def test_shopifys_template_is_read_with_its_columns_for_google(name: str) -> None:
    imported = load(FIXTURES / name)
    assert (imported.rows, imported.kept, imported.rejected) == (5, 5, 0)
    items = catalogue()
    assert items.keys() == {"TEE_R_S", "TEE_R_M", "TEE_G_S", "JEANS_28", "HAT_G"}
    for_all = {"gender": "male", "age_group": "adult", "condition": "new", "custom_label_0": "summer"}
    assert items["TEE_R_S"]["attributes"] == for_all | {
        "color": "Red", "size": "S", "gtin": "9506000134352", "mpn": "T-1",
    }  # fmt: skip
    assert items["TEE_G_S"]["attributes"] == for_all | {"color": "Gray", "size": "S"}  # the number is another's
    assert (items["TEE_G_S"]["availability"], items["TEE_G_S"]["available_quantity"]) == ("in_stock", None)
    assert items["TEE_R_M"]["image_url"] == "https://cdn.shopify.example/red.jpg?width=1500"
    jeans = items["JEANS_28"]
    assert (jeans["price"], jeans["original_price"]) == (95, None)  # what it costs less than is no former price
    assert (jeans["availability"], jeans["cost"]) == ("out_of_stock", 50)
    assert jeans["categories"] == ["Apparel & Accessories > Clothing > Pants > Jeans"]
    assert (items["HAT_G"]["price"], items["HAT_G"]["original_price"]) == (Decimal("17.99"), Decimal("22.99"))


def test_attributes_may_be_columns_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(
        'item_id,title,attributes,attributes.colour,size\nA1,Shoe,"{""size"": 42}",red,43\nA2,Boot,[],blue,\n'
    )
    imported = load(path)
    assert (imported.kept, imported.reasons) == (1, {"not_an_object": 1})
    assert Item.objects.get().attributes == {"size": 42, "colour": "red"}  # the object knows better
    assert "“attributes, colour, size → attributes”" in imported.message


def test_json_lines_in_our_own_words() -> None:
    imported = load(FIXTURES / "products.jsonl")
    assert (imported.rows, imported.kept) == (3, 3)
    items = catalogue()
    assert items["TEE-R-M"] | {"description": "", "brand": ""} == items["TEE-R-M"]
    assert (items["TEE-R-M"]["categories"], items["TEE-R-M"]["tags"]) == (
        ["Clothing > Tees", "Sale"],
        ["red", "summer"],
    )
    assert items["TEE-R-M"]["attributes"] == {"size": "M", "washes": 30}
    assert (items["TEE-R-M"]["rating_average"], items["TEE-R-M"]["rating_count"]) == (4.6, 31)
    assert items["TEE-R-L"]["parent__shop_id"] == "TEE-R-M"
    assert items["MUG"]["title"] == "Mug ☕"


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("https://s.example/p?utm_source=google&id=7&UTM_Medium=cpc&gclid=x&srsltid=y", "https://s.example/p?id=7"),
        ("https://s.example/p?srsltid=y#sizes", "https://s.example/p#sizes"),
        ("https://s.example/p?q=a%20b&c&d=&utm=1", "https://s.example/p?q=a%20b&c&d=&utm=1"),
        ("https://s.example/p?variant=1;2", "https://s.example/p?variant=1;2"),
    ],
)
def test_a_feeds_address_is_without_marks_of_advertising(tmp_path: Path, given: str, held: str) -> None:
    """A click on a recommendation would count as paid traffic; a column of our own name stays as it is."""
    file = tmp_path / "feed.csv"
    file.write_text(f"id,title,link\nA,Shoe,{given}\n")
    load(file)
    assert Item.objects.get().url == held
    file.write_text(f"item_id,title,url\nA,Shoe,{given}\n")
    load(file)
    assert Item.objects.get().url == given
