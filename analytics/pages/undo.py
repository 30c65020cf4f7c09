"""Undo: what was just done is said with a button that takes it back, by a signed token that is for its doer alone."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.pages.access.permission import staff_of
from analytics.pages.addresses import own_address
from analytics.queries.weights.groups import group_of
from recommendations.models import Alarm, Audience, Campaign, NewItemPromise, Rule, RuleBook, Segment, Staff
from recommendations.services.access.policy import Action, may
from recommendations.services.audiences import editing as audiences
from recommendations.services.campaigns import lifecycle
from recommendations.services.campaigns.pressure import StalePressureError, undo_publication
from recommendations.services.campaigns.shelving import restore_campaign
from recommendations.services.operations.segments import rename_segment
from recommendations.services.promises.publishing import StalePromiseError, undo_promise
from recommendations.services.rules import books
from recommendations.services.rules import editing as rules
from recommendations.services.watches.alarms import unmark_seen
from recommendations.services.weights import drafts
from recommendations.terms import BlendName

SALT = "undo"
MOST_AGE = 60 * 60
"""Seconds for which a token is good; a page that nobody scripts shows its button for longer than the toast's ten."""

type Facts = Mapping[str, Any]


class ChangedMeanwhileError(Exception):
    """What would be taken back is no longer as it was left."""


GONE = (
    ObjectDoesNotExist, ValidationError, ChangedMeanwhileError, rules.StaleRuleError, rules.RuleIsServedError,
    books.StaleBookError, StalePressureError, StalePromiseError, audiences.StaleAudienceError,
    audiences.AudienceIsUsedError, drafts.StaleDraftError, lifecycle.StaleCampaignError, lifecycle.CampaignOverError,
)  # fmt: skip


def _take_back_rule(facts: Facts, by: Staff, now: datetime) -> None:
    rules.archive_rule(rule=Rule.objects.get(pk=facts["rule"]), by=by, now=now)


def _bring_back_rule(facts: Facts, by: Staff, now: datetime) -> None:
    rules.restore_rule(rule=Rule.objects.get(pk=facts["rule"]), by=by, now=now)


def _change_back_rule(facts: Facts, by: Staff, now: datetime) -> None:
    rule = Rule.objects.get(pk=facts["rule"])
    rules.save_rule(rule=rule, values=facts["before"], revision=facts["revision"], by=by, now=now)


def _order_rules_back(facts: Facts, by: Staff, now: datetime) -> None:
    if books.present_order() != facts["after"]:
        raise ChangedMeanwhileError
    rules.reorder(keys=facts["before"], by=by, now=now)


def _publish_former_book(facts: Facts, by: Staff, now: datetime) -> None:
    books.undo_book(book=RuleBook.objects.get(number=facts["book"]), note=_("Undone at once."), by=by, now=now)


def _bring_back_audience(facts: Facts, by: Staff, now: datetime) -> None:
    audiences.restore_audience(audience=Audience.objects.get(pk=facts["audience"]), by=by, now=now)


def _change_back_audience(facts: Facts, by: Staff, now: datetime) -> None:
    audiences.save_audience(
        audience=Audience.objects.get(pk=facts["audience"]), name=facts["name"], conditions=facts["conditions"],
        revision=facts["revision"], by=by, now=now,
    )  # fmt: skip


def _order_audiences_back(facts: Facts, by: Staff, _now: datetime) -> None:
    if [row.pk for row in Audience.objects.unarchived()] != facts["after"]:
        raise ChangedMeanwhileError
    audiences.reorder_audiences(keys=facts["before"], by=by)


def _name_segment_back(facts: Facts, by: Staff, _now: datetime) -> None:
    segment = Segment.objects.get(number=facts["segment"])
    if segment.name != facts["after"]:
        raise ChangedMeanwhileError
    rename_segment(segment=segment, name=facts["before"], by=by)


def _change_back_campaign(facts: Facts, by: Staff, now: datetime) -> None:
    lifecycle.save_draft(
        campaign=Campaign.objects.get(pk=facts["campaign"]), name=facts["name"], draft=facts["draft"],
        revision=facts["revision"], by=by, now=now,
    )  # fmt: skip


def _bring_back_campaign(facts: Facts, by: Staff, _now: datetime) -> None:
    restore_campaign(campaign=Campaign.objects.get(pk=facts["campaign"]), by=by)


