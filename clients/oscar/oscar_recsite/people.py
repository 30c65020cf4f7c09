"""Whose a request is, as far as the visitor lets the shop say: the cookie of a visitor, and what led to an item."""

import re
import secrets
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac

from oscar_recsite.conf import function, setting
from recsite_client.bodies import EventFields

COOKIE = "recsite_visitor"
YEAR = 365 * 24 * 3600
VISITOR = re.compile(r"([A-Za-z0-9_-]{16,64})(?:\.([0-9a-f]{12}))?")  # and a mark of the customer whose it is
ANSWER = re.compile(r"[A-Za-z0-9_-]{1,128}")
CLICKS = "recsite_clicks"  # in the session: item → the answer in which it was clicked
MOST_CLICKS = 50

_request: ContextVar[HttpRequest | None] = ContextVar("recsite_request", default=None)


def everybody(_request: HttpRequest) -> bool:
    """Consent of everybody, for ``RECSITE_CONSENT`` where your visitors agree before they come in."""
    return True


def request_now() -> HttpRequest | None:
    """The request that is being answered, for signals that do not bring it along."""
    return _request.get()


class Shopper:
    """Whose a request is: with consent a visitor has an id in a cookie; who signed in is known to the shop."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        ask = function("RECSITE_CONSENT")
        said = ask(request) if ask else None
        self.consent: bool | None = None if said is None else bool(said)
        agent = request.META.get("HTTP_USER_AGENT", "")
        self.is_robot = re.search(setting("RECSITE_ROBOTS"), agent, re.IGNORECASE) is not None
        self._sent = request.COOKIES.get(COOKIE, "")
        match = VISITOR.fullmatch(self._sent) if self.consent else None
        self._visitor, self._mark = (match[1], match[2] or "") if match else ("", "")
        self._was_used = False

    @property
    def anonymous_id(self) -> str:
        return self.visitor_of(self._user())

    def visitor_of(self, user: Any) -> str:
        """The visitor's id, which is this customer's from now on. One that was another's is left to them."""
        self._was_used = True
        if not self.consent or self.is_robot:
            return ""
        mark = "" if user is None else salted_hmac(COOKIE, str(user.pk), algorithm="sha256").hexdigest()[:12]
        if not self._visitor or (mark and self._mark not in {"", mark}):
            self._visitor, self._mark = secrets.token_urlsafe(24), ""
        self._mark = mark or self._mark
        return self._visitor

    @property
    def user_id(self) -> str:
        self._was_used = True
        user = self._user()
        return "" if user is None or self.consent is False else str(user.pk)

    def part(self) -> None:
        """Take another id from now on: this one was a customer's, and an id is never used for two people."""
        self._visitor = self._mark = ""

    def names(self) -> EventFields:
        """Fields of an event that say whose it is; of nobody it says that it is only to be counted."""
        fields: EventFields = {}
        if user_id := self.user_id:
            fields["user_id"] = user_id
        if anonymous_id := self.anonymous_id:
            fields["anonymous_id"] = anonymous_id
        return fields or {"consent": {"personalisation": False}}

    def note_click(self, item_id: str, recommendation_id: str) -> None:
        """Remember in which answer an item was clicked, for what comes of it."""
        if self.consent and recommendation_id:
            clicks = {**self._clicks(), item_id: recommendation_id}
            self._request.session[CLICKS] = dict(list(clicks.items())[-MOST_CLICKS:])

    def answer_of(self, item_id: str) -> str:
        """The answer that led to an item: of the address, or remembered."""
        given = self._request.GET.get("rid", "")
        return given if ANSWER.fullmatch(given) else self._clicks().get(item_id, "")

    def finish(self, response: HttpResponseBase) -> None:
        """Write the visitor's cookie, or take it away."""
        if self._was_used:
            patch_vary_headers(response, ["Cookie"])
        cookie = ".".join(filter(None, (self._visitor, self._mark)))
        if cookie and cookie != self._sent:
            secure = self._request.is_secure()
            response.set_cookie(COOKIE, cookie, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
        elif self._sent and not cookie:
            response.delete_cookie(COOKIE, samesite="Lax")

    def _user(self) -> Any:
        """The customer who is signed in; None: nobody is."""
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    def _clicks(self) -> dict[str, str]:
        session = getattr(self._request, "session", None)
        clicks: dict[str, str] = session.get(CLICKS, {}) if session is not None else {}
        return clicks


def shopper_of(request: HttpRequest) -> Shopper:
    shopper: Shopper | None = getattr(request, "recsite", None)
    if shopper is None:
        shopper = Shopper(request)
        vars(request)["recsite"] = shopper
    return shopper


class RecsiteMiddleware:
    """Middleware behind Django's own for sessions and users: it has the visitor's cookie."""

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        token = _request.set(request)
        try:
            response = self._get_response(request)
        finally:
            _request.reset(token)
        shopper: Shopper | None = getattr(request, "recsite", None)
        if shopper is not None:
            shopper.finish(response)
        return response
