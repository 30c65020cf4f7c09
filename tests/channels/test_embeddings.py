"""A service of vectors is asked in the usual form, again where that may help, and only where it may stand."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from recommendations.channels.embeddings import EmbeddingService, NoEmbeddingsError, names_inside, service_place
from recommendations.channels.outbound import ForbiddenAddressError
from tests.channels.web_server import WebServer, web_server


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as own:
        yield own


def vectors(
    server: WebServer, *texts: str, pauses: list[float] | None = None, path: str = "/v1"
) -> list[Sequence[float] | None]:
    sleep = ([] if pauses is None else pauses).append
    with closing(EmbeddingService(server.origin + path, model="small", key="secret", sleep=sleep)) as service:
        return service.embed(texts)


def answer(*rows: tuple[int | None, list[float]]) -> bytes:
    data = [{"embedding": values} | ({} if at is None else {"index": at}) for at, values in rows]
    return json.dumps({"object": "list", "data": data, "usage": {"total_tokens": 2}}).encode()


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/embeddings"])
def test_it_is_asked_in_the_usual_form(server: WebServer, path: str) -> None:
    server.body = answer((1, [0, 2]), (0, [1, 0]))
    assert vectors(server, "milk", "bread", path=path) == [[1, 0], [0, 2]]
    [post] = server.posts
    assert post.path == "/v1/embeddings"
    assert json.loads(post.body) == {"model": "small", "input": ["milk", "bread"]}
    assert post.headers["authorization"] == "Bearer secret"
    assert post.headers["content-type"] == "application/json"


def test_a_text_that_got_none_has_none(server: WebServer) -> None:
    server.body = answer((2, [1]), (7, [1]), (-1, [1]))
    assert vectors(server, "a", "b", "c") == [None, None, [1]]
    server.body = answer((None, [1]))
    assert vectors(server, "a", "b") == [[1], None]


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"[]", b'{"data": [{"embedding": "AAAA"}]}', b'{"data": [{"embedding": [NaN]}]}']
)
def test_another_answer_is_none(server: WebServer, body: bytes) -> None:
    server.body = body
    with pytest.raises(NoEmbeddingsError, match="no list of embeddings"):
        vectors(server, "a")


@pytest.mark.parametrize(
    ("status", "tries"), [(500, 3), (503, 3), (429, 3), (400, 1), (401, 1), (404, 1), (301, 1), (307, 1)]
)
def test_it_is_tried_again_where_that_may_help(server: WebServer, status: int, tries: int) -> None:
    pauses: list[float] = []
    server.status, server.headers = status, {"Location": f"{server.origin}/elsewhere"}
    with pytest.raises(NoEmbeddingsError, match=f"HTTP {status}"):
        vectors(server, "a", pauses=pauses)
    assert [post.path for post in server.posts] == ["/v1/embeddings"] * tries
    assert pauses == [1.0, 4.0][: tries - 1]


def test_it_is_left_alone_as_long_as_it_says(server: WebServer) -> None:
    pauses: list[float] = []
    server.status, server.headers = 429, {"Retry-After": "9"}
    with pytest.raises(NoEmbeddingsError):
        vectors(server, "a", pauses=pauses)
    assert pauses == [9.0, 9.0]


def test_a_line_that_is_cut_says_neither_address_nor_key(server: WebServer) -> None:
    server.conduct = "cut_after"
    with pytest.raises(NoEmbeddingsError, match="no answer in time") as raised:
        vectors(server, "a")
    assert "secret" not in str(raised.value)
    assert str(server.port) not in str(raised.value)
    assert len(server.posts) == 3


def test_where_a_service_may_stand() -> None:
    for url in ("https://embed.example/v1", "http://127.0.0.1:8080/v1", "http://embedder:80", "https://10.0.0.7:9443"):
        assert service_place(url).host
    for url in ("http://embed.example/v1", "https://embed.example:9443", "ftp://embedder", "https://", "https://[::1",
                "https://name:word@embed.example/v1", ""):  # fmt: skip
        with pytest.raises(ForbiddenAddressError):
            service_place(url)
    assert names_inside("embedder.internal")
    assert not names_inside("8.8.8.8")


def test_a_public_name_that_leads_inside_is_refused(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda _host, port, **_rest: [(2, 1, 6, "", ("127.0.0.1", port))])
    with pytest.raises(NoEmbeddingsError, match="may not be spoken to: it is inside this network"):
        EmbeddingService("https://embed.example/v1", model="small", key="").embed(["a"])
    assert server.connections == 0


def test_plain_http_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name inside that leads to a public address is not spoken to without TLS."""
    monkeypatch.setattr("socket.getaddrinfo", lambda _host, port, **_rest: [(2, 1, 6, "", ("8.8.8.8", port))])
    with pytest.raises(NoEmbeddingsError, match="may not be spoken to"):
        EmbeddingService("http://embedder/v1", model="small", key="").embed(["a"])
