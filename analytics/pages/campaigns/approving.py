"""A campaign is handed over for review, and approved by somebody who has seen what it would do, or sent back."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.parameters import note_in, number
from analytics.queries.campaigns.plans import refusals_by_step
from analytics.queries.campaigns.reviews import returned, with_last_word
from analytics.queries.campaigns.sendings import planned_counts, sending_sentence
from analytics.templatetags.display import moment
from recommendations.models import AuditEntry, Campaign
from recommendations.push_terms import CampaignKind
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.draft_trail import last_refusal, writers_of
from recommendations.services.campaigns.form import UnfinishedError
from recommendations.services.campaigns.lifecycle import (
    ApprovedAlreadyError,
    CampaignOverError,
    NotInReviewError,
    NotReadyError,
    OwnApprovalError,
    SentAlreadyError,
    SentBackError,
    StaleCampaignError,
    ask_for_review,
    form_of,
    has_come,
    send_back,
)
from recommendations.services.mails.line import missing_settings
from recommendations.services.push.plans import NoPlanError, approve_as_planned, plan_for_approval


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def review_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask those who approve to look at the draft."""
    campaign = get_object_or_404(with_last_word(Campaign.objects.ours().select_related("author")), pk=pk)
    if request.method != "POST":
        return _review(request, campaign)
    try:
        ask_for_review(campaign=campaign, note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        return _review(request, campaign, problem=_("Say what it is for, so that the reviewer knows."))
    except (UnfinishedError, CampaignOverError, SentAlreadyError):
        return _review(request, campaign, refused=True)
    messages.success(request, _("“%(name)s” waits for approval.") % {"name": campaign})
    return redirect("campaign", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.PUBLISH)
def approve_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the draft and let it run, with what it is planned to do before one's eyes."""
    campaign = _to_approve(pk)
    if request.method != "POST":
        return _approval(request, campaign)
    try:
        version = approve_as_planned(
            campaign=campaign, revision=number(request.POST.get("revision")) or 0, note=note_in(request.POST),
            without_plan=bool(request.POST.get("without_plan")), by=staff_of(request), now=timezone.now(),
            refusal=number(request.POST.get("refusal")) or 0,
        )  # fmt: skip
    except NoteNeededError:
        return _approval(request, campaign, problem=_("Say why it may go out; the note stays in the activity."))
    except StaleCampaignError as error:
        return _approval(request, error.current, stale=True)
    except SentBackError as error:
        return _approval(request, campaign, refusal=error.refusal)
    except ApprovedAlreadyError as error:
        messages.info(request, _("“%(name)s” is approved already: v%(number)s is this very draft.") % {
            "name": campaign, "number": error.version.number,
        })  # fmt: skip
        return redirect("campaign", pk=pk)
    except (NoPlanError, NotReadyError, OwnApprovalError, CampaignOverError, SentAlreadyError):
        return _approval(request, campaign, refused=True)  # the page says why
    text = _("“%(name)s” is approved: v%(number)s runs from %(when)s on.")
    facts = {"name": campaign, "number": version.number, "when": moment(version.starts_at)}
    messages.success(request, text % facts)
    return redirect("campaign", pk=pk)


@post_requires(Action.PUBLISH)
def send_campaign_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the draft to whoever asked, with what is to be done; without a note the approval's page asks for it."""
    campaign = _to_approve(pk)
    try:
        send_back(campaign=campaign, note=note_in(request.POST), by=staff_of(request))
    except NoteNeededError:
        return _approval(request, campaign, back_refused=True)
    except (NotInReviewError, CampaignOverError):
        messages.warning(request, _("Someone has answered it in the meantime. Nothing was changed."))
    else:
        messages.success(request, _("“%(draft)s” is sent back, with your note.") % {"draft": campaign})
    return redirect("approvals")


def _to_approve(pk: int) -> Campaign:
    campaigns = with_last_word(Campaign.objects.ours().select_related("author", "review_asked_by"))
    return get_object_or_404(campaigns, pk=pk)


def _review(request: HttpRequest, campaign: Campaign, *, problem: str = "", refused: bool = False) -> HttpResponse:
    context = {**_shared(request, campaign, "review_campaign"), "problem": problem, "returned": returned(campaign)}
    status = 422 if problem or refused else 200
    return render(request, "dashboard/campaigns/review.html", context, status=status)


def _approval(
    request: HttpRequest, campaign: Campaign, *, problem: str = "", stale: bool = False, refused: bool = False,
    back_refused: bool = False, refusal: AuditEntry | None = None,
) -> HttpResponse:  # fmt: skip
    """The page; ``refusal`` is what somebody else said while it was open, and stands in place of what was said last."""
    missing, by, last = missing_settings(), staff_of(request), refusal or last_refusal(campaign)
    context = {
        **_shared(request, campaign, "approve_campaign"), "problem": problem, "stale": stale, "missing": missing,
        "is_own": settings.FOUR_EYES and by.pk in writers_of(campaign),
        "without_plan": bool(request.POST.get("without_plan")), "no_plan": refused,
        "back_refused": campaign.pk if back_refused else None, "refusal": refusal,
        "seen_refusal": last.pk if last else 0, "returned": None if refusal else returned(campaign),
        "live": campaign.versions.filter(is_live=True).first(),
    }  # fmt: skip
    context["may_approve"] = not (
        missing or context["is_own"] or context.get("refusals") or context["is_over"] or context["has_come"]
    )
    status = 422 if problem or refused or back_refused else 409 if stale or refusal else 200
    return render(request, "dashboard/campaigns/approve.html", context, status=status)


def _shared(request: HttpRequest, campaign: Campaign, page: str) -> dict[str, Any]:
    """What both dialogs show: the last plan of the draft, and what the draft lacks."""
    plan, come = plan_for_approval(campaign, now=timezone.now()), has_come(campaign)
    counts = plan.occurrence.counts if plan and plan.occurrence else {}
    try:
        form, refusals = form_of(campaign, now=None if come else timezone.now()), []
    except UnfinishedError as error:
        form, refusals = None, refusals_by_step(error.refusals)
    return {
        "section": "campaigns", "campaign": campaign, "note": note_in(request.POST), "plan": plan, "form": form,
        "refusals": refusals, "is_over": bool(campaign.ended_at or campaign.archived_at),
        "has_come": come, "planned": planned_counts(counts) if plan else "",
        "sentence": sending_sentence(counts, leaves=False, occasions=campaign.kind == CampaignKind.TRIGGERED)
        if plan else "",
        "here": reverse(page, args=[campaign.pk]) if request.method == "POST" else request.get_full_path(),
    }  # fmt: skip
