"""A shop whose items are played: no prices, no basket, and a play that Recsite is told of."""

from pathlib import Path
from typing import Any

from storefront.app import Request
from storefront.catalogue import Catalogue
from storefront.settings import Settings
from storefront.shop import ShopSite

ITEMS = (
    "item_id,title,brand,creator,price,categories\nT1,So What,,Miles Davis,,Jazz\nT2,Blue in Green,,Miles Davis,,Jazz\n"
)


class Listener:
    """Recsite, as far as a play is concerned; it has no lists."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def send_events(self, events: list[dict[str, Any]]) -> None:
        self.events += events


def shop(folder: Path, recsite: Listener) -> ShopSite:
    file = folder / "catalogue.csv"
    file.write_text(ITEMS, encoding="utf-8")
    settings = Settings(
        recsite="http://127.0.0.1:1", server_key="k", browser_key="b", catalogue=file, timeout=1, currency="$",
        plays="Play",
    )  # fmt: skip
    return ShopSite(settings, Catalogue.load(file), recsite)  # type: ignore[arg-type]


def request(form: dict[str, str]) -> Request:
    return Request("POST", "/play", {}, form, "")


def test_items_without_a_price_are_shown_where_none_has_one(tmp_path: Path) -> None:
    shop(tmp_path, Listener())
    found = Catalogue.load(tmp_path / "catalogue.csv").find("T1")
    assert found is not None
    assert (found.title, found.brand, found.price) == ("So What", "Miles Davis", "")


def test_a_play_is_told_whole_and_leads_back(tmp_path: Path) -> None:
    recsite = Listener()
    form = {"item_id": "T1", "rid": "r-1", "back": "/item/T1"}
    answer = shop(tmp_path, recsite).answer(request(form))
    assert answer.location == "/item/T1"
    [event] = recsite.events
    assert (event["name"], event["items"], event["progress"]) == ("play", [{"item_id": "T1"}], 1.0)
    assert event["recommendation_id"] == "r-1"


def test_an_item_that_there_is_not_is_not_played(tmp_path: Path) -> None:
    recsite = Listener()
    assert shop(tmp_path, recsite).answer(request({"item_id": "T9"})).status == 404
    assert recsite.events == []
