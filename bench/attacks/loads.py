"""Visitors and colleagues who ask for what is dear, on so many connections: ``python -m bench.attacks.loads``.

Runs as a process of its own, reads an ``Order`` as JSON from standard input and writes ``Done`` as JSON. It speaks to
an installation over HTTP alone.
"""

import json
import random
import re
import resource
import string
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlencode

import msgspec

CONNECTIONS = {"logins": 8, "searches": 8, "batches": 4, "upload": 1}
USERS, EACH, SLOTS = 1_000, 100, 10_000  # customers and items of a job; what one batch may ask for
UPLOAD_BYTES = 20_000_000
PATIENCE = 120.0  # seconds for one answer
FORM = "application/x-www-form-urlencoded"
_random = random.Random()  # noqa: S311 - names and words, no secrets
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Order(msgspec.Struct, kw_only=True):
    kind: str
    port: int
    seconds: float
    key: str
    username: str
    password: str


class Done(msgspec.Struct, kw_only=True):
    """Answers by status, 0 for a broken connection, and the CPU time of the clients."""

    answers: dict[int, int]
    cpu_seconds: float


class Visitor:
    """One connection that keeps its cookies."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.answers: Counter[int] = Counter()
        self._cookies: dict[str, str] = {}
        self._line = HTTPConnection("127.0.0.1", order.port, timeout=PATIENCE)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._line.request(method, path, body, {**sent, **({"Cookie": cookies} if cookies else {})})
            reply = self._line.getresponse()
            content = reply.read()
        except (OSError, HTTPException):
            self._line.close()
            self.answers[0] += 1
            return 0, b""
        self._remember(reply)
        self.answers[reply.status] += 1
        if reply.status in {429, 503}:
            time.sleep(min(float(reply.headers.get("Retry-After", 1)), 1.0))  # the least polite of them
        return reply.status, content

    def form(self, path: str, *, at: str, **fields: str) -> tuple[int, bytes]:
        """Fill in the form that stands at an address."""
        body = urlencode({**fields, "csrfmiddlewaretoken": self.token(at)}).encode()
        return self.send("POST", path, body, Content_Type=FORM)

    def token(self, path: str) -> str:
        field = _TOKEN.search(self.send("GET", path)[1].decode(errors="replace"))
        return field[1] if field else ""

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> int:
        """Ask the API."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Api-Key {self.order.key}", "Content_Type": "application/json"}
        return self.send("GET" if body is None else "POST", path, content, **headers)[0]

    def _remember(self, reply: HTTPResponse) -> None:
        for line in reply.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value


def wrong_login(visitor: Visitor) -> None:
    name = f"{_random.getrandbits(64):x}@example.com"
    visitor.form("/login/", at="/login/", username=name, password="wrong")  # noqa: S106 - it is meant to be wrong


def dear_search(visitor: Visitor) -> None:
    """Search for twelve letters, which begin words of most items, in ever new order: no answer is remembered."""
    term = " ".join(_random.sample(string.ascii_lowercase, 12))
    visitor.ask(f"/api/v1/placements/search/recommend/?{urlencode({'search_term': term, 'n': 100})}")


def large_batch(visitor: Visitor) -> None:
    """Ask for 1,000 customers at once; where that is refused, in as many batches as it takes."""
    users = [{"user_id": str(_random.randrange(1, 2_500))} for _ in range(USERS)]
    wish = {"placement": "home", "n": EACH, "dry_run": True}
    if visitor.ask("/api/v1/recommendations/batch/", {**wish, "users": users}) != 400:
        return
    step = SLOTS // EACH
    for first in range(0, USERS, step):
        visitor.ask("/api/v1/recommendations/batch/", {**wish, "users": users[first : first + step]})


def large_upload(visitor: Visitor) -> None:
    """Hand in 20 MB of items as a colleague would who may edit the catalogue."""
    admin = "/admin/recommendations/item/import/"
    order = visitor.order
    while not visitor.answers[302]:  # until it is let in
        visitor.form("/login/", at="/login/", username=order.username, password=order.password)
    token = visitor.token(admin)
    lines = ("item_id,title,price,description", *(f"x{n},Thing {n},1.00,{'y' * 980}" for n in range(19_900)))
    parts = (
        f'--edge\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
        f'--edge\r\nContent-Disposition: form-data; name="file"; filename="items.csv"\r\n\r\n'
        f"{'\n'.join(lines)[:UPLOAD_BYTES]}\r\n--edge--\r\n"
    )
    visitor.send("POST", admin, parts.encode(), Content_Type="multipart/form-data; boundary=edge")


ACTS: Mapping[str, Callable[[Visitor], None]] = {
    "logins": wrong_login, "searches": dear_search, "batches": large_batch, "upload": large_upload,
}  # fmt: skip


def run(order: Order) -> Done:
    visitors = [Visitor(order) for _ in range(CONNECTIONS[order.kind])]
    end = time.monotonic() + order.seconds

    def keep_on(visitor: Visitor) -> None:
        while time.monotonic() < end:
            ACTS[order.kind](visitor)

    threads = [threading.Thread(target=keep_on, args=(visitor,), daemon=True) for visitor in visitors]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(0.1)
    used = resource.getrusage(resource.RUSAGE_SELF)
    answers = sum((visitor.answers for visitor in visitors), Counter[int]())
    return Done(answers=dict(answers), cpu_seconds=used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    done = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))
    sys.stdout.buffer.write(msgspec.json.encode(done))
    sys.stdout.flush()
