"""A form sent while too many pages were being made is sent again as it was, and nothing is called unsaved then."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from recommendations.api.lane import Lane
from recsite import lanes
from tests.journeys.conftest import Visitor

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
