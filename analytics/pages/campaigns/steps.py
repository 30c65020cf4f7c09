"""What staff do with a campaign: pause it and let it go on, end it, copy it, archive it, send themselves a test."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.campaigns.form import CampaignEditor
from analytics.pages.undo import answer_toast, offer_undo
from analytics.parameters import typed
from analytics.queries.campaigns.listing import find_campaign
from analytics.queries.campaigns.readers import existing
from analytics.queries.last_change import last_change
from recommendations.channels.protocol import Outcome, Taken, Unknown
from recommendations.customer_codes import customer_key
from recommendations.models import Campaign
from recommendations.push_terms import CampaignKind
from recommendations.services.access.policy import Action
from recommendations.services.campaigns import lifecycle, shelving
from recommendations.services.campaigns.form import UnfinishedError, frozen_of
from recommendations.services.campaigns.lifecycle import CampaignOverError, NotReadyError, PausedAlreadyError
from recommendations.services.campaigns.shelving import CampaignRunsError
from recommendations.services.push.trying import MOST_TESTS, SentJustNowError, TooManyTestsError, send_test
from recommendations.serving.serve import NotLoadedError, UnknownPlacementError

LONGEST_REASON = 300


@post_requires(Action.PUBLISH)
def pause_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_campaign(pk))
    reason = typed(request.POST.get("reason"), longest=LONGEST_REASON)
    try:
        lifecycle.pause(campaign=stored, reason=reason, by=staff_of(request), now=timezone.now())
    except CampaignOverError:
        return _too_late(request, stored)
    except PausedAlreadyError as error:
        return _paused_already(request, error.current)
    text = _("“%(name)s” is paused: nothing of it leaves until it goes on.") % {"name": stored.name}
    offer_undo(request, text, "campaign paused", campaign=pk)
    return redirect("campaign", pk=pk)


@post_requires(Action.PUBLISH)
def resume_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_campaign(pk))
    try:
        lifecycle.resume(campaign=stored, by=staff_of(request))
    except CampaignOverError:
        return _too_late(request, stored)
    messages.success(request, _("“%(name)s” goes on.") % {"name": stored.name})
    return redirect("campaign", pk=pk)


@post_requires(Action.PUBLISH)
def end_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_campaign(pk))
    try:
        reason = typed(request.POST.get("reason"), longest=LONGEST_REASON)
        withdrawn = lifecycle.end(campaign=stored, by=staff_of(request), now=timezone.now(), reason=reason)
    except CampaignOverError:
        return _too_late(request, stored)
    text = ngettext(
        "“%(name)s” has ended; %(n)d message that waited was withdrawn.",
        "“%(name)s” has ended; %(n)d messages that waited were withdrawn.",
        withdrawn,
    )
    messages.success(request, text % {"name": stored.name, "n": withdrawn})
    return redirect("campaign", pk=pk)


@post_requires(Action.DRAFT)
def copy_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_campaign(pk))
    copied = shelving.copy_campaign(campaign=stored, by=staff_of(request), now=timezone.now())
    messages.success(request, _("This is a draft: nobody gets it until it is approved."))
    return redirect("edit_campaign", pk=copied.pk)


@post_requires(Action.DRAFT)
def archive_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Archive a campaign, or (``to=back``) take it out of the archive."""
    stored, by = or_404(find_campaign(pk)), staff_of(request)
    if request.POST.get("to") == "back":
        shelving.restore_campaign(campaign=stored, by=by)
        messages.success(request, _("“%(name)s” is back.") % {"name": stored.name})
        return redirect("campaign", pk=pk)
    try:
        shelving.archive_campaign(campaign=stored, by=by, now=timezone.now())
    except CampaignRunsError:
        messages.warning(request, _("“%(name)s” is still running: end it first.") % {"name": stored.name})
        return redirect("campaign", pk=pk)
    offer_undo(request, _("“%(name)s” is archived.") % {"name": stored.name}, "campaign archived", campaign=pk)
    return redirect("campaigns")


@post_requires(Action.DRAFT)
def test_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Send what stands in the form, else the draft, to oneself, as the customer that is looked at."""
    stored, by = or_404(find_campaign(pk)), staff_of(request)
    draft = CampaignEditor.sent(stored, request.POST).draft if "revision" in request.POST else stored.draft
    customer = existing(customer_key(request.POST.get("customer", "")))
    if customer is None:
        return answer_toast(request, problem=_("Choose a customer in the preview first."))
    try:
        outcome = send_test(stored, _form(stored, draft), customer=customer, by=by, now=timezone.now())
    except UnfinishedError:
        problem = _("The draft is not finished yet: the preview says what is missing.")
    except NotReadyError as error:
        problem = _("Nothing can be sent while these settings are empty: %(names)s.") % {
            "names": ", ".join(error.settings)
        }
    except TooManyTestsError:
        problem = _("You have sent %(most)d tests within an hour; wait a little.") % {"most": MOST_TESTS}
    except SentJustNowError:
        problem = _("You sent a test within the last five seconds: one click sends one.")
    except (NotLoadedError, UnknownPlacementError):
        problem = _("There is nothing to recommend: the preview says why.")
    else:
        return answer_toast(request, **_outcome(outcome, by.email))
    return answer_toast(request, problem=problem)


def _form(stored: Campaign, draft: Mapping[str, Any]) -> Any:
    return frozen_of(
        draft, recurring=stored.kind == CampaignKind.RECURRING, triggered=stored.kind == CampaignKind.TRIGGERED
    )


def _outcome(outcome: Outcome, email: str) -> dict[str, str]:
    """What the mail server said, in words."""
    if isinstance(outcome, Taken):
        return {"text": _("The mail server took the test for %(email)s.") % {"email": email}}
    if isinstance(outcome, Unknown):
        return {"problem": _("The line broke: whether the test arrived is not known.")}
    return {"problem": _("The mail server did not take the test: %(reason)s") % {"reason": outcome.reason}}


def _paused_already(request: HttpRequest, current: Campaign) -> HttpResponse:
    """The page, which has the reason that counts, with who gave it."""
    who, _at = last_change("campaign", current.pk, verbs=("pause",))
    text = _("“%(name)s” was paused already, by %(who)s: nothing was changed, and the reason stays theirs.")
    messages.warning(request, text % {"name": current.name, "who": who})
    return redirect("campaign", pk=current.pk)


def _too_late(request: HttpRequest, stored: Campaign) -> HttpResponse:
    messages.warning(request, _("“%(name)s” has ended, or is archived: nothing was changed.") % {"name": stored.name})
    return redirect("campaign", pk=stored.pk)
