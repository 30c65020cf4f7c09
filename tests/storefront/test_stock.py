"""The shop's stock: what is sold out is said to Recsite, and comes back, whatever was restarted or away meanwhile."""

import json
from pathlib import Path
from typing import Any

from recsite_client import UnreachableError
from storefront.catalogue import Catalogue, CatalogueProduct
from storefront.stock import ShopStock
from tests.recsite.processes import wait_for

CATALOGUE = Catalogue(
    [CatalogueProduct("tea", "Tea", "", "2.00", "FOOD", 3), CatalogueProduct("soap", "Soap", "", "1.00", "CARE")]
)


class Listener:
    """Recsite, as far as the stock knows it; the first ``away`` calls reach nobody."""

    def __init__(self, *, away: int = 0) -> None:
        self.heard: list[tuple[str, str, int]] = []
        self._away = away

    def change_item(self, item_id: str, **item: Any) -> None:
        self._away -= 1
        if self._away >= 0:
            raise UnreachableError("away")
        self.heard.append((item_id, item["availability"], item["available_quantity"]))


def stock(recsite: Listener, folder: Path, *, delivery: float = 600.0) -> ShopStock:
    return ShopStock(recsite, CATALOGUE, folder / "sold_out.json", delivery=delivery)  # type: ignore[arg-type]


def bring_forward(file: Path, *, seconds: float) -> None:
    """Let what is sold out be back sooner; the stock that wrote the file goes on waiting, as if it had ended."""
    file.write_text(json.dumps({item_id: at - seconds for item_id, at in json.loads(file.read_text()).items()}))


def test_what_was_bought_is_taken_off_and_the_last_one_is_said(tmp_path: Path) -> None:
    recsite = Listener()
    own = stock(recsite, tmp_path)
    own.sell({"tea": 2, "soap": 9})
    assert (own.left("tea"), own.left("soap"), recsite.heard) == (1, None, [])
    own.sell({"tea": 2})
    assert own.left("tea") == 0
    assert wait_for(lambda: recsite.heard == [("tea", "out_of_stock", 0)], seconds=5)


def test_a_delivery_brings_it_back_and_says_so(tmp_path: Path) -> None:
    recsite = Listener()
    own = stock(recsite, tmp_path, delivery=0.2)
    own.sell({"tea": 3})
    assert wait_for(lambda: own.left("tea") == 3, seconds=5)
    assert recsite.heard == [("tea", "out_of_stock", 0), ("tea", "in_stock", 3)]


def test_a_restart_forgets_no_delivery(tmp_path: Path) -> None:
    stock(Listener(), tmp_path).sell({"tea": 3})
    bring_forward(tmp_path / "sold_out.json", seconds=599.7)
    recsite = Listener()
    again = stock(recsite, tmp_path, delivery=0.3)
    assert again.left("tea") == 0
    assert wait_for(lambda: again.left("tea") == 3, seconds=5)
    assert recsite.heard == [("tea", "in_stock", 3)]
    assert stock(Listener(), tmp_path).left("tea") == 3


def test_while_recsite_is_away_it_stays_sold_out_for_both(tmp_path: Path) -> None:
    recsite = Listener(away=2)
    own = stock(recsite, tmp_path, delivery=0.2)
    own.sell({"tea": 3})
    assert wait_for(lambda: own.left("tea") == 3, seconds=5)
    assert recsite.heard == [("tea", "in_stock", 3)]
