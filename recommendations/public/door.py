"""The door to pages for customers: the token in the address is the proof, so there is no login, no cookie and no CSRF.

Whatever is wrong with a token, the answer is one and the same, and looking never changes anything.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from math import ceil
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.csp import CSP
from django.utils.http import urlencode
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt

from recommendations.models import Address, Contact, Customer
from recommendations.public.zones import time_zones
from recommendations.services.access.addresses import client_network
from recommendations.services.access.keys import rates
from recommendations.services.contacts.links import address_of_token
from recommendations.services.contacts.tokens import LinkKind, SignedLink
from recommendations.services.privacy.own_links import customer_of_token

POSTS_OF_TOKEN, POSTS_OF_NETWORK = 10, 60  # a minute
METHODS = ("GET", "HEAD", "POST")
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
POLICY: Mapping[str, Collection[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": ["data:"],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
"""Stricter than that of other pages: these have no script and no pictures."""

type View = Callable[[HttpRequest, str], HttpResponseBase]


class Whose(Protocol):
    """Finds the address of a token; None where nobody is let in."""

    def __call__(self, token: str, *, now: datetime) -> Address | None: ...


def public[Page: Callable[..., HttpResponseBase]](page: Page) -> Page:
    """Exempt a page from login and CSRF."""
    exempted: Page = csrf_exempt(login_not_required(csp_override(POLICY)(page)))
    return exempted


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Somebody before a page, let in by the token of its address; ``contact`` says in which language to speak."""

    request: HttpRequest
    token: str
    now: datetime
    contact: Contact | None = None

    @property
    def here(self) -> str:
        """Address of the page, in the language that was chosen."""
        return _address(self.request)

    @property
    def deed(self) -> str:
        """What the form says that is to be done; nothing where somebody only looks."""
        return self.request.POST.get("act", "") if self.request.method == "POST" else ""

    def to(self, **query: str) -> HttpResponseRedirect:
        """Lead to the page again, which says what was done."""
        return HttpResponseRedirect(_address(self.request, **query))

    def answer(self, template: str, context: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
        return _page(self.request, template, {"here": self.here, **context}, status=status)


@dataclass(frozen=True, kw_only=True)
class AddressGuest(Guest):
    """The owner of an address."""

    address: Address


@dataclass(frozen=True, kw_only=True)
class CustomerGuest(Guest):
    """A customer whom the shop gave a link; None: somebody of whom nothing is held."""

    customer: Customer | None
    link: SignedLink


def door(kind: LinkKind, *, whose: Whose | None = None) -> Callable[[Callable[[AddressGuest], HttpResponseBase]], View]:
    """Let those in whose token is of this kind, and opens an address that is in use; ``whose`` finds it otherwise."""

    def guest_of(request: HttpRequest, token: str, now: datetime) -> AddressGuest | None:
        address = whose(token, now=now) if whose else address_of_token(token, kind, now=now)
        if address is None:
            return None
        return AddressGuest(request=request, token=token, now=now, contact=address.contact, address=address)

    # Mail programs of many people unsubscribe from a network or two; each link has its own limit.
    return _behind(guest_of, is_one_click=kind is LinkKind.UNSUBSCRIBE)


def customer_door(kind: LinkKind) -> Callable[[Callable[[CustomerGuest], HttpResponseBase]], View]:
    """Let customers in whose token is of this kind."""

    def guest_of(request: HttpRequest, token: str, now: datetime) -> CustomerGuest | None:
        opened = customer_of_token(token, kind, now=now)
        if opened is None:
            return None
        link, customer = opened
        contact = getattr(customer, "contact", None)  # of few is something kept to write to them
        return CustomerGuest(request=request, token=token, now=now, contact=contact, customer=customer, link=link)

    return _behind(guest_of)


def _behind[Who: Guest](
    guest_of: Callable[[HttpRequest, str, datetime], Who | None], *, is_one_click: bool = False
) -> Callable[[Callable[[Who], HttpResponseBase]], View]:
    """Stand before a page, in the language of its guest; too many forms are refused, but none that says no."""

    def around(view: Callable[[Who], HttpResponseBase]) -> View:
        @wraps(view)
        def page(request: HttpRequest, token: str) -> HttpResponseBase:
            now = timezone.now()
            if request.method not in METHODS:
                return finished(HttpResponseNotAllowed(METHODS))
            guest = guest_of(request, token, now)
            contact = guest.contact if guest else None
            with translation.override(_language(request, contact)), timezone.override(_zone(contact)):
                posts = request.method == "POST" and not (guest is not None and says_no(request))
                of_network = guest is None or not is_one_click
                wait = _wait(request, token, of_network=of_network) if posts else None
                if wait is not None:
                    return finished(_too_often(request, wait))
                return finished(nothing(request) if guest is None else view(guest))

        return public(page)

    return around


@public
def unknown_link(request: HttpRequest) -> HttpResponse:
    """Whatever else is asked of us under the address of these pages: as a token that nobody knows."""
    with translation.override(_language(request, None)):
        return finished(nothing(request))


def finished[Answer: HttpResponseBase](answer: Answer) -> Answer:
    for name, value in HEADERS.items():
        answer.headers[name] = value
    answer.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    return answer


def _page(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: HTTPStatus) -> HttpResponse:
    """A page without what pages for staff know of their reader, which would open a session."""
    current = translation.get_language()
    languages = [
        {
            "code": code,
            "name": translation.get_language_info(code)["name_local"],
            "address": _address(request, **(request.GET.dict() | {"language": code})),
            "current": code == current,
        }
        for code, _name in settings.LANGUAGES
    ]
    everywhere = {"shop": settings.SHOP_NAME, "language": current, "languages": languages}
    return HttpResponse(render_to_string(f"preferences/{template}.html", {**everywhere, **context}), status=status)


def nothing(request: HttpRequest) -> HttpResponse:
    return _page(request, "unknown", {}, status=HTTPStatus.NOT_FOUND)


def _too_often(request: HttpRequest, wait: float) -> HttpResponse:
    answer = _page(request, "too_often", {"here": _address(request)}, status=HTTPStatus.TOO_MANY_REQUESTS)
    answer.headers["Retry-After"] = str(ceil(wait))
    return answer


def says_no(request: HttpRequest) -> bool:
    """Whether somebody wants to get less: that is done however often they came before."""
    act = request.POST.get("act")
    return act in {"stop", "deny", "pause", "object"} or (act == "purpose" and request.POST.get("on") == "no")


def _wait(request: HttpRequest, token: str, *, of_network: bool) -> float | None:
    """Seconds until something may be sent again; None where it may now. Neither token nor address is stored."""
    if of_network:
        network = salted_hmac(__name__, client_network(request), algorithm="sha256").hexdigest()[:32]
        rate = rates().take(f"public:{network}", limit=POSTS_OF_NETWORK)
        if rate.wait is not None:
            return rate.wait
    of_token = hashlib.sha256(token.encode()).hexdigest()[:32]
    return rates().take(f"public:{of_token}", limit=POSTS_OF_TOKEN).wait


def _language(request: HttpRequest, contact: Contact | None) -> str:
    """The language that was chosen on the page, else that of the contact, else the browser's."""
    chosen = request.GET.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return contact.language if contact else translation.get_language_from_request(request)


def _zone(contact: Contact | None) -> ZoneInfo:
    own = contact.time_zone if contact else ""
    return ZoneInfo(own if own in time_zones() else settings.TIME_ZONE)


def _address(request: HttpRequest, **query: str) -> str:
    chosen = request.GET.get("language", "")
    kept = {"language": chosen} if chosen in dict(settings.LANGUAGES) else {}
    whole = {name: value for name, value in (kept | query).items() if name in {"language", "was", "sent"}}
    return f"{request.path}?{urlencode(whole)}" if whole else request.path
