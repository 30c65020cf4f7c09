"""Every page, wide and narrow, light and dark, in both languages: nothing breaks or is blocked, axe is content."""

import os
from collections.abc import Callable

import pytest
from django.conf import settings

from recommendations.models import Staff
from tests.journeys.addresses import addresses
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.furnishing import EMAIL

pytestmark = pytest.mark.django_db  # for the shop that the fixture committed; the tests only read

LOOKS = [(1440, "dark", "zh-hans"), (390, "light", "en")]
"""Both of width, theme and language."""
OTHERS = [(1440, "light", "en"), (390, "dark", "zh-hans"), (1440, "dark", "en"), (390, "light", "zh-hans")]
"""What else is looked at by ``make check FILE=tests/journeys/test_pages.py LOOKS=all``: it takes minutes."""
if os.environ.get("LOOKS") == "all":
    LOOKS += OTHERS
SCREENS = 4
"""Of a phone of 390 × 844 pixels: so long is a page at the most before it asks whether it should go on."""
WIDE = 600
DRAWN_AS_ANOTHER = """() => [...document.querySelectorAll("[data-figure-for]")].some((script) => {
  const drawn = document.getElementById(script.dataset.figureFor)._fullData;
  return JSON.parse(script.textContent).data.some((trace, at) => trace.type !== drawn[at].type);
})"""
"""Plotly draws a type that its bundle lacks as a scatter, and says nothing."""
WIDER_WHEN_UNFOLDED = """() => {
  document.querySelectorAll("details.numbers, details.phone-fold").forEach((each) => { each.open = true; });
  return document.documentElement.scrollWidth - window.innerWidth;
}"""
LEADS_BACK = """() => {
  const next = document.querySelector(".preferences [name=next]").value;
  return new URL(next, location.origin).href === location.href;
}"""
"""Who chooses a language or a theme is on the same page again."""
WORDS = {"en": "Overview", "zh-hans": "概览"}


@pytest.mark.timeout(900)  # some 85 pages
@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_every_page_is_in_order(window: Callable[..., Visitor], width: int, theme: str, language: str) -> None:
    visitor = window(width=width, theme=theme, language=language)
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme=theme, language=language))
    for door in ("/password/", "/password/sent/", "/password/who/token/", "/login/"):
        visitor.visit(door)
        assert visitor.complaints() == [], door
    visitor.log_in()
    visitor.visit("/")
    root = visitor.page.locator("html")
    assert (root.get_attribute("lang"), root.get_attribute("data-bs-theme")) == (language, theme)
    assert WORDS[language] in visitor.page.inner_text("h1")
    for name, address in addresses().items():
        visitor.visit(address)
        assert visitor.complaints() == [], name
        assert not visitor.page.evaluate(DRAWN_AS_ANOTHER), name
        assert visitor.page.evaluate(LEADS_BACK), name
        if width < WIDE:
            assert visitor.page.evaluate("document.documentElement.scrollHeight") <= SCREENS * 844, name
            assert visitor.page.evaluate(WIDER_WHEN_UNFOLDED) <= 0, name


@pytest.mark.parametrize("width", [1440, 390])
def test_texts_of_the_scatter_cover_nothing(window: Callable[..., Visitor], width: int) -> None:
    """Texts stand beside their marks, not on one another; the hybrid's is always there."""
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme="light", language="en"))
    visitor = window(width=width)
    visitor.log_in()
    visitor.visit("/quality/")
    boxes = visitor.page.evaluate(
        """() => [...document.querySelectorAll("#pareto-chart .textpoint text")].filter((each) => each.textContent)
          .map((each) => { const { left, right, top, bottom } = each.getBoundingClientRect();
            return { text: each.textContent, left, right, top: top + 2, bottom: bottom - 2 }; })"""
    )
    assert "Hybrid, as served" in [box["text"] for box in boxes]
    assert [
        (one["text"], other["text"])
        for at, one in enumerate(boxes)
        for other in boxes[at + 1 :]
        if one["left"] < other["right"] and other["left"] < one["right"]
        and one["top"] < other["bottom"] and other["top"] < one["bottom"]
    ] == []  # fmt: skip


