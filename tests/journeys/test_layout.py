"""What is laid out beside one another stays apart: texts of charts, the lines of the frame, names that are long."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from recommendations.event_types import EventName
from recommendations.models import Customer, Item, Staff
from recommendations.store.events.pseudonyms import pseudonym
from tests.analytics import records
from tests.journeys.conftest import EMAIL, Visitor, committed

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)

WIDTHS = [1440, 390]
LONG = "merchandiser-of-the-whole-shop-in-town@example.com"
BOXES = """(places) => places.map((place) => { const { left, right, top, bottom } = place.getBoundingClientRect();
  return [left, top, right, bottom]; }).filter(([left, , right]) => right > left)"""
MARKS = """(place) => { const traces = place.querySelectorAll(".scatterlayer .trace");
  return place._fullData.flatMap((trace, at) => trace.meta?.label ? [...traces[at].querySelectorAll(".point")] : [])
    .map((mark) => { const { left, right, top, bottom } = mark.getBoundingClientRect();
      return [left, top, right, bottom]; }); }"""
"""Boxes of the marks that have a text."""
LINES = """(each) => { const text = document.createRange(); text.selectNodeContents(each.firstChild);
  return new Set([...text.getClientRects()].map(({ top }) => Math.round(top))).size; }"""
"""How many lines the first text of an element takes."""
FITS = """(each) => each.scrollWidth <= each.clientWidth
  || (getComputedStyle(each).textOverflow === "ellipsis" && each.title.startsWith(each.innerText.split("\\n")[0]))"""
"""Whether it is whole, or cut where it is seen to be, and told by the mouse."""

type Box = list[float]
"""Left, top, right and bottom, in pixels."""


def boxes(found: Locator) -> list[Box]:
    """Of each that can be seen."""
    return list(found.evaluate_all(BOXES))


def apart(one: Box, other: Box) -> bool:
    """Whether they share at most the pixel or two that the box of a letter leaves free."""
    return any(one[side + 2] <= other[side] + 2 or other[side + 2] <= one[side] + 2 for side in (0, 1))


def crossings(these: list[Box], those: list[Box] | None = None) -> list[tuple[Box, Box]]:
    """Pairs that lie on one another: among themselves, or of these with those."""
    pairs = [(one, other) for at, one in enumerate(these) for other in (those or these[at + 1 :])]
    return [(one, other) for one, other in pairs if not apart(one, other)]


@pytest.fixture
def ada(window: Callable[..., Visitor]) -> Callable[[int], Visitor]:
    """Ada in a window of this width."""
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme="light", language="en"))

    def make(width: int) -> Visitor:
        visitor = window(width=width)
        visitor.log_in()
        return visitor

    return make


@pytest.fixture
def nameless(ada: Callable[[int], Visitor]) -> Iterator[Visitor]:
    """Ada without a name, and with a long address."""
    visitor = ada(1440)
    committed(lambda: Staff.objects.filter(email=EMAIL).update(name="", email=LONG))
    yield visitor
    committed(lambda: Staff.objects.filter(email=LONG).update(name="Ada Lind", email=EMAIL))


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_beside_the_bars_of_what_is_lost_stand_apart(ada: Callable[[int], Visitor], width: int) -> None:
    visitor = ada(width)
    visitor.visit("/weights/?load=preset#more-weights")
    chart = visitor.page.locator("#worth-chart")
    expect(chart.locator(".textpoint text")).not_to_have_count(0)  # the slower answer brings them
    numbers = boxes(chart.locator(".textpoint text"))
    names = boxes(chart.locator(".ytick text, .xtick text"))
    assert len(numbers) == len(boxes(chart.locator(".ytick text"))) > 2
    assert crossings(numbers + names) == []
    right = boxes(chart)[0][2]
    assert [box for box in numbers if box[2] > right] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_legend_of_what_came_in_is_lower_than_its_bars(ada: Callable[[int], Visitor], width: int) -> None:
    who, tea = Customer.objects.get(pseudonym=pseudonym("u3")), Item.objects.get(shop_id="tea-0")
    committed(lambda: [records.event(who, tea, days_ago=3, name=name) for name in EventName])
    visitor = ada(width)
    visitor.visit("/events/?from=2026-09-01&until=2026-09-15")
    chart = visitor.page.locator("#arrivals-chart")
    [legend], [bars] = boxes(chart.locator(".infolayer > .legend .bg")), boxes(chart.locator(".nsewdrag"))
    assert 2 <= len(boxes(chart.locator(".legendtext"))) <= 6
    assert legend[3] - legend[1] < (bars[3] - bars[1]) / 2
    assert apart(legend, bars)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("address", "chart"), [("/segments/", "#map"), ("/segments/together/", "#network")])
def test_texts_of_maps_run_into_no_mark(ada: Callable[[int], Visitor], address: str, chart: str, width: int) -> None:
    visitor = ada(width)
    visitor.visit(address)
    place = visitor.page.locator(chart)
    texts, marks = boxes(place.locator(".textpoint text")), place.evaluate(MARKS)
    assert len(texts) > 2
    assert len(marks) >= len(texts)
    assert crossings(texts) == []
    assert crossings(texts, marks) == []
    looks = place.locator(".textpoint text").first.evaluate("(text) => getComputedStyle(text).paintOrder")
    assert looks.startswith("stroke")  # over the dots and lines that a text cannot leave


def test_a_long_address_breaks_neither_in_the_rail_nor_in_the_list_of_rules(nameless: Visitor) -> None:
    nameless.visit("/rules/")
    owners = nameless.page.locator(".owner-cell").filter(has_text=LONG.partition("@")[0])
    assert owners.count() == 2
    for place in (nameless.page.locator(".rail .who strong"), owners.first):
        assert place.evaluate(LINES) == 1
        assert place.evaluate(FITS)


@pytest.mark.parametrize("width", [*WIDTHS, 1024])
def test_the_bar_at_the_top_and_the_placements_take_a_line_each(ada: Callable[[int], Visitor], width: int) -> None:
    visitor = ada(width)
    code = Customer.objects.get(pseudonym=pseudonym("u3")).code
    for placement in ("home", "email"):
        visitor.visit(f"/customers/{code}/?placement={placement}")
        tabs = visitor.page.get_by_role("navigation", name="Placement", exact=True)
        lines = [boxes(visitor.page.locator(".topbar > *")), boxes(tabs.locator("> a, > details > summary"))]
        for line in lines:
            assert len(line) > 2
            assert max(top for _, top, _, _ in line) < min((top + bottom) / 2 for _, top, _, bottom in line)
            assert crossings(line) == []
            assert line[-1][2] <= width
    tabs.locator("summary").click()
    assert tabs.locator(".menu-body a").count() == tabs.locator("> a").count() > 7
