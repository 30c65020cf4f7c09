"""Errors of the API as ``application/problem+json`` (RFC 9457), never with a stack trace."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from msgspec import UNSET, Meta, UnsetType
from rest_framework import exceptions

from recommendations.api import request_ids
from recommendations.api.access import READING, note
from recommendations.ingest.refusal import escaped
from recommendations.services.access.quotas import OverQuotaError, Quota

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 1
INSTANCE = "urn:recsite:request:{name}"
_TITLES = {  # as Python says from 3.13 on
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
}

OVER_QUOTA: Mapping[Quota, Promise] = {
    Quota.LINES: gettext_lazy(
        "This key may send %(limit)s lines of events a minute; nothing was stored. Send it again after Retry-After, or "
        "use a key with a higher limit."
    ),
    Quota.ADDRESS_LINES: gettext_lazy(
        "One address may send %(limit)s lines of events a minute with a key in a page; nothing was stored. Send it "
        "again after Retry-After, or from your server with a key of its own."
    ),
    Quota.ADDRESS_BYTES: gettext_lazy(
        "One address may send %(limit)s bytes of events a minute with a key in a page; nothing was stored. Send it "
        "again after Retry-After, or from your server with a key of its own."
    ),
    Quota.ADDRESS_QUESTIONS: gettext_lazy(
        "One address may ask for recommendations %(limit)s times a minute with a key in a page. Ask again after "
        "Retry-After, or from your server with a key of its own."
    ),
    Quota.BROWSERS: gettext_lazy(
        "This key may subscribe browsers %(limit)s times an hour; nothing was stored. Send it again after Retry-After."
    ),
    Quota.ADDRESS_BROWSERS: gettext_lazy(
        "One address may subscribe browsers %(limit)s times an hour with a key in a page; nothing was stored. Send it "
        "again after Retry-After."
    ),
    Quota.VISITOR_BROWSERS: gettext_lazy(
        "One visitor may subscribe browsers %(limit)s times an hour; nothing was stored. Send it again after "
        "Retry-After."
    ),
    Quota.PEOPLE: gettext_lazy(
        "Too many visitors whom nobody knew were named with this key; nothing was stored. Send it again after "
        "Retry-After, or with a proof of who is signed in."
    ),
}

log = structlog.get_logger(__name__)


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong at one place of the request; the pointer is a JSON pointer (RFC 6901), or a parameter's name."""

    pointer: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """What every error looks like (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: Sequence[Flaw]
    instance: (
        Annotated[str, Meta(description="What our log calls the request, as X-Request-ID has it.")] | UnsetType
    ) = UNSET


class BadRequestError(exceptions.APIException):
    """The request cannot be understood; ``flaws`` say where."""

    status_code = HTTPStatus.BAD_REQUEST

    def __init__(self, detail: str, *, flaws: Sequence[Flaw] = ()) -> None:
        super().__init__(detail)
        self.flaws = flaws


def refused(*flaws: Flaw) -> BadRequestError:
    """The error of a request that is wrong at these places."""
    return BadRequestError(_("The request has errors."), flaws=flaws)


class TooLargeError(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class LengthRequiredError(exceptions.APIException):
    status_code = HTTPStatus.LENGTH_REQUIRED


class EncodedError(exceptions.APIException):
    """The body is compressed, or encoded in another way."""

    status_code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    accepted_encoding = "identity"


def problem(
    status: HTTPStatus, detail: str, *, flaws: Sequence[Flaw] = (), members: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The response for a problem; ``members`` are extension members of this kind of problem."""
    title = _TITLES.get(status, status.phrase)
    code = f"urn:recsite:problem:{title.lower().replace(' ', '-')}"
    name = request_ids.current()
    instance = {"instance": INSTANCE.format(name=name)} if name else {}
    body = {"type": code, "title": title, "status": status.value, "detail": detail, "errors": flaws}
    content = msgspec.json.encode({**body, **instance, **(members or {})})
    return HttpResponse(content, status=status, content_type=CONTENT_TYPE)


def problem_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Exception handler, the outermost boundary of the API: every error of a view ends here."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(*error.args)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    elif isinstance(error, RequestDataTooBig):
        error = TooLargeError(_("The body is too large."))
    elif isinstance(error, TooManyFieldsSent):
        text = _("The request has too many parameters.")
        error = BadRequestError(text, flaws=[Flaw("", text)])
    elif isinstance(error, UnreadablePostError):
        error = BadRequestError(_("The body ended too early."))
    if isinstance(error, OverQuotaError):
        return _over_quota(error, context)
    if isinstance(error, exceptions.APIException):
        return _refusal(error)
    if isinstance(error, OperationalError | InterfaceError):
        return _out_of_reach(error)
    return _bug(context)


def only_read(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a plain view: any method but GET and HEAD is a problem."""

    @csrf_exempt
    @wraps(view)
    def inner(request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        if request.method in READING:
            return view(request, *arguments, **options)
        detail = _("The method %(method)s is not allowed here.") % {"method": request.method}
        answer = problem(HTTPStatus.METHOD_NOT_ALLOWED, detail)
        answer["Allow"] = ", ".join(READING)
        return answer

    return inner


def _over_quota(error: OverQuotaError, context: Mapping[str, Any]) -> HttpResponse:
    """429 with the quota, its limit and what to do; 413 where the request is beyond it at any time."""
    numbers = {"limit": error.rate.limit, "asked": error.asked}
    text = str(OVER_QUOTA[error.quota] % numbers)
    if error.alone:
        text = f"{text} {_('This request alone has %(asked)s: divide it.') % numbers}"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if error.alone else HTTPStatus.TOO_MANY_REQUESTS
    answer = problem(status, text, members={"quota": error.quota, "limit": error.rate.limit})
    if not error.alone:
        note(context["request"], {error.quota: error.rate})
        answer["Retry-After"] = str(math.ceil(error.rate.resets))
    return answer


def _refusal(error: exceptions.APIException) -> HttpResponse:
    status = HTTPStatus(error.status_code)
    flaws = list(getattr(error, "flaws", ()))
    if isinstance(error, exceptions.ValidationError):
        flaws, detail = list(_flaws(error.detail)), _("The request has errors.")
    else:
        detail = str(error.detail)
    answer = problem(status, detail, flaws=flaws)
    if header := getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = header
    if isinstance(error, EncodedError):
        answer["Accept-Encoding"] = error.accepted_encoding
    if wait := getattr(error, "wait", None):
        answer["Retry-After"] = str(math.ceil(wait))
    return answer


def _flaws(detail: Any, pointer: str = "") -> Iterator[Flaw]:
    """Flaws at the leaves of a serializer's nested errors."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            place = pointer if name == "non_field_errors" else f"{pointer}/{escaped(str(name))}"
            yield from _flaws(inner, place)
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flaws(inner, f"{pointer}/{position}" if nested else pointer)
    else:
        yield Flaw(pointer, str(detail))


def _out_of_reach(error: Exception) -> HttpResponse:
    log.warning("postgresql out of reach", error=type(error).__name__, cause=type(error.__cause__).__name__)
    answer = problem(
        HTTPStatus.SERVICE_UNAVAILABLE, _("The database is not responding; nothing was stored. Send it again.")
    )
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _bug(context: Mapping[str, Any]) -> HttpResponse:
    request = getattr(context.get("request"), "_request", None)
    got_request_exception.send(sender=type(context.get("view")), request=request)  # the log listens
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong on our side; it was logged."))
