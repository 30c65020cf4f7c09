"""The queue of drafts that wait for approval: ask, send back, withdraw. Approving is publishing, where the draft is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import page_address
from analytics.pages.weights.desk import place_in
from analytics.parameters import note_in, number
from analytics.queries import approvals as query
from analytics.queries.rules.overview import WAITING, rules
from analytics.queries.weights.groups import place
from recommendations.models import ApprovalRequest
from recommendations.services import approvals as service
from recommendations.services.access.policy import Action
from recommendations.services.approvals import AlreadyAnsweredError, NoteNeededError
from recommendations.services.weights.drafts import draft_of


@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    return _queue(request)


@post_requires(Action.DRAFT)
def ask_for_rules(request: HttpRequest) -> HttpResponse:
    """Hand the drafts of these rules over; without a note, or a draft, the dialog or the list comes back."""
    keys = [key for text in request.POST.getlist("rule") if (key := number(text)) is not None]
    drafts = [line.rule for line in rules(now=timezone.now()).of(keys) if line.status in WAITING]
    if not drafts:
        messages.warning(request, _("Nothing to approve: what you ticked is already live as it is."))
        return redirect("rules")
    try:
        asked = service.ask(drafts=drafts, note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        messages.warning(request, _("Say what it is for, so that the reviewer knows."))
        return redirect(reverse("rules", query={"open": "ask", "rule": [draft.pk for draft in drafts]}))
    text = ngettext(
        "%(count)d rule waits for approval.", "%(count)d rules wait for approval.", len(asked)
    )  # fmt: skip
    messages.success(request, text % {"count": len(asked)})
    return redirect("rules")


@post_requires(Action.DRAFT)
def ask_for_weights(request: HttpRequest) -> HttpResponse:
    blend, group = place_in(request.POST)
    draft = draft_of(blend, group)
    where = place(str(blend), group)
    if draft is None:
        messages.warning(request, _("The draft no longer exists: it was published or discarded in the meantime."))
        return redirect(reverse("weights", query=where))
    try:
        service.ask(drafts=[draft], note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        messages.warning(request, _("Say what it is for, so that the reviewer knows."))
        return redirect(reverse("weights", query=where | {"ask": 1}))
    messages.success(request, _("%(draft)s waits for approval.") % {"draft": draft})
    return redirect(reverse("weights", query=where))


@post_requires(Action.PUBLISH)
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    waiting = get_object_or_404(ApprovalRequest, pk=pk)
    try:
        service.send_back(request=waiting, note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        return _queue(request, refused=pk)
    except AlreadyAnsweredError:
        messages.warning(request, _("Someone has answered it in the meantime. Nothing was changed."))
    else:
        messages.success(request, _("“%(draft)s” is sent back, with your note.") % {"draft": waiting})
    return redirect("approvals")


@post_requires(Action.DRAFT)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    waiting = get_object_or_404(ApprovalRequest, pk=pk)
    try:
        service.withdraw(request=waiting, by=staff_of(request), now=timezone.now())
    except AlreadyAnsweredError:
        messages.warning(request, _("Someone has answered it in the meantime. Nothing was changed."))
    else:
        messages.success(request, _("“%(draft)s” no longer waits. The draft stays.") % {"draft": waiting})
    return redirect("approvals")


def _queue(request: HttpRequest, *, refused: int | None = None) -> HttpResponse:
    """The queue; ``refused`` is the request that was to be sent back without a note."""
    here = page_address(request, reverse("approvals"))
    context = {"section": "approvals", "here": here, "queue": query.queue(), "refused": refused}
    return render(request, "dashboard/approvals.html", context, status=422 if refused else 200)
