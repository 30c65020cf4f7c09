"""What goes to addresses that others gave: never inside this network, never where a redirect leads, never for long."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from recommendations.channels import outbound
from recommendations.channels.outbound import (
    CutOffError,
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    NotConnectedError,
    is_public,
    place_of,
)
from tests.channels.web_server import WebServer, certificate, web_server

INSIDE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001", "localhost", "0.0.0.0", "0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "10.0.0.1", "172.16.0.1",
    "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "100.64.0.1", "224.0.0.1", "255.255.255.255",
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as own:
        yield own


def posted(url: str, **wishes: Any) -> HttpAnswer:
    with closing(HttpClient(**{"timeout": 5.0, **wishes})) as client:
        return client.post(url, headers={"X-Own": "1"}, body=b"hello")


def test_a_post_arrives_whole_and_its_answer_is_told(server: WebServer) -> None:
    server.status, server.headers, server.body = 201, {"Location": "https://push.example/m/1"}, b"yes"
    answer = posted(f"{server.origin}/p?a=1", trusted=[server.origin])
    assert (answer.status, answer.headers["location"], answer.body) == (201, "https://push.example/m/1", b"yes")
    [post] = server.posts
    assert (post.path, post.headers["x-own"], post.body) == ("/p?a=1", "1", b"hello")
    assert post.headers["host"] == f"127.0.0.1:{server.port}"


def test_a_connection_serves_many_posts_and_one_that_was_shut_is_made_anew(server: WebServer) -> None:
    with closing(HttpClient(trusted=[server.origin])) as client:
        for _ in range(3):
            client.post(server.origin, headers={}, body=b"x")
        assert server.connections == 1
        server.headers = {"Connection": "close"}
        client.post(server.origin, headers={}, body=b"x")
        client.post(server.origin, headers={}, body=b"x")
    assert (server.connections, len(server.posts)) == (2, 5)


@pytest.mark.parametrize("host", INSIDE)
def test_nothing_inside_this_network_is_spoken_to(
    server: WebServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "PORTS", {server.port})
    with pytest.raises((ForbiddenAddressError, NotConnectedError)) as caught:
        posted(f"https://{host}:{server.port}/")
    assert server.connections == 0
    assert caught.type is ForbiddenAddressError or "not known" in str(caught.value)


@pytest.mark.parametrize("url", [
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https:///x", "//example.com", "example.com",
    "https://example.com:22/", "https://example.com:0/", "https://example.com:x/", "https://example.com:99999/",
    "https://ann@example.com/", "https://ann:b@example.com/", "https://@example.com/", "https://example.com\\@x.example/",
    "https://example.com/a b", "https://example.com/\r\nX: 1", "https://exämple.com/", "https://[fe80::1%25eth0]/",
    "https://example.com/" + "x" * 2_000, "", "https://[::1",
])  # fmt: skip
def test_an_address_that_cannot_be_right_is_refused_without_a_look_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: pytest.fail("it was looked up"))
    with pytest.raises(ForbiddenAddressError):
        posted(url)


def test_a_trusted_origin_is_that_scheme_host_and_port_alone(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "PORTS", {server.port})
    for url in (
        f"http://localhost:{server.port}",
        f"https://127.0.0.1:{server.port}",
        f"http://127.0.0.1:{server.port + 1}",
    ):
        with pytest.raises(ForbiddenAddressError):
            posted(url, trusted=[server.origin])
    with pytest.raises(ForbiddenAddressError):  # by http only to this very machine, whatever a setting says
        posted("http://10.0.0.1/", trusted=["http://10.0.0.1"])
    assert server.connections == 0


def _answers(*hosts: str) -> list[tuple]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)) for host in hosts]


def test_one_inside_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: _answers("93.184.215.14", "127.0.0.1"))
    with pytest.raises(ForbiddenAddressError):
        posted("https://shop.example/")


def test_the_connection_goes_to_the_address_that_was_looked_at(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means another address the second time (rebinding) has no second time."""
    lookups, connected = [], []

    def looked_up(host: str, *_args: object, **_options: object) -> list[tuple]:
        if host[0].isdigit():  # the address itself, by whoever connects to it
            return _answers(host)
        lookups.append(host)
        return _answers("93.184.215.14" if len(lookups) == 1 else "127.0.0.1")

    def connect(_sock: socket.socket, place: tuple) -> None:
        connected.append(place[0])
        raise OSError

    monkeypatch.setattr(outbound, "PORTS", {server.port})
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(NotConnectedError):
        posted(f"https://shop.example:{server.port}/")
    assert (lookups, connected, server.connections) == (["shop.example"], ["93.184.215.14"], 0)


