"""Middleware of pages. The API knows its callers by their keys: it has no sessions and no messages to pay for."""

from collections.abc import Awaitable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

API = "/api/v1/"


class _OfPages(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request) if request.path_info.startswith(API) else super().__call__(request)


class Headers(_OfPages):
    """Middleware that lets neither a browser nor a proxy keep a page or an export: they hold what customers did."""

    def process_response(self, _request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers["Cache-Control"] = "no-store"
        return response


class Sessions(_OfPages, SessionMiddleware): ...


class Authentication(_OfPages, AuthenticationMiddleware): ...


class Messages(_OfPages, MessageMiddleware): ...
