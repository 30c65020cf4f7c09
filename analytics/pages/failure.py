"""The page of an error that no page caught: a fault of ours, or the database that is away."""

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

RETRY_SECONDS = 5


def failed(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``; neither page asks the database for anything."""
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return server_error(request)
    answer = HttpResponse(render_to_string("503.html"), status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
