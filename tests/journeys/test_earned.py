"""What a draft would have earned, in a browser: the picture, its table and the words have nothing to complain of."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from recommendations.models import BlendWeights, DraftEstimate
from tests import answer_logs as logs
from tests.analytics.pages.weights.test_earned import stored
from tests.journeys.conftest import Visitor, committed

PAGE = "/weights/earned/?blend=home"
pytestmark = pytest.mark.django_db


@pytest.fixture
def estimate(site: str) -> Iterator[DraftEstimate]:
    yield committed(lambda: stored(logs.draft(number=70), replay=True, known=0.025))
    committed(lambda: BlendWeights.objects.filter(number=70).delete())


@pytest.mark.usefixtures("estimate")
def test_the_estimate_stands_on_its_page_and_beside_the_sliders(browser: Browser, site: str) -> None:
    for width in (1280, 390):
        visitor = Visitor(browser.new_page(viewport={"width": width, "height": 900}), site)
        visitor.log_in()
        visitor.visit(PAGE)
        for summary in visitor.page.query_selector_all(".earned summary"):
            summary.click()
        assert visitor.complaints() == []
        visitor.visit("/weights/?blend=home")
        visitor.page.locator("#earned").scroll_into_view_if_needed()
        visitor.page.wait_for_selector("#earned .lead-sentence")
        visitor.page.evaluate("document.getElementById('exploring').open = true")
        visitor.page.locator("#exploring [role=status]").scroll_into_view_if_needed()
        visitor.page.wait_for_selector("#exploring [role=status] .icon")
        assert visitor.complaints() == []
        visitor.page.close()
