"""The shop's own stock: what is sold out is said to Recsite, and comes back with the next delivery.

A file beside the catalogue holds what is sold out, so that a restart forgets no delivery; all other numbers begin anew.
"""

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from recsite_client import Client, RecsiteError
from storefront.catalogue import Catalogue

DELIVERY = 600.0  # seconds until it is back


class ShopStock:
    def __init__(self, client: Client, catalogue: Catalogue, file: Path, *, delivery: float = DELIVERY) -> None:
        self._client, self._file, self._delivery = client, file, delivery
        self._full: Mapping[str, int] = catalogue.stock
        self._left = dict(self._full)
        self._lock = threading.Lock()
        self._due: dict[str, float] = _stored(file)
        for item_id, at in list(self._due.items()):
            self._left[item_id] = 0
            self._deliver(item_id, after=max(0.0, at - time.time()))

    def left(self, item_id: str) -> int | None:
        """How many there are; None where nobody counts them."""
        return self._left.get(item_id)

    def sell(self, basket: Mapping[str, int]) -> None:
        """Take what was bought off the stock; what is gone then is said to Recsite."""
        with self._lock:
            known = [item_id for item_id in basket if self._left.get(item_id)]
            for item_id in known:
                self._left[item_id] = max(0, self._left[item_id] - basket[item_id])
            gone = [item_id for item_id in known if not self._left[item_id]]
            self._due |= dict.fromkeys(gone, time.time() + self._delivery)
            self._write()
        for item_id in gone:
            threading.Thread(target=self._tell, args=(item_id, 0), daemon=True).start()
            self._deliver(item_id, after=self._delivery)

    def _deliver(self, item_id: str, *, after: float) -> None:
        timer = threading.Timer(after, self._arrived, args=(item_id,))
        timer.daemon = True
        timer.start()

    def _arrived(self, item_id: str) -> None:
        if not self._tell(item_id, self._full.get(item_id, 1)):
            self._deliver(item_id, after=self._delivery)  # Recsite is away: both go on saying that it is sold out
            return
        with self._lock:
            self._due.pop(item_id, None)
            self._write()  # first: whoever sees it there may read the file
            self._left[item_id] = self._full.get(item_id, 1)

    def _tell(self, item_id: str, quantity: int) -> bool:
        """Say to Recsite how many there are; whether it heard it."""
        with suppress(RecsiteError):
            self._client.change_item(
                item_id, availability="in_stock" if quantity else "out_of_stock", available_quantity=quantity
            )
            return True
        return False

    def _write(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._due), encoding="utf-8")
        part.rename(self._file)


def _stored(file: Path) -> dict[str, float]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}
