"""What is asked while too many pages are being made comes later: forms, pages, and parts of pages."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, Route, expect

from recommendations.api.lane import Lane
from recommendations.models import Campaign
from recsite import busy, lanes
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

NARROW = 390


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_rule_is_sent_again_from_the_busy_page(
    window: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    visitor = window(width=NARROW, language=language)
    visitor.log_in()
    page = visitor.page
    visitor.visit("/rules/new/?action=boost&strength=60&category=FOOD%20%3E%20WINE&placement=home")
    expect(page.locator("#effect .skeleton")).to_have_count(0)
    page.fill("#name", "Wine & “cheese” <b>")
    with ExitStack() as taken, monkeypatch.context() as patch:
        lane = Lane(at_once=1, waiting=0, seconds=0, retry=2)
        patch.setattr(lanes, "_pages", lane)
        taken.enter_context(lane.entered())
        page.locator(".rule-bar button[value=stay]").click()
        again = page.locator("form[data-again] button")
        expect(again).to_be_visible()
        again.click()  # still too many
        expect(again).to_be_visible()
        assert [each for each in visitor.complaints() if "503" not in each] == []
        page.locator(".rail-toggle").click()
        expect(page.locator(".rail a[href='/customers/']")).to_be_visible()
        page.locator(".rail-toggle").press("Enter")
        expect(page.locator(".rail.is-open")).to_have_count(0)
    again.click()
    expect(page.locator("h1")).to_contain_text("Wine & “cheese” <b>")
    expect(page.locator("#strength")).to_have_value("60")
    expect(page.locator("#kept-notice")).to_be_hidden()
    visitor.visit("/rules/new/")
    expect(page.locator("#name")).to_have_value("")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    """Parts of pages find no room until this is closed; whole pages do."""
    monkeypatch.setattr(lanes, "_parts", lane := Lane(at_once=1, waiting=0, seconds=0, retry=2))
    monkeypatch.setattr(busy, "RETRY_SECONDS", 2)
    with ExitStack() as taken:
        taken.enter_context(lane.entered())
        yield taken


@pytest.fixture
def editor(ada: Visitor) -> str:
    return f"/campaigns/{committed(lambda: Campaign.objects.get(name='Left in the cart').pk)}/edit/"


def unexpected(visitor: Visitor) -> list[str]:
    return [each for each in visitor.complaints() if "503" not in each]


def holding_what_is_asked_again(page: Page) -> Callable[[], None]:
    """Parts are asked for once; who asks again waits until what is returned is called.

    A page asks again three times at the most, and to look at what it says meanwhile takes as long as it takes.
    """
    asked, held, holds = set[str](), list[Route](), True

    def hold(route: Route) -> None:
        if holds and route.request.url in asked:
            held.append(route)
        else:
            asked.add(route.request.url)
            route.continue_()

    def let_go() -> None:
        nonlocal holds
        holds = False
        for route in held:
            route.continue_()

    page.route("**/preview/*", hold)
    return let_go


def test_parts_of_a_page_are_asked_for_again_and_come(ada: Visitor, editor: str, parts: ExitStack) -> None:
    page = ada.page
    page.set_viewport_size({"width": NARROW, "height": 900})
    let_go = holding_what_is_asked_again(page)
    page.goto(ada.site + editor)
    preview = page.locator("#campaign-preview")
    expect(preview).to_contain_text("Busy, trying again…")
    expect(preview).not_to_contain_text("Writing the message")
    assert unexpected(ada) == []
    parts.close()
    let_go()
    expect(preview.locator("#preview-choice")).to_be_visible()
    expect(page.locator("[data-busy]")).to_have_count(0)
    expect(page.locator(".people-line")).not_to_contain_text("Counting")
    assert unexpected(ada) == []


def test_a_part_that_does_not_come_has_a_button(ada: Visitor, editor: str, parts: ExitStack) -> None:
    page = ada.page
    page.goto(ada.site + editor)
    preview = page.locator("#campaign-preview")
    again = preview.get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=20_000)
    expect(preview).to_contain_text("so this part is missing")
    expect(preview.locator("[data-comes]")).to_have_count(0)
    assert unexpected(ada) == []
    again.click()
    expect(preview).to_contain_text("Busy, trying again…")
    parts.close()
    expect(preview.locator("#preview-choice")).to_be_visible()


def test_what_changes_something_is_not_sent_again_and_says_so(
    ada: Visitor, editor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, sent = ada.page, list[str]()
    ada.visit(editor)
    page.on("request", lambda request: sent.append(request.method) if "/test/" in request.url else None)
    with ExitStack() as taken:
        monkeypatch.setattr(lanes, "_parts", lane := Lane(at_once=1, waiting=0, seconds=0, retry=1))
        taken.enter_context(lane.entered())
        page.get_by_role("button", name="Send me this as a test").click()
        expect(page.locator("#toasts")).to_contain_text("nothing was saved")
    page.wait_for_timeout(2_500)
    assert sent == ["POST"]


def test_a_whole_page_comes_by_itself_at_its_address(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ada.page
    with ExitStack() as taken, monkeypatch.context() as patch:
        patch.setattr(lanes, "_pages", lane := Lane(at_once=1, waiting=0, seconds=0, retry=2))
        taken.enter_context(lane.entered())
        page.goto(f"{ada.site}/audiences/?a=b")
        expect(page.locator("h1")).to_have_text("Too many pages are being made at the moment")
    expect(page.locator("h1")).to_have_text("Audiences", timeout=10_000)
    assert page.url == f"{ada.site}/audiences/?a=b"
