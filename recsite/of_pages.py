"""Middleware of pages. The API knows its callers by their keys: it has no sessions and no messages to pay for."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.deprecation import MiddlewareMixin

if TYPE_CHECKING:
    from recommendations.services.access.sessions import SessionStore

API = "/api/v1/"
PUBLIC = {
    "/api/schema/": "no-cache",  # whoever makes a client of it asks whether it is still the same
    "/.well-known/recsite-receipts.json": "public, max-age=3600",
}
"""How long others may keep what is everybody's."""
STATEMENT = "/how-we-recommend/"  # the same for everybody; it says itself for how long it may be kept
UNUSED = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation",
    "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "sync-xhr", "usb", "xr-spatial-tracking",
)  # fmt: skip
"""What browsers offer to pages, and no page of ours asks for."""
PERMISSIONS = ", ".join(f"{name}=()" for name in UNUSED)


class _OfPages(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request) if request.path_info.startswith(API) else super().__call__(request)


class Compression(_OfPages, GZipMiddleware):
    """Middleware that compresses pages, a tenth of whose bytes is left.

    The length of what is compressed would tell whoever can both listen and send somebody to our addresses what stands
    beside their own words (BREACH). Django masks the token of every form anew and adds up to a hundred random bytes to
    every answer; a secret is shown once, as the answer to a form; and cookies go along with links alone (SameSite).
    """


class Headers(_OfPages):
    """Middleware that lets neither a browser nor a proxy keep a page or an export, which hold what customers did.

    One page holds nothing of the kind, and is kept: what recommendations go by.

    It also takes from a page what it does not use, in case something foreign ever runs in it.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info != STATEMENT:
            response.headers["Cache-Control"] = PUBLIC.get(request.path_info, "no-store")
        response.headers["Permissions-Policy"] = PERMISSIONS
        return response


class Sessions(_OfPages, SessionMiddleware):
    """Middleware of sessions, which also notes that one is in use."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:  # else the database may be away
            cast("SessionStore", request.session).touch()
        return super().process_response(request, response)


class Authentication(_OfPages, AuthenticationMiddleware): ...


class Messages(_OfPages, MessageMiddleware): ...
