"""The feed of items on Imports in a browser: a long address and a long reason stay inside the window."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from recommendations.models import ShopSetting
from recommendations.services.catalogue.feed_schedule import KEY
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db
FEED = f"https://feeds.example.com/{'a-very-long-folder/' * 8}products.xml"
REASON = f"{FEED} answered 500. Look at the shop's server, and try again."


@pytest.fixture
def failed(settings: Settings) -> Iterator[None]:
    settings.ITEM_FEED = FEED
    value = {"address": FEED, "looked_at": "2026-09-01T10:00:00+00:00", "failure": REASON}
    committed(lambda: (ShopSetting.objects.create(key=KEY, value=value), cache.clear()))
    yield
    committed(lambda: (ShopSetting.objects.filter(key=KEY).delete(), cache.clear()))


@pytest.mark.parametrize(("width", "theme"), [(1440, "auto"), (390, "auto"), (390, "dark")])
def test_a_feed_with_a_long_address_fits_the_window(
    window: Callable[..., Visitor], failed: None, width: int, theme: str
) -> None:
    visitor = window(width=width, theme=theme)
    visitor.log_in()
    for address in ("/catalogue/imports/", "/"):
        visitor.visit(address)
        assert "answered 500" in visitor.page.locator("main").inner_text()
        assert visitor.page.evaluate("document.documentElement.scrollWidth") == width
    assert visitor.complaints() == []
