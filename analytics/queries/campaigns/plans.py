"""The plan of a campaign's draft as its page shows it, and the moments that it may be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.queries.campaigns.words import part_of, place_words
from analytics.templatetags.display import day, moment, one_stop
from recommendations.engine.push.schedule import moments
from recommendations.ingest.refusal import Refusal
from recommendations.models import Campaign, SendPlan
from recommendations.push_terms import CampaignKind
from recommendations.services.campaigns.form import When
from recommendations.services.push.plans import AHEAD
from recommendations.terms import RunStatus

NOW, TONIGHT, TOMORROW, NEXT, AT = "now", "tonight", "tomorrow", "next", "at"
EVENING, MORNING = time(20), time(9)
STEPS = {
    "who": "who",
    "occasion": "who",
    "what": "what",
    "channels": "what",
    "endpoint": "what",
    "when": "when",
    "safety": "safety",
}
"""Step of the editor by the first part of a pointer."""


@dataclass(frozen=True, kw_only=True)
class MomentChoice:
    """A moment that a plan may be asked for; ``at`` is None where it is typed."""

    code: str
    words: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class StepRefusal:
    """What an unfinished draft lacks, and the step of the editor in which to say it."""

    refusal: Refusal
    place: str
    step: str


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """A plan as the page shows it; ``is_stale``: the draft was changed since."""

    plan: SendPlan
    state: str
    is_done: bool
    is_stale: bool


def shop_zone() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)


def moment_choices(now: datetime, campaign: Campaign | None = None) -> list[MomentChoice]:
    """Now, tonight where it is not evening yet, tomorrow morning, the next day of a ``campaign`` that comes again, and
    whatever is typed; in the shop's zone.
    """
    here = now.astimezone(shop_zone())
    tonight = datetime.combine(here.date(), EVENING, shop_zone())
    tomorrow = datetime.combine(here.date() + timedelta(days=1), MORNING, shop_zone())
    choices = [
        MomentChoice(code=NOW, words=pgettext("moment of a plan", "Now"), at=now),
        MomentChoice(code=TONIGHT, words=_("Tonight, 20:00"), at=tonight),
        MomentChoice(code=TOMORROW, words=_("Tomorrow, 09:00"), at=tomorrow),
    ]
    coming = next_day(campaign, now=now) if campaign else None
    if coming is not None:
        words = _("Its next day, %(day)s") % {"day": day(coming)}
        choices.append(MomentChoice(code=NEXT, words=words, at=coming))
    choices.append(MomentChoice(code=AT, words=_("At another time"), at=None))
    return [choice for choice in choices if choice.at is None or choice.at >= now]


def next_day(campaign: Campaign, *, now: datetime) -> datetime | None:
    """When the next day of the draft begins, after today, on which it is decided; None of one that comes but once, or
    when something happens.
    """
    when = part_of(campaign.draft, "when", When)
    if campaign.kind != CampaignKind.RECURRING or when is None:
        return None
    coming = moments(
        CampaignKind.RECURRING, starts_at=max(when.starts_at or now, now), ends_at=when.ends_at,
        weekdays=when.weekdays, hour=when.hour, zone=shop_zone(), after=now, until=now + AHEAD,
    )  # fmt: skip
    return next((each.at for each in coming), None)


def moment_in(sent: QueryDict, *, now: datetime, campaign: Campaign | None = None) -> datetime | None:
    """The moment that a form asks for; None where it makes no sense."""
    code = sent.get("when", NOW)
    chosen = next((choice for choice in moment_choices(now, campaign) if choice.code == code), None)
    if chosen is None or chosen.at is not None:
        return chosen.at if chosen else None
    try:
        typed = datetime.fromisoformat(sent.get("at", ""))
    except ValueError:
        return None
    return typed if typed.tzinfo else typed.replace(tzinfo=shop_zone())


def latest_moment(now: datetime) -> datetime:
    return (now + AHEAD).astimezone(shop_zone())


def refusals_by_step(refusals: Sequence[Refusal]) -> list[StepRefusal]:
    return [
        StepRefusal(
            refusal=each, place=place_words(each.pointer) if each.pointer else "",
            step=STEPS.get(each.pointer.strip("/").split("/")[0], "review"),
        )
        for each in refusals
    ]  # fmt: skip


def plan_view(plan: SendPlan, campaign: Campaign) -> PlanView:
    return PlanView(
        plan=plan, state=_state(plan), is_stale=plan.revision != campaign.revision,
        is_done=plan.status == RunStatus.SUCCEEDED and plan.occurrence is not None,
    )  # fmt: skip


def _state(plan: SendPlan) -> str:
    """Where a plan stands that has no figures yet, or never will."""
    if plan.cancel_requested_at or plan.status == RunStatus.CANCELLED:
        return _("The plan was cancelled.")
    match plan.status:
        case RunStatus.QUEUED:
            return _("Waiting for a worker.")
        case RunStatus.INTERRUPTED:
            return _("The worker stopped; another one takes over within a minute.")
        case RunStatus.FAILED:
            return _failure(plan.message)
        case _:
            return one_stop(_("Deciding for everybody in view, as of %(when)s.") % {"when": moment(plan.as_of)})


def _failure(message: str) -> str:
    if message.startswith("no placement "):
        name = message.removeprefix("no placement ")
        return _("The placement “%(name)s” is gone, or switched off: choose another one in step What.") % {"name": name}
    if not message:
        return _("Nothing is loaded yet: the worker had no lists to give. Try again in a moment.")
    return _("The plan could not be made: %(why)s") % {"why": message}
