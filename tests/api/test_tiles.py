"""The drawn picture of an item: small, readable, harmless whatever the title holds."""

import colorsys
from xml.etree import ElementTree as Tree

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.api.tiles import BASKET, ICONS, colours_of, contrast, draw_tile, icon_of, title_lines
from recommendations.models import Category, Item
from recommendations.services.catalogue.editing import TileFacts

SVG = "{http://www.w3.org/2000/svg}"


def facts(title: str = "White milk", *, brand: str = "", department: str = "GROCERY", size: str = "") -> TileFacts:
    return TileFacts(title=title, brand=brand, department=department, size=size)


def texts(tile: bytes) -> list[str]:
    return [element.text or "" for element in Tree.fromstring(tile).iter(f"{SVG}text")]


def test_a_tile_shows_the_first_words_and_the_size() -> None:
    milk = facts("White milk from happy cows, 1 gal, store brand #1029743", size="1 gal", brand="Store brand")
    assert texts(draw_tile(milk)) == ["White milk from", "happy cows", "1 gal"]
    assert texts(draw_tile(facts("Shampoo, Acme #7", brand="Acme"))) == ["Shampoo"]


def test_a_tile_has_the_whole_title_for_screen_readers() -> None:
    root = Tree.fromstring(draw_tile(facts("White milk, 1 gal, store brand #1029743", size="1 gal")))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "White milk, 1 gal, store brand #1029743"


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Milk", ["Milk"]),
        ("Soft drinks, cans and bottles and more", ["Soft drinks, cans", "and bottles and …"]),
        ("Pneumonoultramicroscopicsilicovolcanoconiosis", ["Pneumonoultramicr…"]),
        ("红色跑步鞋夏季透气网面运动鞋", ["红色跑步鞋夏季透…"]),
        ("", []),
        ("   ", []),
    ],
)
def test_the_title_fits_on_two_lines(title: str, lines: list[str]) -> None:
    assert title_lines(title) == lines


def test_departments_have_their_icons() -> None:
    assert icon_of("MEAT-PCKGD") == icon_of("Butcher's meat") != BASKET
    assert icon_of("SEAFOOD") == icon_of("Fresh fish")
    assert icon_of("Something else") == BASKET
    assert len(set(ICONS.values())) == len(ICONS)


@settings(max_examples=300)
@given(st.text())
def test_the_colours_of_every_department_are_legible(department: str) -> None:
    def parts(colour: str) -> tuple[float, float, float]:
        red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        return red, green, blue

    colours = colours_of(department)
    assert contrast(parts(colours.paper), parts(colours.ink)) >= 6.9  # 7, rounded to 256 steps
    assert colorsys.rgb_to_hls(*parts(colours.paper))[1] > 0.85


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((1, 1, 1), (1, 1, 1)) == pytest.approx(1)
    grey = 0x76 / 255  # the lightest grey with 4.5 on white
    assert contrast((1, 1, 1), (grey, grey, grey)) == pytest.approx(4.54, abs=0.01)


@settings(max_examples=300)
@given(title=st.text(max_size=300), brand=st.text(max_size=50), department=st.text(), size=st.text(max_size=100))
def test_any_text_gives_a_small_picture_that_only_draws(title: str, brand: str, department: str, size: str) -> None:
    tile = draw_tile(facts(title, brand=brand, department=department, size=size))
    assert len(tile) < 2_048
    names = {element.tag.removeprefix(SVG) for element in Tree.fromstring(tile).iter()}
    assert names <= {"svg", "title", "rect", "path", "g", "text"}


def test_markup_in_a_title_is_text() -> None:
    tile = draw_tile(facts('<script>alert("x")</script>', size="</text><script/>"))
    assert b"<script" not in tile
    assert texts(tile)[0].startswith("<script>")


@pytest.mark.django_db
@pytest.mark.parametrize("shop_id", ["A/1 é", "\n", "A\r\n1\u2028"])
def test_a_tile_is_public_and_cacheable(shop_id: str) -> None:
    item = Item.objects.create(shop_id=shop_id, title="Beef", attributes={"size": "1 lb"})
    item.categories.add(Category.objects.create(path="MEAT > BEEF", name="Beef"))
    answer = Client().get(reverse("item-tile", args=[item.shop_id]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer["Cache-Control"] == "public, max-age=604800"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies
    assert answer.content == draw_tile(facts("Beef", department="MEAT", size="1 lb"))


@pytest.mark.django_db
@pytest.mark.parametrize("shop_id", ["none", "a/../b", "\x00"])
def test_an_unknown_item_has_no_picture(shop_id: str) -> None:
    answer = Client().get(reverse("item-tile", args=[shop_id]))
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
