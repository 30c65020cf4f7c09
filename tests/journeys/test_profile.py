"""The profile that all tests share keeps nothing of a test but the cache."""

import pytest
from playwright.sync_api import BrowserContext

from tests.journeys.conftest import forget

pytestmark = pytest.mark.django_db


def test_what_a_page_stores_as_it_closes_is_forgotten(site: str, profile: BrowserContext) -> None:
    page = profile.new_page()
    page.goto(f"{site}/login/")
    page.evaluate("setInterval(() => localStorage.setItem('late', 'yes'), 0)")
    forget(profile, {site})
    page = profile.new_page()
    page.goto(f"{site}/login/")
    assert page.evaluate("localStorage.getItem('late')") is None
    page.close()
