"""The page of an error that no page caught: a fault of ours, the database that is away, too many passwords, or an
address that a form sends to and that somebody opened.
"""

import sys
from collections.abc import Mapping
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.defaults import server_error

from recommendations.services.access.hashing import HashingBusyError

RETRY_SECONDS = 5
LISTS: Mapping[str, Promise] = {
    "customers": _("Customers"),
    "rules": _("Rules"),
    "approvals": _("Approvals"),
    "catalogue": _("Catalogue"),
    "segments": _("Segments"),
    "audiences": _("Audiences"),
    "runs": _("Runs"),
    "privacy": _("Privacy"),
    "weights": _("Weights"),
    "experiments": _("Experiments"),
}
"""Lists by the first part of the addresses of what is in them; the name of their page is the same."""


class Busy(MiddlewareMixin):
    """Middleware that asks for a moment's patience where passwords would hold more threads than they may."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, HashingBusyError):
            return None
        answer = render(request, "registration/busy.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"] = str(RETRY_SECONDS)
        return answer


class SentOnly(MiddlewareMixin):
    """Middleware that answers in words where the address of a form is opened: a view that only takes says nothing."""

    def process_response(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        opened = request.method == "GET" and answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not answer.content
        if not opened:
            return answer
        said = _leading(request, "405.html", HTTPStatus.METHOD_NOT_ALLOWED)
        said["Allow"] = answer["Allow"]
        return said


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """Django's ``handler404``; the page leads to the list of the section that the address is in."""
    return _leading(request, "404.html", HTTPStatus.NOT_FOUND)


def _leading(request: HttpRequest, template: str, status: HTTPStatus) -> HttpResponse:
    section = request.path.split("/")[1]
    return render(request, template, {"section": section, "list_words": LISTS.get(section)}, status=status)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``; neither page asks the database for anything."""
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return server_error(request)
    answer = HttpResponse(render_to_string("503.html"), status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
