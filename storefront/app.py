"""WSGI: a request in, a page of ``ShopSite`` out, under a policy that lets a page run and load only what it must."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from storefront.filling import Html

COOKIE = "shop_visit"
LARGEST_FORM = 64 * 1024  # bytes
FOLDER = Path(__file__).parent
FILES = {
    "shop.css": FOLDER / "static/shop.css",
    "icon.svg": FOLDER / "static/icon.svg",
    "shop.js": FOLDER / "static/shop.js",
    "push.js": FOLDER / "static/push.js",
    "push-store.js": FOLDER / "static/push-store.js",
    "worker.js": FOLDER / "static/worker.js",
} | {
    name: FOLDER.parent / "clients/javascript" / name for name in ("recsite.js", "recsite-push.js", "recsite-worker.js")
}

type Start = Callable[[str, list[tuple[str, str]]], object]
type Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    visit_key: str


@dataclass(frozen=True)
class Response:
    """A page, or the way to another one (``location``)."""

    body: Html = Html()  # noqa: RUF009 - a text does not change
    status: HTTPStatus = HTTPStatus.OK
    location: str = ""
    visit_key: str = field(default="")  # to be remembered


def application(answer: Callable[[Request], Response], *, recsite: str, push_service: str = "") -> Wsgi:
    """WSGI application that serves ``answer``; ``recsite``: where pages may send events and load pictures.

    ``push_service``: where they may fetch what waits for them.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; img-src 'self' {recsite}; connect-src {recsite} {push_service}".rstrip()
    )
    always = [
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
    ]

    def serve(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        name = environ["PATH_INFO"].removeprefix("/static/")
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"} and name in FILES:
            kind = guess_type(name)[0] or "text/plain"
            return _send(start, HTTPStatus.OK, FILES[name].read_bytes(), [*always, ("Content-Type", kind)])
        if environ["REQUEST_METHOD"] == "POST" and not _is_our_own(environ):
            return _send(start, HTTPStatus.FORBIDDEN, b"Forms of this shop only.", always)
        response = answer(_request(environ))
        headers = [*always, ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        if response.location:
            headers.append(("Location", response.location))
        if response.visit_key:
            headers.append(("Set-Cookie", f"{COOKIE}={response.visit_key}; Path=/; HttpOnly; SameSite=Lax"))
        return _send(start, response.status, response.body.encode(), headers)

    return serve


def _send(start: Start, status: HTTPStatus, body: bytes, headers: list[tuple[str, str]]) -> Iterable[bytes]:
    start(f"{status.value} {status.phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _is_our_own(environ: dict[str, Any]) -> bool:
    """Whether a form comes from a page of ours: browsers say from where it comes."""
    return environ.get("HTTP_SEC_FETCH_SITE", "none") in {"same-origin", "none"}


def _request(environ: dict[str, Any]) -> Request:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(min(length, LARGEST_FORM)) if environ["REQUEST_METHOD"] == "POST" else b""
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
    try:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        cookie = None
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=_firsts(environ.get("QUERY_STRING", "")),
        form=_firsts(body.decode(errors="replace")),
        visit_key=cookie.value if cookie else "",
    )


def _firsts(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
