"""What an attacker has: the key that stands in every page of the shop, and a visitor id; what the bench looks with."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import requests

PATIENCE = 60.0  # seconds


@dataclass
class Door:
    """The API of a running demo, as its pages, its server and this bench reach it."""

    url: str
    page_key: str
    server_key: str  # of the shop's server; the attacker does not have it, but where a test says so
    read_key: str
    shop: str  # origin of the shop's pages
    customers: tuple[str, ...]
    session: requests.Session = field(default_factory=requests.Session)

    @classmethod
    def of(cls, data: Path) -> Self:
        demo = json.loads((data / "demo.json").read_text(encoding="utf-8"))
        shop = json.loads((data / "storefront/settings.json").read_text(encoding="utf-8"))
        parts = urlsplit(demo["shop_url"])
        return cls(
            url=demo["url"].rstrip("/"), page_key=shop["browser_key"], server_key=shop["server_key"],
            read_key=demo["api_key"], shop=f"{parts.scheme}://{parts.netloc}", customers=tuple(shop["customers"]),
        )  # fmt: skip

    def page(self, path: str, body: Any, *, key: str = "") -> requests.Response:
        """A request from a page of the shop."""
        headers = {"Authorization": f"Api-Key {key or self.page_key}", "Origin": self.shop}
        return self.session.post(f"{self.url}{path}", json=body, headers=headers, timeout=PATIENCE)

    def beacon(self, path: str, body: dict[str, Any]) -> requests.Response:
        """What a page sends when it is left: the key stands in the body."""
        text = json.dumps({**body, "api_key": self.page_key})
        headers = {"Content-Type": "text/plain", "Origin": self.shop}
        return self.session.post(f"{self.url}{path}", text, headers=headers, timeout=PATIENCE)

    def server(self, path: str, body: Any) -> requests.Response:
        """A request from the shop's server."""
        headers = {"Authorization": f"Api-Key {self.server_key}"}
        return self.session.post(f"{self.url}{path}", json=body, headers=headers, timeout=PATIENCE)

    def items(self, placement: str, **who: str) -> list[str]:
        """The items that somebody is shown."""
        address = f"{self.url}/api/v1/placements/{placement}/recommend/?{urlencode({'n': '20', **who})}"
        answer = self.session.get(address, headers={"Authorization": f"Api-Key {self.read_key}"}, timeout=PATIENCE)
        answer.raise_for_status()
        return [each["item_id"] for each in answer.json()["results"]]


def event(name: str, *, ago: timedelta = timedelta(0), **fields: Any) -> dict[str, Any]:
    """An event as a page sends it."""
    moment = (datetime.now(UTC) - ago).isoformat()
    return {"event_id": str(uuid.uuid4()), "name": name, "timestamp": moment, **fields}


def visitor() -> str:
    return f"visitor-{uuid.uuid4().hex[:16]}"
