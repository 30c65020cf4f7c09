"""The demo's mails and pages call the shop, and write its prices, as the shop itself does."""

import json
import re
from pathlib import Path

from recommendations.domains.table import DOMAINS
from recommendations.wording.money import currency
from storefront.catalogue import Catalogue
from storefront.filling import Html
from storefront.frame import Frame
from storefront.settings import Settings
from storefront.tiles import Tiles
from storefront.visits import Visit

ROOT = Path(__file__).parents[2]


def test_the_demo_of_each_domain_has_a_name_of_its_own() -> None:
    given = dict(re.findall(r"^NAME_(\w+) := (.+)$", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    assert set(given) == set(DOMAINS)
    assert len(set(given.values())) == len(given)
    assert given["goods"] == Settings.name


def test_the_shop_is_called_as_recsite_calls_it(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    values = {"recsite": "https://recsite.example/", "server_key": "s", "browser_key": "b", "catalogue": "shelf.csv",
              "timeout": 1, "currency": "$", "customers": []}  # fmt: skip
    file.write_text(json.dumps(values), "utf-8")
    assert Settings.load(file).name == "Corner Shop"  # of a demo that was made before
    file.write_text(json.dumps(values | {"name": "Corner & Cinema"}), "utf-8")
    page = Frame(Settings.load(file)).page(
        Visit(key="k", anonymous_id="a"), "Home", Html(""), None, typed="", events=()
    )
    assert ">Corner &amp; Cinema</a>" in page
    assert "<title>Home · Corner &amp; Cinema</title>" in page


def test_prices_stand_behind_the_sign_that_mails_have(tmp_path: Path) -> None:
    settings = Settings(
        recsite="https://recsite.example", server_key="s", browser_key="b", catalogue=tmp_path / "shelf.csv", timeout=1,
        currency=currency(),
    )  # fmt: skip
    assert Tiles(settings, Catalogue([])).money("0.99") == "$0.99"
