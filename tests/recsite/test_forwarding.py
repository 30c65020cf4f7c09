"""What is dear is answered by the process of pages, byte for byte, and by the process itself where that is away."""

import io
import json
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import RequestFactory

from recsite.forwarding import Environ, Forwarding, StartResponse, is_dear
from recsite.lanes import BUSY

HERE = b"answered here"


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = {"line": self.requestline, "headers": self.headers.items(), "size": len(body), "end": body[-3:].decode()}
        content = json.dumps(told).encode()
        self.send_response(201)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (content[:50], content[50:], b""):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")

    do_GET = do_POST  # noqa: N815 - so the library calls it

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture
def pages() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def here(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Django's place; it says what it was told."""
    told = f"{environ.get('REMOTE_ADDR')} {environ.get(BUSY)} {environ.get('HTTP_X_RECSITE_FORWARDED')}"
    start_response("200 OK", [("X-Told", told)])
    return [HERE]


class Reply:
    def __init__(self, application: Forwarding, environ: Environ) -> None:
        content: Any = application(environ, self._start)
        self.body = b"".join(content)
        self._close = getattr(content, "close", lambda: None)
        self._close()

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = status, headers


def environ_of(path: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> Environ:
    environ = dict(RequestFactory().generic(method, path, body, "text/x-some", **headers).environ)
    path_info = unquote(path.partition("?")[0]).encode().decode("latin-1")  # as PEP 3333 has it
    return {**environ, "PATH_INFO": path_info, "wsgi.input": io.BytesIO(body), "REMOTE_ADDR": "203.0.113.9"}


def test_a_request_is_handed_on_whole_and_its_answer_comes_back_whole(pages: str) -> None:
    sent = environ_of(
        "/customers/%E8%8C%B6/?q=a%2Fb&q=c", method="POST", body=b"x" * 200_000 + b"end", HTTP_HOST="shop.example",
        HTTP_COOKIE="recsite_session=1", HTTP_CONNECTION="close", HTTP_X_REAL_IP="198.51.100.7",
    )  # fmt: skip
    reply = Reply(Forwarding(here, to=pages), sent)
    told = json.loads(reply.body)
    headers = {name.lower(): value for name, value in told["headers"]}
    assert told["line"] == "POST /customers/%E8%8C%B6/?q=a%2Fb&q=c HTTP/1.1"
    assert (told["size"], told["end"]) == (200_003, "end")
    assert (headers["host"], headers["cookie"], headers["x-real-ip"]) == (
        "shop.example", "recsite_session=1", "198.51.100.7",
    )  # fmt: skip
    assert (headers["content-type"], headers["content-length"], headers.get("connection")) == (
        "text/x-some", "200003", None,
    )  # fmt: skip
    assert reply.status == "201 Created"
    assert reply.headers == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]


def test_the_process_of_pages_believes_the_address_from_us_alone(pages: str) -> None:
    told = json.loads(Reply(Forwarding(here, to=pages), environ_of("/")).body)
    [ours] = [value for name, value in told["headers"] if name == "X-Recsite-Forwarded"]
    there = Forwarding(here, to="")
    proven = {**environ_of("/", HTTP_X_RECSITE_FORWARDED=ours), "REMOTE_ADDR": "127.0.0.1"}
    assert Reply(there, proven).headers == [("X-Told", "203.0.113.9 None None")]
    for forged in ("192.0.2.1", "x 192.0.2.1", f"{ours.split()[0][:-1]} 192.0.2.1", "é 1"):
        environ = environ_of("/", HTTP_X_RECSITE_FORWARDED=forged)
        assert Reply(there, {**environ}).headers == [("X-Told", "203.0.113.9 None None")]
        told = json.loads(Reply(Forwarding(here, to=pages), environ).body)
        assert [value for name, value in told["headers"] if name == "X-Recsite-Forwarded"] == [ours]
    looped = Reply(Forwarding(here, to=pages), environ_of("/", HTTP_X_RECSITE_FORWARDED=ours))
    assert looped.body == HERE  # what was handed on is handed on to nobody


def test_what_is_made_from_memory_stays(pages: str) -> None:
    batch = "/api/v1/recommendations/batch/"
    dear = ["/", "/login/", "/admin/", "/api/docs/", batch, "/api/v1/items/batch/"]
    dear += ["/api/v1/placements/search/recommend/?search_term=tea"]
    cheap = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/static/x.css",
        "/api/v1/events/",
        "/api/v1/placements/home/recommend/",
    ]
    cheap += ["/api/v1/placements/search/recommend/?search_term=tea&item_id=1"]
    assert [path for path in dear + cheap if is_dear(environ_of(path))] == dear
    assert not is_dear(environ_of(batch, method="POST", HTTP_TRANSFER_ENCODING="chunked"))
    assert Reply(Forwarding(here, to=pages), environ_of("/api/v1/events/", method="POST")).body == HERE


def test_without_a_process_of_pages_everything_is_answered_here(pages: str) -> None:
    for to in ("", "http://127.0.0.1:1"):
        reply = Reply(Forwarding(here, to=to), environ_of("/"))
        assert (reply.body, reply.headers) == (HERE, [("X-Told", "203.0.113.9 None None")])
    busy = Forwarding(here, to=pages)
    with_room = [busy._room.entered() for _ in range(busy._room.most)]
    for room in with_room:
        room.__enter__()
    assert Reply(busy, environ_of("/")).headers == [("X-Told", "203.0.113.9 True None")]
    with_room[0].__exit__(None, None, None)
    for _ in range(3):  # the place is given back each time
        assert Reply(busy, environ_of("/")).status == "201 Created"
