"""The report of a campaign: what was sent, what came of it, and how that looks beside those held out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.queries.campaigns.funnel import FunnelStep, erased_of, funnel_of
from analytics.queries.campaigns.listing import next_of
from analytics.templatetags.display import money, number, share
from recommendations.engine.push.subjects import SubjectEffect, subject_effects
from recommendations.models import Campaign, CampaignVersion, Placement, Segment
from recommendations.push_terms import MessageState, OccurrenceState
from recommendations.services.campaigns.form import CampaignForm, GoalKind
from recommendations.services.campaigns.guardrails import RateReading, readings_of
from recommendations.services.campaigns.holdout import HoldoutComparison, compare
from recommendations.services.campaigns.results import PushOutcome, fates_of, parts_of
from recommendations.services.push.again import sendable
from recommendations.services.push.sendings import LiveCampaign, was_held_back
from recommendations.wording import push_labels

PLACEMENT = "email"  # whose window says how long after a click a purchase counts
GOALS: Mapping[GoalKind, Promise] = {
    GoalKind.SHOWN: gettext_lazy("on what the message showed"),
    GoalKind.CATEGORIES: gettext_lazy("in the categories of its goal"),
    GoalKind.ANYTHING: gettext_lazy("on anything"),
}
"""What the money was spent on that counts as an answer."""
STANDING = {MessageState.DUE, MessageState.LEASED, MessageState.HANDING}


@dataclass(frozen=True, kw_only=True)
class ReportPart:
    """What came of a part of the messages, by its name."""

    words: str
    outcome: PushOutcome

    @property
    def clicked(self) -> float:
        return self.outcome.clicked / self.outcome.people if self.outcome.people else 0.0


class HeldSending(StrEnum):
    """Why a sending that is counted already has no message: the brake holds it, or it was let go this minute."""

    WAITS = "waits"
    RELEASED = "released"


@dataclass(frozen=True, kw_only=True)
class CampaignReport:
    """What came of a campaign; without messages only ``waiting``, ``held`` and ``next_at`` tell something."""

    campaign: Campaign
    outcome: PushOutcome
    sentence: str
    funnel: Sequence[FunnelStep]
    parts: Sequence[tuple[str, Sequence[ReportPart]]]
    comparison: HoldoutComparison | None
    rates: Sequence[RateReading]
    subjects: Sequence[tuple[str, SubjectEffect]]
    goal: str
    hours: int
    sendable: int
    waiting: int
    next_at: datetime | None
    erased: int  # of the messages sent: to people whose contacts have been erased since
    held: HeldSending | None

    @property
    def erased_sentence(self) -> str:
        """What is not known of those who have been erased."""
        text = ngettext(
            "%(n)s of the messages went to somebody whose contact has been erased since: it counts as sent, what came "
            "of it is not known any more. “Attributed purchases” still has what was bought.",
            "%(n)s of the messages went to people whose contacts have been erased since: they count as sent, what came "
            "of them is not known any more. “Attributed purchases” still has what was bought.",
            self.erased,
        )  # fmt: skip
        return text % {"n": number(self.erased)} if self.erased else ""

    @property
    def per_thousand(self) -> Decimal:
        """Revenue by last touch of a thousand messages."""
        taken = self.outcome.taken
        return self.outcome.revenue * 1000 / taken if taken else Decimal(0)

    @property
    def is_empty(self) -> bool:
        return not self.outcome.taken and not self.outcome.unknown and not self.erased


def report_of(campaign: Campaign, *, now: datetime) -> CampaignReport:
    """The report of a campaign as of now."""
    live = _live(campaign)
    fates, parts = fates_of(campaign.pk), parts_of(campaign.pk)
    outcome, erased = parts.get(("all", None), PushOutcome()), erased_of(campaign)
    hours = Placement.objects.values_list("attribution_window", flat=True).get(name=PLACEMENT)
    form = live.form if live else None
    return CampaignReport(
        campaign=campaign, outcome=outcome, sentence=_sentence(outcome, erased=erased, hours=hours),
        hours=hours, erased=erased,
        funnel=funnel_of(campaign, fates), parts=list(_parts(parts, form)),
        comparison=compare(campaign.pk, form.safety.goal, now=now) if form and fates else None,
        rates=readings_of(campaign), subjects=_subjects(parts, form),
        goal=str(GOALS[form.safety.goal.kind]) if form else "",
        sendable=sendable(campaign) if outcome.unknown else 0,
        waiting=sum(fate.messages for fate in fates if fate.state in STANDING),
        next_at=next_moment(live, now=now) if live else None, held=_held(campaign),
    )  # fmt: skip


def _live(campaign: Campaign) -> LiveCampaign | None:
    version = CampaignVersion.objects.filter(campaign=campaign).order_by("-is_live", "-number").first()
    if version is None:
        return None
    return LiveCampaign(campaign=campaign, version=version, form=msgspec.convert(version.frozen, CampaignForm))


def _held(campaign: Campaign) -> HeldSending | None:
    """Whether a sending waits for somebody, or else is decided afresh."""
    states = [OccurrenceState.WAITING, OccurrenceState.DUE]
    held = list(campaign.occurrences.filter(state__in=states).exclude(counts={}))
    if any(each.state == OccurrenceState.WAITING for each in held):
        return HeldSending.WAITS
    return HeldSending.RELEASED if any(map(was_held_back, held)) else None


def _sentence(outcome: PushOutcome, *, erased: int, hours: int) -> str:
    """What came of it, in one sentence; people clicked, and bought after a click."""
    clicked = outcome.clicked / outcome.people if outcome.people else 0.0
    messages = outcome.taken + erased
    sent = ngettext("%(n)s message sent", "%(n)s messages sent", messages) % {"n": number(messages)}
    people = ngettext("%(n)s person clicked (%(share)s)", "%(n)s people clicked (%(share)s)", outcome.clicked)
    gone = ngettext("%(n)s unsubscribed", "%(n)s unsubscribed", outcome.unsubscribed)
    bought = ngettext(
        "%(n)s bought something shown within %(hours)s h of a click: %(revenue)s",
        "%(n)s bought something shown within %(hours)s h of a click: %(revenue)s", outcome.buyers,
    )  # fmt: skip
    return _("%(sent)s, %(clicked)s, %(gone)s; %(bought)s.") % {
        "sent": sent,
        "clicked": people % {"n": number(outcome.clicked), "share": share(clicked, 1)},
        "gone": gone % {"n": number(outcome.unsubscribed)},
        "bought": bought % {"n": number(outcome.buyers), "hours": hours, "revenue": money(float(outcome.revenue))},
    }


def _parts(
    parts: Mapping[tuple[str, int | str | None], PushOutcome], form: CampaignForm | None
) -> Iterator[tuple[str, list[ReportPart]]]:
    """Outcomes by subject, by hour and by segment; a single part tells nothing beside the whole."""
    channels = dict(push_labels.CHANNELS)
    of_segment = {segment.pk: str(segment) for segment in Segment.objects.all()}
    names: Mapping[str, tuple[str, Any]] = {
        "variant": (_("By subject"), lambda value: _subject(form, value)),
        "channel": (_("By channel"), lambda value: str(channels[value])),
        "hour": (_("By hour, where the customer lives"), lambda value: f"{value:02}:00"),
        "segment": (_("By segment"), lambda value: of_segment.get(value, _("in no segment"))),
    }
    for kind, (title, words) in names.items():
        own: list[tuple[Any, PushOutcome]] = [(value, each) for (part, value), each in parts.items() if part == kind]
        order = sorted(own, key=lambda pair: pair[0] if kind in {"variant", "hour"} else -pair[1].taken)
        if len(own) > 1:
            yield title, [ReportPart(words=words(value), outcome=outcome) for value, outcome in order]


def _subjects(
    parts: Mapping[tuple[str, int | str | None], PushOutcome], form: CampaignForm | None
) -> list[tuple[str, SubjectEffect]]:
    """How each subject is answered beside the others; an answer is a purchase after a click, and no opened mail."""
    own = [(value, each) for (part, value), each in parts.items() if part == "variant" and isinstance(value, int)]
    own.sort(key=lambda pair: pair[0])
    effects = subject_effects([(each.people, each.buyers) for _value, each in own])
    return [(_subject(form, value), effect) for (value, _each), effect in zip(own, effects, strict=False)]


def _subject(form: CampaignForm | None, variant: int) -> str:
    texts = form and (form.what.texts.get(settings.SHOP_LANGUAGE) or next(iter(form.what.texts.values()), None))
    return (
        texts.subjects[variant] if texts and variant < len(texts.subjects) else _("Subject %(n)s") % {"n": variant + 1}
    )


def next_moment(live: LiveCampaign, *, now: datetime) -> datetime | None:
    """When the campaign comes next; one with a trigger comes whenever it happens."""
    return None if live.campaign.ended_at or not live.version.is_live else next_of(live.campaign, live.version, now=now)