def _let_campaign_go_on(facts: Facts, by: Staff, _now: datetime) -> None:
    lifecycle.resume(campaign=Campaign.objects.get(pk=facts["campaign"]), by=by)


def _ring_again(facts: Facts, by: Staff, _now: datetime) -> None:
    unmark_seen(alarm=Alarm(pk=facts["alarm"]), by=by)


def _bring_back_weights(facts: Facts, by: Staff, now: datetime) -> None:
    group = group_of(facts["group"])
    if facts["group"] and group is None:
        raise ChangedMeanwhileError
    drafts.save_draft(
        blend=BlendName(facts["blend"]), group=group, values=facts["values"], revision=None, by=by, now=now
    )


def _publish_former_promise(facts: Facts, by: Staff, now: datetime) -> None:
    undo_promise(NewItemPromise.objects.select_related("placement").get(pk=facts["promise"]), by=by, now=now)


def _publish_former_pressure(facts: Facts, by: Staff, now: datetime) -> None:
    undo_publication(facts["pressure"], by=by, now=now)


class WayBack(NamedTuple):
    """Who may take something back, and how."""

    action: Action
    take_back: Callable[[Facts, Staff, datetime], None]


WAYS: Mapping[str, WayBack] = {
    "rule made": WayBack(Action.DRAFT, _take_back_rule),
    "rule archived": WayBack(Action.DRAFT, _bring_back_rule),
    "rule changed": WayBack(Action.DRAFT, _change_back_rule),
    "rules moved": WayBack(Action.DRAFT, _order_rules_back),
    "rules withdrawn": WayBack(Action.PUBLISH, _publish_former_book),
    "audience archived": WayBack(Action.DRAFT, _bring_back_audience),
    "audience changed": WayBack(Action.DRAFT, _change_back_audience),
    "audiences moved": WayBack(Action.DRAFT, _order_audiences_back),
    "campaign changed": WayBack(Action.DRAFT, _change_back_campaign),
    "campaign archived": WayBack(Action.DRAFT, _bring_back_campaign),
    "campaign paused": WayBack(Action.PUBLISH, _let_campaign_go_on),
    "segment renamed": WayBack(Action.DRAFT, _name_segment_back),
    "alarm seen": WayBack(Action.DRAFT, _ring_again),
    "pressure published": WayBack(Action.PUBLISH, _publish_former_pressure),
    "promise published": WayBack(Action.PUBLISH, _publish_former_promise),
    "weights discarded": WayBack(Action.DRAFT, _bring_back_weights),
}


def way_back(request: HttpRequest, kind: str, **facts: Any) -> str:
    """The token that takes one of ``WAYS`` back, for whoever asks."""
    return signing.dumps([kind, staff_of(request).pk, facts], salt=SALT, compress=True)


def offer_undo(request: HttpRequest, text: str, kind: str, **facts: Any) -> None:
    """Say on the next page what was done, with a button that takes it back."""
    messages.success(request, text, extra_tags=way_back(request, kind, **facts))


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what a token tells of, if the one it was made for still may; nothing that was changed since."""
    by = staff_of(request)
    try:
        kind, owner, facts = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=MOST_AGE)
    except signing.BadSignature:
        return answer_toast(request, problem=_("It is too late to undo this here. Activity shows what was changed."))
    if owner != by.pk or not may(by, WAYS[kind].action):
        raise PermissionDenied
    try:
        WAYS[kind].take_back(facts, by, timezone.now())
    except GONE:
        return answer_toast(request, problem=_("It was changed or published in the meantime, so nothing was undone."))
    return answer_toast(request, text=_("Undone: it is as it was before."))


def answer_toast(request: HttpRequest, *, text: str = "", problem: str = "", **more: Any) -> HttpResponse:
    """Answer with a toast where the page asked for it alone, else with a message of the page that one came from.

    ``more`` is the ``token`` that takes it back, and the ``rule`` to open.
    """
    if request.headers.get("HX-Request"):
        toast = {
            "text": problem or text,
            "problem": bool(problem),
            "back": request.POST.get("back", "/"),
            "hx": True,
            **more,
        }
        return render(request, "dashboard/toast.html", toast)
    (messages.error if problem else messages.success)(request, problem or text, extra_tags=more.get("token", ""))
    return redirect(own_address(request, request.POST.get("back", ""), otherwise="overview"))
