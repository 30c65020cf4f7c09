"""The line that is logged for a request."""

from typing import TYPE_CHECKING

from django_structlog.middlewares import RequestMiddleware

if TYPE_CHECKING:
    from django.http import HttpRequest


class RequestLog(RequestMiddleware):
    """Middleware that logs the route instead of the address: an address may hold the id of a customer."""

    @staticmethod
    def format_request(request: "HttpRequest") -> str:
        route = request.resolver_match.route if request.resolver_match else "?"
        return f"{request.method} /{route}"
