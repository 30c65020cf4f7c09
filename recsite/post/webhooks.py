"""A receiver of webhooks, as a shop's own system has one: it believes what is signed (Standard Webhooks), and once."""

import base64
import binascii
import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from recsite.post.shelf import Shelf

MOST, REMEMBERED = 5_000, 10_000
SOON = timedelta(minutes=5)  # a signature is believed so long, and so much before its time
PREFIX = "whsec_"
_MOMENT = re.compile(r"\d{1,12}")


class WebhookReceiver:
    """What came, as files. The secret stands in a file that may come and change while we listen."""

    def __init__(self, folder: Path, *, secret: Path) -> None:
        self._secret, self._shelf = secret, Shelf(folder / "hooks", most=MOST)
        self._ids: OrderedDict[str, None] = OrderedDict((fields["id"], None) for _key, fields in self._shelf)
        self._lock = threading.Lock()

    def take(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> HTTPStatus:
        """Keep what is rightly signed; what came before is taken and not kept again."""
        secret = self._read_secret()
        if secret is None:
            return HTTPStatus.NOT_FOUND
        name, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not name or not _MOMENT.fullmatch(moment) or abs(now.timestamp() - int(moment)) > SOON.total_seconds():
            return HTTPStatus.UNAUTHORIZED
        signed = hmac.digest(secret, f"{name}.{moment}.".encode() + body, hashlib.sha256)
        own = base64.b64encode(signed).decode()
        given = [each.partition(",") for each in headers.get("webhook-signature", "").split(" ")]
        rightly = [version == "v1" and hmac.compare_digest(text.encode(), own.encode()) for version, _, text in given]
        if not any(rightly):
            return HTTPStatus.UNAUTHORIZED
        with self._lock:
            if name not in self._ids:
                self._shelf.keep(_fields(name, headers, body, now), now=now)
            self._ids[name] = None
            while len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
        return HTTPStatus.NO_CONTENT

    def _read_secret(self) -> bytes | None:
        try:
            return base64.b64decode(self._secret.read_text(encoding="utf-8").strip().removeprefix(PREFIX))
        except (FileNotFoundError, binascii.Error):
            return None


def _fields(name: str, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, object]:
    return {"id": name, "at": now.isoformat(), "headers": dict(headers), "body": body.decode(errors="replace")}
