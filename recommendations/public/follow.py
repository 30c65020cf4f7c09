"""Links of messages into the shop: noted, and led on to a page of the shop and nowhere else."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from recommendations.public.door import finished, nothing, public
from recommendations.services.push.following import message_of_link, note_click, target_of


@public
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """Lead on to what a link of a message is about. Scanners may look: that is no click."""
    now = timezone.now()
    known = message_of_link(token, now=now) if request.method in {"GET", "HEAD"} else None
    if known is None:
        return finished(nothing(request))
    message, link = known
    note_click(
        message, link.place, agent=request.META.get("HTTP_USER_AGENT", ""), looks=request.method == "HEAD", now=now
    )
    return finished(HttpResponseRedirect(target_of(message, link.place), status=HTTPStatus.FOUND))
