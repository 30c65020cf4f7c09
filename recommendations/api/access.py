"""Authentication, scopes and rate limits of the API. A view says what it needs in ``required_scope``; one that gives to
read what its other methods change says in ``reading_scope`` what that needs.

The framework's views import this module, so it does not import them.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from recommendations.ingest.facts import Sender
from recommendations.services.access import keys
from recommendations.services.access.addresses import client_address
from recommendations.services.access.crawlers import is_crawler
from recommendations.services.access.quotas import EventQuotas
from recommendations.services.access.rates import Rate
from recommendations.terms import Scope, Side

SCHEME = "Api-Key"
READING = ("GET", "HEAD")
POLICY, STATE = "RateLimit-Policy", "RateLimit"
"""Headers that say how much of each limit is left, as the IETF's draft of the RateLimit fields has them."""

REQUESTS = "requests"
_NOTED = "recsite.rates"  # in the environment of a request, which both Django and the framework can reach
BEACON = "text/plain"
"""Content type that ``navigator.sendBeacon`` sends without preflight; it has no header: the key is in the body."""


class _WithKey(msgspec.Struct):
    api_key: str


_with_key = msgspec.json.Decoder(_WithKey)


class UnfitKeyError(AuthenticationFailed):
    """A key that is known came in a way that it may not come."""

    def __init__(self, key: keys.KnownKey, detail: str) -> None:
        super().__init__(detail)
        self.key = key


class ApiKeyAuthentication(BaseAuthentication):
    """Authentication by ``Authorization: Api-Key <prefix>.<secret>``; the key is in ``request.auth``; no session.

    A page that is being left sends ``text/plain``, with its key as ``api_key``; such a key is one for pages.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, keys.KnownKey] | None:
        scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return _of_beacon(request)
        if scheme.lower() != SCHEME.lower():
            raise AuthenticationFailed(_("Send the key as “Authorization: Api-Key <prefix>.<secret>”."))
        return AnonymousUser(), valid_key(token.strip())

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - given by the framework
        return f'{SCHEME} realm="api"'


def _of_beacon(request: Request) -> tuple[AnonymousUser, keys.KnownKey] | None:
    if request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != BEACON:
        return None
    try:
        token = _with_key.decode(request.body).api_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    key = valid_key(token)
    if not key.is_public:
        raise UnfitKeyError(key, _("Only a key that can do nothing but send events may be in the body."))
    return AnonymousUser(), key


def valid_key(token: str) -> keys.KnownKey:
    """The key of a token. Raises AuthenticationFailed."""
    key = keys.find_key(token)
    if key is None:
        raise AuthenticationFailed(_("This API key is unknown, was revoked, or has expired."))
    return key


def scope_of(view: Any, method: str) -> Scope | None:
    """What a key needs for a method of a view; None where the view does not say."""
    scope: Scope | None = getattr(view, "required_scope", None)
    return getattr(view, "reading_scope", scope) if method in READING else scope


class HasScope(BasePermission):
    """Permission by scope, denied by default: a view without ``required_scope`` is refused to every key, and one that
    does not say that it is ``for_pages`` to every key in a page.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        scope, key = scope_of(view, request.method or ""), request.auth
        self.message = _("This API key lacks the scope “%(scope)s”.") % {"scope": scope or "-"}
        if not isinstance(key, keys.KnownKey) or scope not in key.scopes:
            return False
        self.message = _("A key in a page cannot do this: ask from your server, with a key of its own.")
        return key.side is Side.SERVER or getattr(view, "for_pages", False)


def quotas_of(request: Request) -> EventQuotas:
    """Quotas of who sends events; a permission has let the key through."""
    key: Any = request.auth
    crawls = is_crawler(request.META.get("HTTP_USER_AGENT", ""))
    return EventQuotas(key, client_address(request.META), crawls=crawls)


def sender_of(quotas: EventQuotas) -> Sender:
    """Who hands in what stands in the body."""
    key = quotas.key
    replays = Scope.EVENTS_REPLAY in key.scopes
    return Sender(key.pk, key.side, replays=replays, crawls=quotas.crawls, newcomers=quotas.newcomers)


class KeyRate(BaseThrottle):
    """Throttle that lets through as many requests a minute as the key allows."""

    def allow_request(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - given by the framework
        if not isinstance(request.auth, keys.KnownKey):
            return True
        rate = keys.count_request(request.auth)
        note(request, {REQUESTS: rate})
        self._wait = rate.wait
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


def note(request: Request, rates: Mapping[str, Rate]) -> None:
    """Note what a request was counted by, for the headers of its answer."""
    request.META.setdefault(_NOTED, {}).update(rates)


def rate_headers(rates: Mapping[str, Rate]) -> list[tuple[str, str]]:
    """Headers such as ``"requests";q=60000;w=60`` (limit, seconds of its window) and ``"requests";r=59998;t=42``."""
    policies = [f'"{name}";q={rate.limit};w={rate.window}' for name, rate in rates.items()]
    states = [f'"{name}";r={rate.left};t={math.ceil(rate.resets)}' for name, rate in rates.items()]
    return [(POLICY, ", ".join(policies)), (STATE, ", ".join(states))]


class RateHeaders:
    """Middleware that says how much is left of what a request was counted by."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._get_response(request)
        if rates := request.META.get(_NOTED):
            for name, value in rate_headers(rates):
                answer[name] = value
        return answer
