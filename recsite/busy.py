"""The page for whoever found no room: it asks nothing of the database, and holds what a form sent to send it again.

It is made outside of the lanes. To take in what was sent may take as long as its sender likes, so one request at a
time may do so, and only up to a size; whoever else sent something is asked to go back.
"""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.http import escape_leading_slashes

from recommendations.api.lane import BusyError, Lane

RETRY_SECONDS = 2
LONGEST_BODY = 200_000  # bytes that are sent back
FORM = "application/x-www-form-urlencoded"
CONFIDENTIAL = frozenset({"login", "password", "password_change", "second-factor"})
"""Parts of the addresses of forms that ask for passwords and codes."""
SECRET = re.compile(r"password|otp|(?<!^csrfmiddleware)token", re.IGNORECASE)
"""Names of fields that no page repeats."""

_reading = Lane(at_once=1, waiting=0, seconds=0, retry=RETRY_SECONDS)


def busy_page(request: HttpRequest) -> HttpResponse:
    """The page in the reader's language, with the navigation for who has a session; HTMX gets one that it drops."""
    if request.headers.get("HX-Request") == "true":
        answer = HttpResponse(render_to_string("busy_part.html"), status=HTTPStatus.SERVICE_UNAVAILABLE)
    else:
        context = {
            "sent": request.method == "POST",
            "fields": sent_fields(request),
            "address": escape_leading_slashes(request.get_full_path()),  # else it could name another host
            "signed_in": settings.SESSION_COOKIE_NAME in request.COOKIES,
            "shop": settings.SHOP_NAME,
        }
        with translation.override(translation.get_language_from_request(request)):
            answer = render(request, "busy.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Cache-Control"] = "no-store"
        if request.method == "GET":
            answer["Refresh"] = str(RETRY_SECONDS)  # of the same address
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def sent_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Names and values that a form sent, in their order; empty where they cannot be sent again.

    So it is with files, a body that is too long or did not come whole, more fields than are taken, and secrets.
    """
    if request.method != "POST" or request.content_type != FORM or CONFIDENTIAL & {*request.path_info.split("/")}:
        return []
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > LONGEST_BODY:
            return []
        with _reading.entered():
            body = request.body
        if len(body) != length:  # the process of pages has had it
            return []
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most, errors="strict")
    except (BusyError, UnreadablePostError, ValueError):  # the last: odd numbers and bytes, too many fields
        return []
    return [] if any(SECRET.search(name) for name, _value in fields) else fields
