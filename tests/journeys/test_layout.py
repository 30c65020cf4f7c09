"""What is laid out beside one another stays apart: texts of charts, the lines of the frame, names that are long."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from recommendations.event_types import EventName
from recommendations.models import Arm, BlendWeights, Customer, Item, Occurrence, PrivacyRequest, Staff
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import ExperimentKind, RunStatus
from tests.analytics import records
from tests.analytics.pages.experiments.drafting import begun, version
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import EMAIL

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
ON_TOP = """(each) => { each.scrollIntoView({ block: "center" });
  const { left, top, width, height } = each.getBoundingClientRect();
  const seen = document.elementFromPoint(left + width / 2, top + height / 2);
  return height > 0 && (seen === each || each.contains(seen)); }"""
"""Whether its middle is seen, once it is scrolled to."""

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


@pytest.fixture
def bandit(site: str) -> Iterator[int]:
    """A bandit of two versions that runs at home."""
    own = committed(
        lambda: begun(
            {"weights": {"home": version(940).pk}}, kind=ExperimentKind.BANDIT, primary="ctr", placement="home",
            name="Which mix",
        )
    )  # fmt: skip
    yield own.pk
    committed(lambda: (own.delete(), BlendWeights.objects.filter(number=940).delete()))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("pinned", [None, 0.3])
def test_nothing_lies_over_a_label_of_the_dialog_of_an_arm(
    ada: Callable[[int], Visitor], bandit: int, width: int, pinned: float | None
) -> None:
    committed(lambda: Arm.objects.filter(experiment=bandit, position=1).update(pinned=pinned))
    visitor = ada(width)
    visitor.visit(f"/experiments/{bandit}/?open=arm&arm=B")
    dialog = visitor.page.get_by_role("dialog")
    texts = dialog.locator("h2, label, .note, .btn")
    assert [texts.nth(at).inner_text() for at in range(texts.count()) if not texts.nth(at).evaluate(ON_TOP)] == []
    assert texts.count() == (10 if pinned is None else 11)
    dialog.get_by_role("link", name="Take B out…").click()
    visitor.page.wait_for_load_state()  # what has no style sheet yet lies nowhere
    dialog = visitor.page.get_by_role("dialog", name="Take B out of “Which mix” for good?")
    expect(dialog).to_contain_text("It cannot be put back.")
    assert dialog.get_by_role("button", name="Take B out", exact=True).evaluate(ON_TOP)
    assert committed(lambda: Arm.objects.get(experiment=bandit, position=1).out_at) is None
    assert visitor.complaints() == []


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


@pytest.fixture
def erased(site: str) -> Iterator[Occurrence]:
    """A sending with a message to somebody whose contact has been erased since."""
    sending = Occurrence.objects.filter(messages__isnull=False).distinct().get()
    before = dict(sending.counts)
    counts = before | {"erased_messages": 1, "erased_taken": 1, "erased_now": 1}
    committed(lambda: Occurrence.objects.filter(pk=sending.pk).update(counts=counts))
    yield sending
    committed(lambda: Occurrence.objects.filter(pk=sending.pk).update(counts=before))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_sending_with_somebody_erased_is_as_wide_as_its_window(
    ada: Callable[[int], Visitor], erased: Occurrence, width: int
) -> None:
    visitor = ada(width)
    visitor.visit(f"/campaigns/{erased.campaign_id}/sendings/{erased.pk}/")
    expect(visitor.page.locator(".sequel-table")).to_contain_text("Contact erased since")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == width
    assert visitor.complaints() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_phone_shows_of_the_agent_what_is_asked_for(ada: Callable[[int], Visitor], width: int) -> None:
    visitor = ada(width)
    visitor.visit("/campaigns/agent/")
    steps, share = visitor.page.locator(".agent-ladder > li:visible"), visitor.page.get_by_label("Acts on, %")
    side = visitor.page.get_by_role("heading", name="With these rules")
    if width == min(WIDTHS):
        expect(steps).to_have_count(2)
        for hidden in (share, side):
            expect(hidden).to_be_hidden()
        visitor.page.get_by_text("Other steps:").click()
        visitor.page.get_by_text("It may vary 5 of 5").click()
    expect(steps).to_have_count(4)
    for shown in (share, side):
        expect(shown).to_be_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == width
    assert visitor.complaints() == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["agent", "learned"])
def test_the_tab_of_a_page_is_in_sight(ada: Callable[[int], Visitor], page: str, width: int) -> None:
    visitor = ada(width)
    visitor.visit(f"/campaigns/{page}/")
    tabs = visitor.page.get_by_role("navigation", name="Campaigns")
    [bar], [tab] = boxes(tabs), boxes(tabs.locator("[aria-current]"))
    assert bar[0] <= tab[0] < tab[2] <= bar[2]


def test_a_step_of_an_erasure_takes_a_line_and_a_place_two(ada: Callable[[int], Visitor]) -> None:
    erasure = PrivacyRequest.objects.filter(kind="erase", status=RunStatus.SUCCEEDED).latest("created_at").pk
    visitor = ada(1440)
    visitor.visit(f"/privacy/{erasure}/")
    steps = visitor.page.locator(".step > span:not(.visually-hidden)")
    assert steps.count() == 8
    assert {each.evaluate(LINES) for each in steps.all()} == {1}
    visitor.page.set_viewport_size({"width": 390, "height": 900})
    rows = boxes(visitor.page.locator(".holder-table tbody tr"))
    assert len(rows) >= 2
    assert [row for row in rows if row[3] - row[1] > 110] == []
