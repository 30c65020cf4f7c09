"""Middleware of the API: a request has a name, nobody keeps its answer, and an address has an end."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from recommendations.api import request_ids
from recommendations.api.errors import problem

OURS = ("/api/", "/metrics")
KEYED = "/api/v1/"
LONGEST_ADDRESS = 32_768  # characters of path and query; past 65,534 the web server says so itself, without a body
UNKEPT = "no-store"


class ApiHeaders:
    """Middleware that names each request, in its answer and in the log, and lets nobody keep what the API says.

    It stands before the log's, which takes the name from the request. A view of the API does not answer HEAD: it would
    do all the work of a GET for nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request.META[request_ids.IN_ENVIRON] = request_ids.name_of(request.META)
        with request_ids.answering(name):
            answer = self._answer(request)
        if request.path_info.startswith(OURS):
            answer.headers[request_ids.HEADER] = name
            if "Allow" in answer and _is_api_view(request.resolver_match):
                answer["Allow"] = _without_head(answer["Allow"].split(", "))
        if request.path_info.startswith(KEYED):
            answer.headers.setdefault("Cache-Control", UNKEPT)
        return answer

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> HttpResponse | None:
        if request.method != "HEAD" or not hasattr(view, "cls"):
            return None
        answer = problem(HTTPStatus.METHOD_NOT_ALLOWED, _("The method HEAD is not allowed here; send a GET."))
        methods = [name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)]
        answer["Allow"] = _without_head(methods)
        return answer

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        length = len(request.path_info) + len(request.META.get("QUERY_STRING", ""))
        if length <= LONGEST_ADDRESS or not request.path_info.startswith(KEYED):
            return self._get_response(request)
        text = _("The address has %(length)s characters, at most %(most)s are read. Send the rest as a body.")
        return problem(HTTPStatus.REQUEST_URI_TOO_LONG, text % {"length": length, "most": LONGEST_ADDRESS})


def _is_api_view(match: Any) -> bool:
    return match is not None and hasattr(match.func, "cls")


def _without_head(methods: list[str]) -> str:
    return ", ".join(method for method in methods if method != "HEAD")
