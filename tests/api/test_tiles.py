"""The drawn picture of an item: small, readable, harmless whatever the title holds."""

import re
import struct
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as Tree

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.api.pictures.choice import Appearance, appearance_of, emblems, names
from recommendations.api.pictures.packs import PALETTE, packs
from recommendations.api.tiles import SIDE, draw_tile, paint_tile, papers_of, title_lines
from recommendations.models import Category, Item
from recommendations.services.catalogue.editing import TileFacts
from tests.contrast import contrast, luminance

SVG = "{http://www.w3.org/2000/svg}"
DRAWS = {"svg", "title", "path", "g", "text", "circle", "ellipse", "defs", "use"}


def facts(title: str = "White milk", *, brand: str = "", path: str = "GROCERY") -> TileFacts:
    return TileFacts(title=title, brand=brand, path=path)


def texts(tile: bytes) -> list[str]:
    return [element.text or "" for element in Tree.fromstring(tile).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("title", "appearance"),
    [
        ("Low-Fat White Milk, 1 gal", Appearance("carton", "cow-face")),
        ("Bananas", Appearance("loose", "banana")),
        ("Strawberry Yogurt, light, 6 oz", Appearance("tub", "strawberry")),  # a flavour is shown in place of the plain
        ("Yogurt", Appearance("tub", "blueberries")),
        ("Peanut Butter", Appearance("jar", "peanuts")),
        ("Peanut Butter Crackers", Appearance("box", "peanuts")),  # the last words name the thing
        ("Sour Cream and Onion Potato Chips", Appearance("bag", "onion")),
        ("Lean Ground Beef, 1 lb", Appearance("tray", "hamburger")),
        ("Canned Cat Food, in gravy", Appearance("tin", "cat-face")),
        ("Cherries, from the tree", Appearance("pile", "cherries")),
        ("Red summer dress", Appearance("loose", "dress")),
        ("Something, of chocolate", Appearance("wrapper", "chocolate-bar")),  # after the comma only where it must be
    ],
)
def test_a_title_says_what_an_item_looks_like(title: str, appearance: Appearance) -> None:
    assert appearance_of(title, path="") == appearance


def test_the_category_says_it_where_the_title_does_not() -> None:
    assert appearance_of("Grandma's best", path="PASTRY > PIES") == Appearance("loose", "pie")
    assert appearance_of("Grandma's best", path="红色") is None


def test_every_pack_and_picture_of_the_tables_is_there() -> None:
    assert names() == emblems().keys()
    for words in ("milk", "eggs", "apple", "t-shirt"):
        look = appearance_of(words, path="")
        assert look is not None
        assert look.pack in packs()


@pytest.mark.parametrize(("kind", "words"), [("film", "M54 36"), ("track", "M20 50"), ("article", "M42 50")])
def test_what_is_no_goods_is_drawn_as_what_it_is_whatever_its_title_names(kind: str, words: str) -> None:
    titled = replace(facts("The Milk Bottle Thief"), kind=kind)
    tile = draw_tile(titled)
    assert words in tile.decode()
    assert texts(tile) == ["The Milk", "Bottle Thief"]
    assert texts(draw_tile(facts("The Milk Bottle"))) == []
    longest = draw_tile(replace(titled, title="Wonderfully " * 20))
    assert (len(texts(longest)), len(longest) < 5_000) == (4, True)
    assert {element.tag.removeprefix(SVG) for element in Tree.fromstring(tile).iter()} <= DRAWS
    assert paint_tile(titled).startswith(b"\x89PNG")


def test_varieties_of_a_brand_do_not_look_alike_and_sizes_do() -> None:
    milks = [draw_tile(facts(f"Acme {kind} Milk", brand="Acme")) for kind in ("Whole", "Low-Fat", "Organic", "Skim")]
    colours = {re.findall(rb"#[0-9a-f]{6}", milk)[2] for milk in milks}
    assert len(colours) > 1
    one, other = (draw_tile(facts(f"Acme Milk, {size}")).partition(b"</title>")[2] for size in ("1 gal", "1 pt"))
    assert one == other


def test_a_pack_bears_its_brand_and_the_whole_title_for_screen_readers() -> None:
    tile = draw_tile(facts("Acme White Milk, 1 gal", brand="Acme"))
    root = Tree.fromstring(tile)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Acme White Milk, 1 gal"
    assert texts(tile) == ["Acme"]
    assert texts(draw_tile(facts("White Milk", brand="A brand that is too long for any pack of milk"))) == []