@pytest.mark.parametrize("name", ["events", "activity", "suspicious demand", "what a key sent"])
def test_fields_of_filters_stand_in_line(ada: Visitor, name: str) -> None:
    ada.visit(addresses()[name])
    rows = ada.page.evaluate(
        """() => [...document.querySelectorAll(".filters")].map((form) =>
          [...form.querySelectorAll("select, input:not([type=hidden]), .btn")].map((field) => {
            const { top, bottom } = field.getBoundingClientRect(); return [Math.round(top), Math.round(bottom)]; }))"""
    )
    fields = [field for row in rows for field in row]
    assert fields
    for row in rows:
        for top, bottom in row:  # whatever overlaps in height stands in one row, where all begin and end alike
            assert {tuple(other) for other in row if other[0] < bottom and top < other[1]} == {(top, bottom)}


def test_the_stages_of_a_run_have_one_line_each(window: Callable[..., Visitor]) -> None:
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme="light", language="zh-hans"))
    visitor = window(language="zh-hans")
    visitor.log_in()
    visitor.visit(addresses()["run"])
    lines = visitor.page.evaluate(
        """() => [...document.querySelectorAll("[aria-labelledby=stages-title] tbody th")].map((cell) => {
          const text = document.createRange(); text.selectNodeContents(cell);
          return new Set([...text.getClientRects()].map((box) => Math.round(box.top))).size; })"""
    )
    assert len(lines) > 6
    assert set(lines) == {1}


def test_links_of_alerts_are_underlined(ada: Visitor) -> None:
    ada.visit("/")
    alert = '<p class="alert"><a href="/">A link</a></p>'
    ada.page.evaluate("(alert) => document.querySelector('main').insertAdjacentHTML('afterbegin', alert)", alert)
    links = ada.page.locator(".alert a")
    looks = links.evaluate_all("(links) => links.map((link) => getComputedStyle(link).textDecorationLine)")
    assert set(looks) == {"underline"}


def test_charts_follow_the_width_of_the_window_and_keep_their_height(window: Callable[..., Visitor]) -> None:
    visitor = window()
    visitor.log_in()
    visitor.visit("/quality/")
    sizes = """() => [...document.querySelectorAll("[data-figure-for]")].map((script) => {
      const place = document.getElementById(script.dataset.figureFor);
      return [place.clientWidth - place._fullLayout.width, place.clientHeight]; })"""
    before = visitor.page.evaluate(sizes)
    visitor.page.set_viewport_size({"width": 900, "height": 700})
    until(visitor.page, f"() => ({sizes})().every(([gap]) => Math.abs(gap) < 1)")
    assert [height for _, height in visitor.page.evaluate(sizes)] == [height for _, height in before]


def test_the_charts_library_is_the_one_that_the_server_writes_for(window: Callable[..., Visitor]) -> None:
    visitor = window()
    visitor.log_in()
    visitor.visit("/")
    assert visitor.page.evaluate("Plotly.version") == "4.1.1"


def test_an_unknown_address_has_its_page(window: Callable[..., Visitor]) -> None:
    visitor = window(width=390, theme="dark")
    visitor.log_in()
    visitor.visit("/nothing/")
    visitor.problems = [text for text in visitor.problems if "404" not in text]
    assert visitor.complaints() == []
    assert settings.DEBUG is False


@pytest.mark.parametrize("width", [1440, 390])
def test_a_page_is_printed_without_its_controls(window: Callable[..., Visitor], width: int) -> None:
    """On paper there is the page without its controls, and charts are as wide as the paper."""
    visitor = window(width=width)
    visitor.log_in()
    visitor.visit(addresses()["customer"])
    visitor.page.emulate_media(media="print")
    assert not visitor.page.locator(".rail").is_visible()
    assert not visitor.page.locator(".finder").is_visible()
    assert visitor.page.locator(".product").first.is_visible()
