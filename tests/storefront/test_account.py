"""The account of a signed-in customer leads to *My data*: the shop's server asks for the link when it is opened."""

from pathlib import Path
from typing import Any

import pytest

from recsite_client import UnreachableError
from storefront.app import Request, Response
from storefront.catalogue import Catalogue
from storefront.settings import Settings
from storefront.shop import ShopSite

LINK = "https://recsite.example/m/m/signed/?language=zh-hans"


class Links:
    """Recsite, as far as links are concerned; ``away``: nobody reaches it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.away = False

    def recommend_page(self, _page: str, **_wish: Any) -> Any:
        raise UnreachableError("away")

    def prove(self, **_who: str) -> Any:
        raise UnreachableError("away")

    def privacy_link(self, user_id: str, *, lang: str | None = None) -> dict[str, str]:
        if self.away:
            raise UnreachableError("away")
        self.asked.append((user_id, lang))
        return {"url": LINK}


@pytest.fixture
def recsite() -> Links:
    return Links()


@pytest.fixture
def site(tmp_path: Path, recsite: Links) -> ShopSite:
    settings = Settings(
        recsite="https://recsite.example", server_key="s", browser_key="b", catalogue=tmp_path / "shelf.csv", timeout=1,
        currency="$", customers=("u3",), language="zh-hans",
    )  # fmt: skip
    return ShopSite(settings, Catalogue([]), recsite)  # type: ignore[arg-type]


def get(site: ShopSite, path: str, key: str = "") -> Response:
    return site.answer(Request("GET", path, {}, {}, key))


@pytest.fixture
def signed_in(site: ShopSite) -> str:
    """The key of a visit of customer u3."""
    return site.answer(Request("POST", "/visit", {}, {"as": "u3"}, "")).visit_key


def test_the_account_of_who_is_signed_in_leads_to_their_data(site: ShopSite, recsite: Links, signed_in: str) -> None:
    assert 'href="/account"' in get(site, "/", signed_in).body
    page = get(site, "/account", signed_in).body
    assert "You are signed in as customer u3." in page
    assert 'href="/account/data"' in page
    assert recsite.asked == []  # not before it is opened
    answer = get(site, "/account/data", signed_in)
    assert (answer.status, answer.location) == (303, LINK)
    assert recsite.asked == [("u3", "zh-hans")]


def test_nobody_else_has_an_account(site: ShopSite, recsite: Links) -> None:
    assert 'href="/account"' not in get(site, "/").body
    for path in ("/account", "/account/data"):
        answer = get(site, path)
        assert (answer.status, answer.location) == (303, "/")
    assert recsite.asked == []


def test_while_recsite_is_away_the_account_says_so(site: ShopSite, recsite: Links, signed_in: str) -> None:
    recsite.away = True
    answer = get(site, "/account/data", signed_in)
    assert (answer.status, answer.location) == (503, "")
    assert "Please try again in a minute." in answer.body
