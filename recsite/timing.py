"""Counts and durations of requests, for ``/metrics``."""

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from recommendations.services.operations.metrics import count_request

API = "api/"
OTHERS = "pages"


class RequestTiming:
    """Middleware that counts every route of the API by itself, all pages together, and no static files (no route)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        answer = self._get_response(request)
        if request.resolver_match:
            route = request.resolver_match.route
            count_request(
                route=f"/{route}" if route.startswith(API) else OTHERS,
                method=request.method or "",
                status=answer.status_code,
                seconds=time.perf_counter() - started,
            )
        return answer
