"""The demo's mails and pages call the shop, and write its prices, as the shop itself does."""

import re
from pathlib import Path

from recommendations.wording.money import currency
from storefront.catalogue import Catalogue
from storefront.settings import Settings
from storefront.tiles import Tiles

ROOT = Path(__file__).parents[2]


def test_the_demo_gives_recsite_the_name_of_the_shop() -> None:
    brand = re.search(r'class="brand"[^>]*>([^<]+)<', (ROOT / "storefront/templates/page.html").read_text("utf-8"))
    given = re.search(r"^demo: export SHOP_NAME \?= (.+)$", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert brand
    assert given
    assert given[1] == brand[1]


def test_prices_stand_behind_the_sign_that_mails_have(tmp_path: Path) -> None:
    settings = Settings(
        recsite="https://recsite.example", server_key="s", browser_key="b", catalogue=tmp_path / "shelf.csv", timeout=1,
        currency=currency(),
    )  # fmt: skip
    assert Tiles(settings, Catalogue([])).money("0.99") == "$0.99"
