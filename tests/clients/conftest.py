"""Recsite behind a real port, with a few items and keys, as the clients of a shop meet it."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pytest_django
from pytest_django.live_server_helper import LiveServer

from recommendations.models import Item
from recommendations.services.access.keys import create_key
from recommendations.terms import Scope
from tests.architecture.source import ROOT
from tests.emptying import empty
from tests.trained import trained_shop
from tools.clients import MissingError

type Need[Thing] = Callable[[], Thing]

TRACKER = ROOT / "clients/javascript/recsite.js"


@pytest.fixture(scope="session")
def needed() -> Callable[[Need[Any]], Any]:
    """Getter of what clients are made with; where it is not to be had, tests fail in CI and are skipped elsewhere."""

    def get(need: Need[Any]) -> Any:
        try:
            return need()
        except MissingError as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))

    return get


class Pages(ThreadingHTTPServer):
    """The pages of a shop, at an origin of their own: the tracker, ``style``, and ``body`` everywhere else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PageHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.body, self.policy, self.style = "", "", ""


class PageHandler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        kind, content = "text/html", self.server.body.encode()
        if self.path.endswith(".js"):
            kind, content = "text/javascript", TRACKER.read_bytes()
        elif self.path.endswith(".css"):
            kind, content = "text/css", self.server.style.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with Pages() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@dataclass(frozen=True)
class Recsite:
    url: str
    browser_key: str
    server_key: str


@pytest.fixture(scope="module")
def recsite(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker, pages: Pages) -> Iterator[Recsite]:
    """Recsite whose browser key is good at the origin of ``pages`` alone."""
    with django_db_blocker.unblock():
        Item.objects.bulk_create(
            Item(shop_id=f"SKU{number}", title=f"Item {number}", price=number) for number in range(60)
        )
        server = LiveServer("127.0.0.1")
        try:
            yield Recsite(server.url, token(Scope.EVENTS_WRITE, origins=(pages.url,)), token(*Scope))
        finally:
            server.stop()
            empty()


@pytest.fixture(scope="module")
def trained(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[Recsite]:
    """Recsite over the grocery after a run of the loop."""
    with trained_shop(django_db_blocker):
        server = LiveServer("127.0.0.1")
        try:
            yield Recsite(server.url, token(Scope.EVENTS_WRITE), token(*Scope))
        finally:
            server.stop()


def token(*scopes: Scope, origins: tuple[str, ...] = ()) -> str:
    key, secret = create_key(name="Shop", scopes=scopes, origins=origins, by=None)
    return f"{key.prefix}.{secret}"


FIELDS = (
    "addresses", "agents", "arms", "categories", "experiments", "holders", "messages", "proof", "receipts", "url",
    "purposes", "recommendation_id", "request_id", "requests", "results",
    "sameness", "slots", "statements", "verdict", "was",
)  # fmt: skip
"""One of the answer to each operation, by which a client knows it."""
GOOD = (202, {}, json.dumps({"accepted": 1, "duplicates": 0, "rejected": 0, **dict.fromkeys(FIELDS)}).encode())
type Reply = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    """Server that answers with ``replies`` in order, then with the last for ever, and notes requests; None hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Reply | None] = [GOOD]
        self.got: list[tuple[str, bytes]] = []
        self.connections = 0
        self.delay = 0.0
        self.trickle = 0.0
        """Seconds between the bytes of an answer."""
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            self.server.got.append((f"{self.command} {self.path}", body))
            reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        time.sleep(self.server.delay)
        if reply is None:
            self.close_connection = True
            return
        status, headers, content = reply
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        for byte in range(len(content)) if self.server.trickle else ():
            self.wfile.write(content[byte : byte + 1])
            time.sleep(self.server.trickle)
        if not self.server.trickle:
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 - so the library calls them

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()