def test_what_no_picture_fits_is_a_box_with_the_first_words() -> None:
    assert texts(draw_tile(facts("Zq thing of wonder and more", brand="Acme", path=""))) == [
        "Acme", "Zq thing of", "wonder and", "more",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Milk", ["Milk"]),
        ("Some very long words that take more lines", ["Some very", "long words", "that take", "more lines"]),
        ("Pneumonoultramicroscopicsilicovolcanoconiosis", ["Pneumonoult…"]),
        ("红色跑步鞋夏季透气网面运动鞋", ["红色跑步鞋…"]),
        ("", []),
        ("   ", []),
    ],
)
def test_the_title_fits_on_four_lines(title: str, lines: list[str]) -> None:
    assert title_lines(title) == lines


@pytest.mark.parametrize("colours", PALETTE)
def test_white_text_is_read_on_every_pack(colours: tuple[str, str, str]) -> None:
    for ground in colours[:2]:
        assert contrast("#ffffff", ground) >= 4.5


@settings(max_examples=200)
@given(st.text())
def test_the_paper_of_every_category_is_light(path: str) -> None:
    assert all(luminance(colour) > 0.5 for colour in papers_of(path))


@settings(max_examples=300)
@given(title=st.text(max_size=300), brand=st.text(max_size=50), path=st.text())
def test_any_text_gives_a_small_picture_that_only_draws(title: str, brand: str, path: str) -> None:
    tile = draw_tile(facts(title, brand=brand, path=path))
    assert len(tile) < 5_000
    assert {element.tag.removeprefix(SVG) for element in Tree.fromstring(tile).iter()} <= DRAWS


def test_every_picture_only_draws() -> None:
    for shape in emblems().values():
        root = Tree.fromstring(f"<svg>{shape}</svg>")
        assert {element.tag for element in root.iter()} <= DRAWS
        links = [element.get("href") for element in root.iter() if element.get("href")]
        assert all(link and link.startswith("#") for link in links)


def test_markup_in_a_title_is_text() -> None:
    tile = draw_tile(facts('<script>alert("x")</script>', brand="</text><script/>", path=""))
    assert b"<script" not in tile


@pytest.mark.django_db
@pytest.mark.parametrize("shop_id", ["A/1 é", "\n", "A\r\n1\u2028"])
def test_a_tile_is_public_and_cacheable(shop_id: str) -> None:
    item = Item.objects.create(shop_id=shop_id, title="Beef", brand="Acme")
    item.categories.add(Category.objects.create(path="MEAT > BEEF", name="Beef"))
    answer = Client().get(reverse("item-tile", args=[item.shop_id]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer["Cache-Control"] == "public, max-age=604800"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies
    assert answer.content == draw_tile(facts("Beef", brand="Acme", path="MEAT > BEEF"))


@pytest.mark.django_db
@pytest.mark.parametrize("shop_id", ["none", "a/../b", "\x00"])
def test_an_unknown_item_has_no_picture(shop_id: str) -> None:
    answer = Client().get(reverse("item-tile", args=[shop_id]))
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.django_db
def test_what_is_not_sold_yet_is_a_box_with_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    begins = timezone.now() + timedelta(hours=1)
    Item.objects.create(shop_id="A/1", title="Next year's phone", brand="Acme", available_at=begins)
    address = reverse("item-tile", args=["A/1"])
    before = Client().get(address)
    assert before.content == draw_tile(facts("A/1", path=""))
    assert 3_500 < int(before["Cache-Control"].removeprefix("public, max-age=")) <= 3_600
    monkeypatch.setattr(timezone, "now", lambda: begins)
    after = Client().get(address)
    assert after.content == draw_tile(facts("Next year's phone", brand="Acme", path=""))
    assert after["Cache-Control"] == "public, max-age=604800"


@pytest.mark.django_db
def test_mails_get_the_picture_as_png() -> None:
    Item.objects.create(shop_id="A/1", title="Ground coffee", brand="Acme & <Co>")
    answer = Client().get(reverse("item-tile-png", args=["A/1"]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Cache-Control"] == "public, max-age=604800"
    assert answer.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", answer.content[16:24]) == (SIDE, SIDE)
    assert len(answer.content) < 40_000
    assert Client().get(reverse("item-tile-png", args=["none"])).status_code == 404


@settings(max_examples=30, deadline=None)
@given(title=st.text(max_size=300), brand=st.text(max_size=60))
def test_every_title_can_be_painted(title: str, brand: str) -> None:
    assert paint_tile(facts(title, brand=brand)).startswith(b"\x89PNG")
