"""The lines that are logged for a request: they name the route, as an address may hold the id of a customer."""

import logging
from typing import TYPE_CHECKING

from django_structlog.middlewares import RequestMiddleware

if TYPE_CHECKING:
    from django.http import HttpRequest


class RequestLog(RequestMiddleware):
    """Middleware that logs the route of each request."""

    @staticmethod
    def format_request(request: "HttpRequest") -> str:
        return f"{request.method} {_route(request)}"


class WithoutAddress(logging.Filter):
    """Filter of Django's own lines about requests: the route stands where they have the address."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple):
            path = request.path, request.path.encode("unicode_escape").decode("ascii")  # as Django writes it
            record.args = tuple(_route(request) if part in path else part for part in record.args)
        return True


def _route(request: "HttpRequest") -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match else "?"
