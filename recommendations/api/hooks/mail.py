"""Where a mail service tells what became of mails: ``/api/v1/hooks/mail/{provider}/``, proved by its own signature."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from recommendations.api.errors import problem
from recommendations.api.http.not_found import unknown
from recommendations.services.mails.providers import MalformedError, ProviderEvent, UnsignedError, events_in, has_hook
from recommendations.services.push.provider_events import take_event

METHODS = ("HEAD", "POST")


@csrf_exempt
@login_not_required
def mail_hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Take the events of a call, each by itself: a provider that gets no yes sends them all again."""
    if not has_hook(provider):
        return unknown(request)
    if request.method not in METHODS:
        answer = problem(HTTPStatus.METHOD_NOT_ALLOWED, _("Send events by POST."))
        answer["Allow"] = ", ".join(METHODS)
        return answer
    if request.method == "HEAD":  # how some providers try the address out
        return HttpResponse()
    events = _events(request, provider)
    if isinstance(events, HttpResponse):
        return events
    try:
        for event in events:
            take_event(event, now=timezone.now())
    except (OperationalError, InterfaceError):
        answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, _("The database is out of reach; send it again."))
        answer["Retry-After"] = "60"
        return answer
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _events(request: HttpRequest, provider: str) -> list[ProviderEvent] | HttpResponse:
    """The events of a call, or why it is refused."""
    try:
        request.body  # noqa: B018 - read here, before a form of it is
        return events_in(request, provider)
    except RequestDataTooBig:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The body is too large."))
    except UnreadablePostError:
        return problem(HTTPStatus.BAD_REQUEST, _("The body ended too early."))
    except UnsignedError:
        return problem(HTTPStatus.FORBIDDEN, _("The signature or the password is missing, or not the provider's."))
    except MalformedError:
        return problem(HTTPStatus.BAD_REQUEST, _("These are no events of this provider."))
