"""Pictures are fetched from public places alone, small ones, two of a host at a time, and not for long."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from recommendations.channels.pictures import (
    AT_ONCE,
    LARGEST,
    MOST_SILENT,
    NoPictureError,
    PictureClient,
    SilentHostError,
)
from recommendations.vector_terms import PictureFault
from tests.channels.web_server import WebServer, web_server

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server(body=b"picture", headers={**PNG, "ETag": '"one"'}) as web:
        yield web


@pytest.fixture
def client(server: WebServer) -> Iterator[PictureClient]:
    with closing(PictureClient(trusted=[server.origin], patience=2)) as client:
        yield client


def fault(client: PictureClient, url: str) -> PictureFault:
    with pytest.raises(NoPictureError) as caught:
        client.fetch(url)
    return caught.value.fault


def test_a_picture_comes_with_its_etag_and_is_not_sent_twice(server: WebServer, client: PictureClient) -> None:
    assert client.fetch(f"{server.origin}/a.png") == (b"picture", '"one"')
    server.status, server.body = 304, b""
    assert client.fetch(f"{server.origin}/a.png", etag='"one"') == (None, '"one"')
    assert server.posts[-1].headers["if-none-match"] == '"one"'
    assert fault(client, f"{server.origin}/a.png") == PictureFault.STATUS  # nothing was asked with


def test_an_address_is_asked_for_as_browsers_write_it(server: WebServer, client: PictureClient) -> None:
    assert client.fetch(f"{server.origin}/图 1.png?größe=50%25").body == b"picture"
    server.status, server.headers = 302, {"Location": "/größe.png"}  # as UTF-8
    fault(client, f"{server.origin}/a.png")
    assert [post.path for post in server.posts[:3]] == [
        "/%E5%9B%BE%201.png?gr%C3%B6%C3%9Fe=50%25", "/a.png", "/gr%C3%B6%C3%9Fe.png",
    ]  # fmt: skip


@pytest.mark.parametrize("etag", ["one", '"a b"', '"\x7f"', '"' + "x" * 300 + '"'])
def test_an_odd_etag_is_not_kept(server: WebServer, client: PictureClient, etag: str) -> None:
    server.headers = {**PNG, "ETag": etag}
    assert client.fetch(f"{server.origin}/a.png").etag == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/a.png", "https://127.0.0.1/a.png", "https://10.0.0.7/a.png", "https://[::1]/a.png",
        "https://169.254.169.254/latest", "https://192.168.1.1:8443/a.png", "http://shop.example/a.png",
        "https://shop.example:22/a.png", "https://name:word@shop.example/a.png", "file:///etc/passwd", "https://",
        "/a.png",
        "//127.0.0.1/a.png", "https://shöp.example/a.png", "https://shop.example\\@127.0.0.1/a.png",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_asked(client: PictureClient, url: str) -> None:
    assert fault(client, url) == PictureFault.FORBIDDEN


@pytest.mark.parametrize(
    "target", ["https://127.0.0.1:8443/b.png", "https://localhost/b.png", "http://10.0.0.7/", "//[::1]/b"]
)
def test_a_redirect_to_a_private_place_is_not_followed(server: WebServer, client: PictureClient, target: str) -> None:
    server.status, server.headers = 302, {"Location": target}
    assert fault(client, f"{server.origin}/a.png") == PictureFault.FORBIDDEN
    assert len(server.posts) == 1


def test_a_redirect_is_followed_but_not_for_ever(server: WebServer) -> None:
    with web_server(status=301, headers={"Location": f"{server.origin}/b.png"}) as first:
        with closing(PictureClient(trusted=[server.origin, first.origin])) as client:
            assert client.fetch(f"{first.origin}/a.png").body == b"picture"
            first.headers = {"Location": "/again.png"}
            assert fault(client, f"{first.origin}/a.png") == PictureFault.STATUS
        assert len(first.posts) <= 6


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (404, PNG, b"x", PictureFault.GONE), (410, PNG, b"x", PictureFault.GONE), (500, PNG, b"x", PictureFault.STATUS),
        (200, {"Content-Type": "text/html"}, b"x", PictureFault.NOT_A_PICTURE),
        (200, {}, b"x", PictureFault.NOT_A_PICTURE),
        (200, PNG, b"", PictureFault.NO_ANSWER), (200, PNG, b"x" * (LARGEST + 1), PictureFault.TOO_LARGE),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_told_apart(
    server: WebServer, client: PictureClient, status: int, headers: dict[str, str], body: bytes, expected: PictureFault
) -> None:
    server.status, server.headers, server.body = status, headers, body
    assert fault(client, f"{server.origin}/a.png") == expected


@pytest.mark.parametrize("conduct", ["drips", "drips head", "cut_before", "cut_after", "silent"])
def test_a_slow_server_is_given_up_and_left_alone_after_three(server: WebServer, conduct: str) -> None:
    server.conduct, began = conduct, time.monotonic()
    with closing(PictureClient(trusted=[server.origin], patience=0.2)) as client:
        for _turn in range(MOST_SILENT):
            assert fault(client, f"{server.origin}/a.png") == PictureFault.NO_ANSWER
        with pytest.raises(SilentHostError):
            client.fetch(f"{server.origin}/b.png")
    assert time.monotonic() - began < 5
    assert len(server.posts) <= MOST_SILENT


def test_a_server_that_is_down_gives_no_answer() -> None:
    with web_server() as gone:
        origin = gone.origin
    with closing(PictureClient(trusted=[origin])) as client:
        assert fault(client, f"{origin}/a.png") == PictureFault.NO_ANSWER


def test_a_host_is_asked_for_two_at_a_time(server: WebServer, client: PictureClient) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def made(_body: bytes) -> bytes:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        return b"picture"

    server.made = made
    with ThreadPoolExecutor(6) as threads:
        bodies = list(threads.map(lambda at: client.fetch(f"{server.origin}/{at}.png").body, range(8)))
    assert bodies == [b"picture"] * 8
    assert most[0] == AT_ONCE
