"""A server that answers as Recsite does, and as often as anything that may stand in its place when things go wrong.

What it does to a request depends on a seed, on what the request is about and on how often it came: a run can be
repeated, whichever client makes it and in whatever order. Every call names itself: a question by ``user_id``, events
by their ``event_id``.
"""

import gzip
import json
import re
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import BinaryIO

TIMEOUT = 0.15  # seconds for which clients wait; what is late comes after it
NAME = re.compile(rb'user_id(?:=|":\s*")([\w-]+)|"event_id":\s*"([\w-]+)"')
JSON = "Content-Type: application/json"
HTML = b"<!doctype html><title>Welcome to our hotel</title><p>Please accept our terms."


def whole(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def problem(status: str, *headers: str) -> bytes:
    number, _space, title = status.partition(" ")
    body = {"type": "about:blank", "title": title, "status": int(number), "detail": "no", "errors": []}
    return whole(status, json.dumps(body).encode(), "Content-Type: application/problem+json", *headers)


def in_a_second() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


def foreign(body: bytes) -> bytes:
    """An answer with another behind it that nobody asked for, and that is somebody else's."""
    other = re.sub(rb"u\d+|e\d+", b"u666", body)
    return whole("200 OK", body, JSON) + whole("200 OK", other, JSON)


def length(body: bytes, number: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: {number}\r\n\r\n".encode() + body


Writer = Callable[[bytes], bytes]
GOOD: dict[str, Writer] = {
    "good": lambda body: whole("200 OK", body, JSON),
    "chunked": lambda body: (
        f"HTTP/1.1 202 Accepted\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode()
        + body
        + b"\r\n0\r\n\r\n"
    ),
    "informed": lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + whole("200 OK", body, JSON),
    "foreign behind": foreign,
}
"""Answers from which a client can tell that all went well."""
DONE: dict[str, Writer] = {
    "half a body": lambda body: length(body[: len(body) // 2], len(body)),
    "half a chunk": lambda body: (
        f"HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body[:20]
    ),
    "half, to the end": lambda body: f"HTTP/1.1 200 OK\r\n{JSON}\r\n\r\n".encode() + body[: len(body) // 2],
    "length too short": lambda body: length(body, len(body) - 7),
    "length no number": lambda body: f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: x\r\n\r\n".encode() + body[:9],
    "hangs up": lambda _body: b"",
    "half a head": lambda _body: b"HTTP/1.1 200 OK\r\nContent-",
    "compressed": lambda body: whole("200 OK", gzip.compress(body), JSON),
}
"""It was stored, and the client cannot know."""
REFUSED: dict[str, Writer] = {
    "redirect": lambda _body: whole("301 Moved Permanently", b"", "Location: https://127.0.0.1/elsewhere/"),
    "redirect with a page": lambda _body: whole("308 Permanent Redirect", HTML, "Location: https://shop.example/"),
    "redirect nowhere": lambda _body: whole("302 Found", b""),
    "redirect oddly": lambda _body: whole("307 Temporary Redirect", b"", "Location: http://[::x/\x01"),
    "not modified": lambda _body: b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "a page": lambda _body: whole("200 OK", HTML, "Content-Type: text/html"),
    "a page, to the end": lambda _body: b"HTTP/1.0 200 OK\r\n\r\n" + HTML,
    "another's": lambda _body: whole("200 OK", b'{"status": "ok"}', JSON),
    "empty": lambda _body: whole("200 OK", b"", JSON),
    "no content": lambda _body: b"HTTP/1.1 204 No Content\r\n\r\n",
    "a list": lambda _body: whole("200 OK", b"[]", JSON),
    "not a number": lambda _body: whole("200 OK", b'{"accepted": NaN}', JSON),
    "not UTF-8": lambda _body: whole("200 OK", b'{"a": "\xff"}', JSON),
    "nested": lambda _body: whole("200 OK", b'{"a":' * 50_000, JSON),
    "429 now": lambda _body: problem("429 Too Many Requests", "Retry-After: 0"),
    "429 later": lambda _body: problem("429 Too Many Requests", "Retry-After: 60"),
    "429 date": lambda _body: problem("429 Too Many Requests", f"Retry-After: {in_a_second()}"),
    "429 oddly": lambda _body: problem("429 Too Many Requests", "Retry-After: soon, or never"),
    "503": lambda _body: problem("503 Service Unavailable"),
    "500": lambda _body: problem("500 Internal Server Error"),
    "500 of a proxy": lambda _body: whole("502 Bad Gateway", HTML, "Content-Type: text/html"),
    "400 oddly": lambda _body: whole("400 Bad Request", b'{"errors": 3, "title": {}, "status": null}', JSON),
    "errors oddly": lambda _body: whole("409 Conflict", b'{"errors": [1, null, {"pointer": 2}]}', JSON),
    "odd status": lambda _body: whole("999 Whatever", b""),
    "early": lambda _body: b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n",
    "no HTTP": lambda _body: b"220 mail.example ESMTP ready\r\n",
    "garbage": lambda _body: bytes(range(256)) * 4,
    "garbage in the head": lambda _body: b"HTTP/1.1 200 OK\r\n\x00\xff\xfe: \x01\r\n: :\r\nno colon\r\n\r\n{}",
    "a long head": lambda _body: b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n{}",
    "many heads": lambda _body: b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 3_000 + b"\r\n{}",
    "hangs up before": lambda _body: b"",
}
"""Nothing was stored."""
SLOW = ("away", "late", "trickles")
CLOSING = {*DONE, "a page, to the end", "no HTTP", "garbage", "hangs up before", "early"} - {"compressed"}


class HostileServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seed = seed
        self.stored: set[str] = set()
        self.met: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def choose(self, name: str) -> str:
        """Choose what is done to this try of a request."""
        with self._lock:
            self._tries[name] += 1
            dice = Random(f"{self.seed} {name} {self._tries[name]}")
            if dice.random() < 0.35:
                kind = dice.choice(list(GOOD))
            else:
                kind = dice.choice([*DONE, *REFUSED, *SLOW[: 1 + dice.randrange(3)]])
            self.met[kind] += 1
            return kind

    def store(self, name: str) -> None:
        with self._lock:
            self.stored.add(name)

    def handle_error(self, *_request: object) -> None:
        """Clients hang up on a server like this."""


class _Handler(socketserver.StreamRequestHandler):
    server: HostileServer
    rfile: BinaryIO

    def handle(self) -> None:
        while self._answer():
            pass

    def _answer(self) -> bool:
        """Answer one request; whether the connection stays open."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return False
            head += line
        size = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        sent = self.rfile.read(int(size[1])) if size else b""
        match = NAME.search(sent or head)
        name = (match[1] or match[2]).decode() if match else ""
        kind, body = self.server.choose(name), answer_to(name)
        if kind in GOOD or kind in DONE or kind in SLOW[1:]:
            self.server.store(name)
        if kind in SLOW:
            self._slowly(kind, whole("200 OK", body, JSON))
            return False
        self.wfile.write((GOOD | DONE | REFUSED)[kind](body))
        return kind not in CLOSING

    def _slowly(self, kind: str, content: bytes) -> None:
        if kind == "trickles":
            for place in range(0, len(content), 8):
                self.wfile.write(content[place : place + 8])
                time.sleep(TIMEOUT / 4)
        else:
            time.sleep(TIMEOUT * 1.5)
            self.wfile.write(content if kind == "late" else b"")


def answer_to(name: str) -> bytes:
    """The right answer; it says what it answers."""
    if name.startswith("u"):
        return json.dumps({"recommendation_id": f"r-{name}", "placement": "home", "results": []}).encode()
    row = {"verdict": "accepted", "event_id": name}
    return json.dumps({"accepted": 1, "duplicates": 0, "rejected": 0, "results": [row]}).encode()
