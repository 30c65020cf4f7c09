"""A feed by http: asked for as little as can be, from nowhere else, and within bounds."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommendations.ingest.feeds import fetching
from recommendations.ingest.feeds.fetching import FeedAwayError, Validators, fetch, without_secrets
from tests.feed_server import FeedServer, serving

HERE = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with serving(FeedServer(content=b"item_id,title\nA1,Shoe\n")) as up:
        yield up


def get(address: str, folder: Path, *, known: Validators | None = None, trusted: str = HERE) -> bytes | None:
    fetched = fetch(address, folder=folder, known=known, trusted=trusted)
    return fetched.path.read_bytes() if fetched else None


def test_a_feed_that_has_not_changed_is_not_sent_again(server: FeedServer, tmp_path: Path) -> None:
    server.etag, server.modified = '"one"', "Tue, 01 Sep 2026 10:00:00 GMT"
    fetched = fetch(f"{server.address}/feed.csv?token=x", folder=tmp_path, trusted=HERE)
    assert fetched
    assert (fetched.path.name, fetched.validators) == ("feed.csv", (server.etag, server.modified))
    assert get(f"{server.address}/feed.csv", tmp_path, known=fetched.validators) is None
    assert get(f"{server.address}/feed.csv", tmp_path, known=Validators("", server.modified)) is None
    assert get(f"{server.address}/feed.csv", tmp_path, known=Validators('"two"')) == server.content
    assert server.paths == ["/feed.csv?token=x", "/feed.csv", "/feed.csv", "/feed.csv"]
    assert "If-None-Match" not in server.asked[0]


def test_a_login_goes_to_its_own_host_alone(server: FeedServer, tmp_path: Path) -> None:
    with_login = server.address.replace("://", "://shop:p%40ss@")
    get(with_login, tmp_path)
    assert server.asked[0]["Authorization"] == "Basic c2hvcDpwQHNz"  # shop:p@ss
    with serving(FeedServer(status=302, headers={"Location": f"{server.address}/moved"})) as other:
        assert get(other.address.replace("://", "://shop:p%40ss@"), tmp_path) == server.content
        assert "Authorization" in other.asked[0]
    assert (server.paths[-1], "Authorization" in server.asked[-1]) == ("/moved", False)


def test_what_is_secret_in_an_address_is_not_shown() -> None:
    assert (
        without_secrets("https://shop:secret@feeds.example:8443/a/b.xml?token=1")
        == "https://feeds.example:8443/a/b.xml?…"
    )


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1", "localhost", "10.0.0.7", "192.168.1.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]",
        "100.64.0.1", "0.0.0.0",
    ],
)  # fmt: skip
def test_addresses_inside_the_network_are_not_asked(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_given: pytest.fail("it was asked"))
    with pytest.raises(FeedAwayError, match="is inside this network"):
        get(f"http://{place}:1/feed.csv", tmp_path, trusted="feeds.example")


def test_a_public_name_cannot_lead_inside(server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host that the setting names may redirect, but not to another one inside the network."""
    server.status, server.headers = 302, {"Location": "http://10.0.0.7/admin"}
    with pytest.raises(FeedAwayError, match=r"http://10\.0\.0\.7/admin is inside this network"):
        get(server.address, tmp_path)


REFUSED = [
    (FeedServer(status=302, headers={"Location": "https://127.0.0.1/feed"}), "by another protocol"),
    (FeedServer(status=302, headers={"Location": "file:///etc/passwd"}), "by another protocol"),
    (FeedServer(status=301, headers={"Location": "/again"}), "without end"),
    (FeedServer(status=302), "without end"),
    (FeedServer(status=401), "asks for a login"),
    (FeedServer(status=403), "is forbidden to us"),
    (FeedServer(status=404), "has no feed (404)"),
    (FeedServer(status=500), "answered 500"),
    (FeedServer(status=304), "answered 304"),  # of nothing that we know
    (FeedServer(content=b"item_id,title\n", broken=True), "broke off in the middle"),
]


@pytest.mark.parametrize(("behaviour", "words"), REFUSED)
def test_what_gives_no_feed_says_so(tmp_path: Path, behaviour: FeedServer, words: str) -> None:
    with serving(behaviour) as up, pytest.raises(FeedAwayError) as caught:
        get(f"{up.address}/feed?key=secret", tmp_path)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_feed_without_end_is_cut_off(server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 10)
    with pytest.raises(FeedAwayError, match="is larger than"):
        get(server.address, tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(fetching, "IN_ALL", -1)
    with pytest.raises(FeedAwayError, match="took longer"):
        get(server.address, tmp_path)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/feed", "https:///feed", "http://no-such-host.invalid/feed", "http://127.0.0.1:x/f"]
)
def test_an_address_that_leads_nowhere_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(FeedAwayError):
        get(address, tmp_path)


def test_a_server_that_never_answers_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "READING", 0.2)
    with socket.create_server((HERE, 0)) as silent, pytest.raises(FeedAwayError, match="timed out"):
        get(f"http://{HERE}:{silent.getsockname()[1]}/feed", tmp_path)
