"""The fast door: a simple ``GET`` of a placement is answered before Django, by the function that Django's view calls.

Whatever is not plain falls through to Django, which answers it or says what is wrong. Headers are those that Django
gave its own answer to the first request of the same site, so that both doors send the same.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished
from django.db import connection
from django.http.request import split_domain_port
from django.utils import timezone
from structlog import get_logger

from recommendations.api import request_ids
from recommendations.api.access import POLICY, REQUESTS, SCHEME, STATE, rate_headers
from recommendations.api.http.negotiation import PLAIN
from recommendations.api.recommend import is_dear
from recommendations.api.recommend_form import ParsedRequest, of_query
from recommendations.api.rendering import Writing, whole
from recommendations.services.access import keys
from recommendations.services.access.rates import Rate
from recommendations.services.operations import metrics
from recommendations.services.privacy.memory import people_cache
from recommendations.serving.serve import knows, serve_written
from recommendations.terms import Scope, Side

PATH = re.compile(r"/api/v1/placements/(?P<placement>[-a-zA-Z0-9_]+)/recommend/")
ROUTE = "/api/v1/placements/<slug:placement>/recommend/"
LONGEST_QUERY = 4_096  # characters
MOST_FIELDS = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS or LONGEST_QUERY  # Django refuses more
QUERIES = 4_096  # parsed queries that are remembered
SITES = 100  # sites whose headers are remembered
OWN = frozenset(
    {"content-length", "content-language", POLICY.lower(), STATE.lower(), request_ids.HEADER.lower()}
)  # headers that every answer has of its own
KEY = f"{SCHEME} "

type Environ = dict[str, Any]
type Header = tuple[str, str]
type StartResponse = Callable[..., Any]
type App = Callable[[Environ, StartResponse], Iterable[bytes]]

log = get_logger(__name__)
_lines = logging.getLogger(__name__)


class Site(NamedTuple):
    """Domain and scheme at which a request came in; the port is anybody's to name, and changes nothing."""

    domain: str  # "" where the host is none
    scheme: str
    forwarded: str  # the scheme that a proxy names

    @classmethod
    def of(cls, environ: Environ) -> "Site":
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO", "")
        return cls(_domain(environ.get("HTTP_HOST", "")), environ["wsgi.url_scheme"], forwarded)


class Known(NamedTuple):
    """Django's headers of an answer of a site, and the scheme of its addresses, under which pictures stand."""

    headers: list[Header]
    scheme: str


class Door:
    """WSGI application in front of Django's."""

    def __init__(self, django: App) -> None:
        self._django = django
        self._known: dict[Site, Known] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        match = PATH.fullmatch(environ["PATH_INFO"])
        if match is None or not _is_plain(environ):
            return self._django(environ, start_response)
        site = Site.of(environ)
        learned = self._known.get(site)
        if learned is None:
            return self._django(environ, self._learning(site, environ, start_response))
        answer = _answered(environ, match["placement"], site=f"{learned.scheme}://{environ['HTTP_HOST']}")
        if answer is None:
            return self._django(environ, start_response)
        start_response("200 OK", [*learned.headers, *answer.headers])
        return [answer.body]

    def _learning(self, site: Site, environ: Environ, start_response: StartResponse) -> StartResponse:
        """Remember a site when Django answers it with 200: it refuses hosts not ours, and sends http on to https."""

        def start(status: str, headers: list[Header], *rest: Any) -> Any:
            lasting = [(name, value) for name, value in headers if name.lower() not in OWN]
            personal = any(name.lower() == "set-cookie" for name, _ in lasting)
            if status.startswith("200 ") and not personal and site.domain:
                if len(self._known) >= SITES:
                    self._known.pop(next(iter(self._known)), None)  # the oldest
                self._known[site] = Known(lasting, WSGIRequest(environ).scheme or site.scheme)
            return start_response(status, headers, *rest)

        return start


@lru_cache(SITES)
def _domain(host: str) -> str:
    return split_domain_port(host)[0]


class _Answer(NamedTuple):
    body: bytes
    lang: str
    rate: Rate
    request_id: str

    @property
    def headers(self) -> list[Header]:
        own = [
            ("Content-Language", self.lang),
            ("Content-Length", str(len(self.body))),
            (request_ids.HEADER, self.request_id),
        ]
        return own + rate_headers({REQUESTS: self.rate})


def _is_plain(environ: Environ) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not environ.get("SCRIPT_NAME")
        and environ.get("HTTP_ACCEPT", "") in PLAIN
        and len(environ["QUERY_STRING"]) <= LONGEST_QUERY
        and environ["QUERY_STRING"].isascii()  # WSGI has raw UTF-8 as Latin-1
        and environ.get("HTTP_AUTHORIZATION", "").startswith(KEY)
        and "HTTP_ORIGIN"
        not in environ  # whether its key may be used there Django says, in headers of that answer alone
    )


def _answered(environ: Environ, placement: str, *, site: str) -> _Answer | None:
    """The answer; None where Django is to answer, and then the request is not counted here, either."""
    started = time.perf_counter()
    try:
        key = keys.find_key(environ["HTTP_AUTHORIZATION"][len(KEY) :].strip())
        if key is None or key.side is Side.PAGE or Scope.RECOMMENDATIONS_READ not in key.scopes or not knows(placement):
            return None
        parsed = _asked(placement, environ["QUERY_STRING"])
        if is_dear(parsed.request):
            return None
        rate = keys.count_request(key)
        if not rate.taken:
            return None
        request_id = request_ids.name_of(environ)
        answer = _Answer(_served(parsed, site=site, request_id=request_id), parsed.lang, rate, request_id)
        metrics.count_request(route=ROUTE, method="GET", status=200, seconds=time.perf_counter() - started)
        return answer
    except Exception:  # noqa: BLE001 - Django meets the same, logs it and says it as it says everything
        return None
    finally:
        if connection.connection is not None:
            request_finished.send(sender=Door)  # it goes back to the pool


@people_cache(QUERIES)
def _asked(placement: str, query: str) -> ParsedRequest:
    return of_query(placement, parse_qs(query, keep_blank_values=True, max_num_fields=MOST_FIELDS))


def _served(asked: ParsedRequest, *, site: str, request_id: str) -> bytes:
    writing = Writing(asked.lang, asked.fields, site=site)
    body = whole(serve_written(asked.request, write=writing, now=timezone.now()))
    if _lines.isEnabledFor(logging.INFO):
        log.info("request_finished", code=200, request=f"GET {ROUTE}", request_id=request_id)
    return body
