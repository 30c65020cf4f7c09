"""The choice about personalisation: whoever answers it stays on the page where they were asked."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from recsite_client import UnreachableError
from storefront.app import Request
from storefront.catalogue import Catalogue, CatalogueProduct
from storefront.settings import Settings
from storefront.shop import ShopSite


class Away:
    """Recsite, while nobody reaches it."""

    def recommend_page(self, _page: str, **_wish: Any) -> Any:
        raise UnreachableError("away")

    def prove(self, **_who: str) -> Any:
        raise UnreachableError("away")


@pytest.fixture
def site(tmp_path: Path) -> ShopSite:
    settings = Settings(
        recsite="https://recsite.example", server_key="s", browser_key="b", catalogue=tmp_path / "shelf.csv", timeout=1,
        currency="$", customers=("19",),
    )  # fmt: skip
    return ShopSite(settings, Catalogue([CatalogueProduct("tea 1", "Tea", "", "2.00", "FOOD", 3)]), Away())  # type: ignore[arg-type]


def request(method: str, path: str, **fields: dict[str, str]) -> Request:
    return Request(**{"method": method, "path": path, "query": {}, "form": {}, "visit_key": ""} | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_the_page_that_a_mail_led_to_comes_back_with_its_list(site: ShopSite, answer: str) -> None:
    query = {"rid": "r-1&x", "utm_source": "recsite", "utm_medium": "email"}
    page = site.answer(request("GET", "/item/tea 1/", query=query)).body
    asked = re.search(r'<form[^>]* action="/consent">.*?name="back" value="([^"]*)"', page, flags=re.DOTALL)
    assert asked
    form = {"personalise": answer, "back": unescape(asked[1])}
    back = site.answer(request("POST", "/consent", form=form)).location
    assert back == "/item/tea%201/?rid=r-1%26x&utm_source=recsite&utm_medium=email"


def test_the_question_says_what_holds_until_it_is_answered(site: ShopSite) -> None:
    """Who is signed in is known to the shop, so it would be untrue that nothing is kept of them."""
    assert "nothing is kept about you" in site.answer(request("GET", "/")).body
    key = site.answer(request("POST", "/visit", form={"as": "19"})).visit_key
    page = site.answer(request("GET", "/", visit_key=key)).body  # type: ignore[arg-type]
    assert "say no, and what you do here is not used" in page
    assert "nothing is kept" not in page


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "item"])
def test_no_other_site_is_gone_to(site: ShopSite, back: str) -> None:
    assert site.answer(request("POST", "/consent", form={"personalise": "yes", "back": back})).location == "/"
    page = site.answer(request("GET", "//evil.example")).body  # no page of ours: nothing to come back to
    asked = re.search(r'name="back" value="([^"]*)"', page)
    assert asked
    assert site.answer(request("POST", "/consent", form={"back": unescape(asked[1])})).location == "/"
