"""Mails in a browser: readable on a phone and on a desk, in light and dark, in both languages."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from recommendations.api.tiles import paint_tile
from recommendations.services.catalogue.editing import TileFacts
from tests.journeys.conftest import AXE, RULES
from tests.push_letters import letter

LOOKS = list(itertools.product(("tiles", "list", "single"), ("en", "zh-hans")))
TAP = 44  # pixels


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=True, reduced_motion="reduce")
    picture = paint_tile(TileFacts(title="Ground coffee", brand="", path=""))
    context.route("**/*", lambda route: route.fulfill(body=picture, content_type="image/png"))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("layout", "language"), LOOKS)
def test_a_mail_can_be_read_everywhere(page: Page, layout: str, language: str) -> None:
    page.set_content(letter(layout, language).html)
    page.evaluate(AXE)
    for width, scheme in itertools.product((390, 700), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found: dict[str, Any] = page.evaluate(
            "(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'], preload: false })", RULES
        )
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    dark = page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
    assert dark == "rgb(34, 34, 33)"


def test_links_of_a_mail_are_large_enough_for_a_thumb(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.set_content(letter().html)
    heights = [box["height"] for link in page.locator("a").all() if (box := link.bounding_box())]
    assert len(heights) == 6 * 2 + 1 + 3
    assert min(heights) >= TAP
