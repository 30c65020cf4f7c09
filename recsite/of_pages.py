"""Middleware of pages. The API knows its callers by their keys: so it pays for no session and no message."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxMiddleware

API = "/api/v1/"


class _OfPages:
    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        through: Any = self.get_response if request.path_info.startswith(API) else super().__call__  # type: ignore[misc]
        answer: HttpResponseBase = through(request)
        return answer


class Sessions(_OfPages, SessionMiddleware): ...


class Authentication(_OfPages, AuthenticationMiddleware): ...


class Htmx(_OfPages, HtmxMiddleware): ...


class Messages(_OfPages, MessageMiddleware): ...
