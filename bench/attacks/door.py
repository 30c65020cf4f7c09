"""What an attacker has: the key that stands in every page of the shop, and a visitor id; what the bench looks with."""

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import requests

PATIENCE = 60.0  # seconds
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_REVENUE = re.compile(r'data-label="Revenue">\$([\d,.]+)')


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

    def page(self, path: str, body: Any, *, key: str = "", origin: str = "") -> requests.Response:
        """A request from a page, of the shop unless its ``origin`` is another."""
        headers = {"Authorization": f"Api-Key {key or self.page_key}", "Origin": origin or self.shop}
        return self.session.post(f"{self.url}{path}", json=body, headers=headers, timeout=PATIENCE)

    def asked(self, path: str, *, origin: str = "") -> requests.Response:
        """A question by GET from a page, as ``page``."""
        headers = {"Authorization": f"Api-Key {self.page_key}", "Origin": origin or self.shop}
        return self.session.get(f"{self.url}{path}", headers=headers, timeout=PATIENCE)

    def beacon(self, path: str, body: dict[str, Any]) -> requests.Response:
        """What a page sends when it is left: the key stands in the body."""
        text = json.dumps({**body, "api_key": self.page_key})
        headers = {"Content-Type": "text/plain", "Origin": self.shop}
        return self.session.post(f"{self.url}{path}", text, headers=headers, timeout=PATIENCE)

    def server(self, path: str, body: Any) -> requests.Response:
        """A request from the shop's server."""
        headers = {"Authorization": f"Api-Key {self.server_key}"}
        return self.session.post(f"{self.url}{path}", json=body, headers=headers, timeout=PATIENCE)

    def answer(self, placement: str, **who: str) -> dict[str, Any]:
        """What somebody is answered."""
        address = f"{self.url}/api/v1/placements/{placement}/recommend/?{urlencode({'n': '20', **who})}"
        answer = self.session.get(address, headers={"Authorization": f"Api-Key {self.read_key}"}, timeout=PATIENCE)
        answer.raise_for_status()
        return dict(answer.json())

    def items(self, placement: str, **who: str) -> list[str]:
        """The items that somebody is shown where nothing is explored, so that two answers differ by what they know."""
        return [each["item_id"] for each in self.answer(placement, dry_run="true", **who)["results"]]


class Desk:
    """The dashboard of a running demo, as a colleague who is signed in sees it."""

    def __init__(self, data: Path) -> None:
        demo = json.loads((data / "demo.json").read_text(encoding="utf-8"))
        self._url = demo["url"].rstrip("/")
        self._session = requests.Session()
        self._session.headers["Accept-Language"] = "en"
        login = f"{self._url}/login/"
        token, *_ = _TOKEN.findall(self._session.get(login, timeout=PATIENCE).text)
        form = {"username": demo["username"], "password": demo["password"], "csrfmiddlewaretoken": token}
        self._session.post(login, form, headers={"Referer": login}, timeout=PATIENCE).raise_for_status()

    def revenue(self, slate: str) -> float:
        """What counts for a slate; nothing as long as it is not written down."""
        page = self._session.get(f"{self._url}/answers/{slate}/", timeout=PATIENCE)
        if page.status_code == HTTPStatus.NOT_FOUND:
            return 0.0
        page.raise_for_status()
        return sum(float(amount.replace(",", "")) for amount in _REVENUE.findall(page.text))


def event(name: str, *, ago: timedelta = timedelta(0), **fields: Any) -> dict[str, Any]:
    """An event as a page sends it."""
    moment = (datetime.now(UTC) - ago).isoformat()
    return {"event_id": str(uuid.uuid4()), "name": name, "timestamp": moment, **fields}


def visitor() -> str:
    return f"visitor-{uuid.uuid4().hex[:16]}"
