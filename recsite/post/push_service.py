"""A push service for browsers that have none of their own (RFC 8030): what is posted to an endpoint waits for its page.

It takes nothing without a signature by the key that the browser subscribed under, and sees only sealed bytes.
"""

import base64
import json
import re
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from demo.invented import INVENTED
from recsite.post.shelf import Shelf
from recsite.post.vapid import signer

LARGEST = 4096  # bytes of a message
MOST, MOST_WAITING = 5_000, 100  # messages that are kept, and that wait for one browser
LONGEST_LIFE = timedelta(days=28)

_NAME = re.compile(rf"(?:{INVENTED})?[A-Za-z0-9_-]{{1,64}}")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TTL = re.compile(r"\d{1,9}")


class Posted(NamedTuple):
    """What is answered to who posts."""

    status: HTTPStatus
    reason: str = ""
    location: str = ""


@dataclass(frozen=True, kw_only=True)
class WaitingNote:
    """A sealed message, until when it is of use."""

    key: str
    topic: str
    body: str  # base64
    until: datetime


class PushService:
    """Subscriptions as files, and what came for them. ``origin`` is our own, for which requests are signed."""

    def __init__(self, folder: Path, *, origin: str) -> None:
        self.origin = origin
        self._browsers, self._lock = folder / "browsers", threading.Lock()
        self._shelf = Shelf(folder / "pushes", most=MOST)
        self._waiting: defaultdict[str, deque[WaitingNote]] = defaultdict(lambda: deque(maxlen=MOST_WAITING))
        for key, fields in self._shelf:
            self._hold(key, fields["browser"], fields)

    def register(self, key: str) -> str | None:
        """The endpoint of a new browser that subscribes under a key; None where that is no key."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{87}", key):
            return None
        name = secrets.token_urlsafe(24)
        self._browsers.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file(name).write_text(json.dumps({"key": key}), encoding="utf-8")
        return f"{self.origin}/push/{name}"

    def end(self, name: str) -> bool:
        """Let a browser go, of which it is known from now on that it is gone; whether there was such a one."""
        if self._key_of(name) is None:
            return False
        self._file(name).write_text(json.dumps({"key": ""}), encoding="utf-8")
        return True

    def take(self, name: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Posted:
        """Take a message for a browser, or say why not; names of headers are in small letters."""
        key = signer(headers.get("authorization", ""), origin=self.origin, now=now)
        if key is None:
            return Posted(HTTPStatus.UNAUTHORIZED, "Sign the request (VAPID, RFC 8292).")
        subscribed = self._key_of(name)
        if subscribed is None:
            return Posted(HTTPStatus.NOT_FOUND, "There is no such subscription.")
        if not subscribed:
            return Posted(HTTPStatus.GONE, "This subscription has ended.")
        if subscribed not in {key, INVENTED}:
            return Posted(HTTPStatus.FORBIDDEN, "The browser subscribed under another key.")
        if len(body) > LARGEST:
            return Posted(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A message has at most 4,096 bytes.")
        topic, life = headers.get("topic", ""), headers.get("ttl", "")
        if headers.get("content-encoding") != "aes128gcm" or not _TTL.fullmatch(life):
            return Posted(HTTPStatus.BAD_REQUEST, "Send a TTL, and aes128gcm.")
        if topic and not _TOPIC.fullmatch(topic):
            return Posted(HTTPStatus.BAD_REQUEST, "A Topic has at most 32 letters of base64url.")
        fields = {
            "browser": name, "endpoint": f"{self.origin}/push/{name}", "at": now.isoformat(), "ttl": int(life),
            "topic": topic, "body": base64.b64encode(body).decode(), "headers": _without_signature(headers),
        }  # fmt: skip
        kept = self._shelf.keep(fields, now=now)
        self._hold(kept, name, fields)
        return Posted(HTTPStatus.CREATED, location=f"{self.origin}/message/{kept}")

    def waiting(self, name: str, *, after: str, now: datetime) -> list[WaitingNote] | None:
        """What waits for a browser and came after a key, of each topic the last; None for an unknown one."""
        if not self._key_of(name):
            return None
        with self._lock:
            notes = [each for each in self._waiting[name] if each.key > after and each.until > now]
        last = {each.topic or each.key: each for each in notes}
        return [each for each in notes if last[each.topic or each.key] is each]

    def _hold(self, key: str, name: str, fields: Mapping[str, object]) -> None:
        life = min(timedelta(seconds=int(str(fields["ttl"]))), LONGEST_LIFE)
        until = datetime.fromisoformat(str(fields["at"])).astimezone(UTC) + life
        note = WaitingNote(key=key, topic=str(fields["topic"]), body=str(fields["body"]), until=until)
        with self._lock:
            self._waiting[name].append(note)

    def _key_of(self, name: str) -> str | None:
        """The key that a browser subscribed under; "" where it ended, None where nobody knows it."""
        if not _NAME.fullmatch(name):
            return None
        if name.startswith(INVENTED):
            return INVENTED
        try:
            return str(json.loads(self._file(name).read_text(encoding="utf-8"))["key"])
        except FileNotFoundError:
            return None

    def _file(self, name: str) -> Path:
        return self._browsers / f"{name}.json"


def _without_signature(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they came; of a signature the part that says by whom and for whom, which is no secret."""
    return {**headers, "authorization": f"{headers['authorization'].partition('.')[0]}…"}