def test_a_redirect_is_not_followed(server: WebServer) -> None:
    with web_server() as inside:
        for status in (301, 302, 303, 307, 308):
            server.status, server.headers = status, {"Location": f"{inside.origin}/secret"}
            assert posted(server.origin, trusted=[server.origin]).status == status
        assert (inside.connections, len(server.posts)) == (0, 5)


def test_proxies_of_the_environment_are_not_used(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        assert posted(server.origin, trusted=[server.origin]).status == 200
        assert proxy.connections == 0


def test_tls_asks_for_the_name_and_not_for_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, believed = certificate(tmp_path, "shop.example")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: _answers("127.0.0.1"))
    with web_server(tls=ours) as server:
        right, wrong = (f"https://{name}.example:{server.port}" for name in ("shop", "other"))
        _connect_to(server.port, monkeypatch)
        assert posted(right, trusted=[right], tls=believed).status == 200
        assert server.posts[0].headers["host"] == f"shop.example:{server.port}"
        for url, wishes in ((wrong, {"tls": believed}), (right, {})):  # another name; nobody who vouches for it
            with pytest.raises(NotConnectedError):
                posted(url, trusted=[url], **wishes)
        assert len(server.posts) == 1


def _connect_to(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda sock, _place: connect(sock, ("127.0.0.1", port)))


def test_who_does_not_answer_is_left_in_time(server: WebServer) -> None:
    server.conduct, began = "silent", time.monotonic()
    with pytest.raises(CutOffError):
        posted(server.origin, trusted=[server.origin], timeout=0.5)
    assert time.monotonic() - began < 2


def test_who_is_slow_at_the_greeting_is_left_in_time(tmp_path: Path) -> None:
    ours, believed = certificate(tmp_path, "127.0.0.1")
    with web_server(tls=ours, conduct="drips greeting") as server:
        began = time.monotonic()
        with pytest.raises(NotConnectedError):
            posted(server.origin, trusted=[server.origin], tls=believed, timeout=0.5)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("conduct", ["drips", "drips head", "large"])
def test_an_answer_without_an_end_counts_by_its_status(server: WebServer, conduct: str) -> None:
    server.conduct, server.status, began = conduct, 201, time.monotonic()
    answer = posted(server.origin, trusted=[server.origin], timeout=0.5)
    assert (answer.status, len(answer.body) <= outbound.LARGEST_ANSWER) == (201, True)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("conduct", ["cut_before", "cut_after"])
def test_who_hangs_up_has_been_spoken_to(server: WebServer, conduct: str) -> None:
    server.conduct = conduct
    with pytest.raises(CutOffError):
        posted(server.origin, trusted=[server.origin])


def test_nobody_there_is_told_apart_from_somebody_who_hangs_up(server: WebServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with pytest.raises(NotConnectedError):
        posted(f"http://127.0.0.1:{port}", trusted=[f"http://127.0.0.1:{port}"])


def test_origins_are_written_in_one_way() -> None:
    assert place_of("HTTPS://Push.Example.:443/x?y#z").origin == "https://push.example"
    assert place_of("https://push.example:8443").origin == "https://push.example:8443"
    assert place_of("https://[2606:4700::1]/").origin == "https://[2606:4700::1]"


def test_public_addresses_are_those_of_the_open_internet() -> None:
    assert all(map(is_public, ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14"]))
    assert not any(map(is_public, ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1", "192.0.2.1"]))
