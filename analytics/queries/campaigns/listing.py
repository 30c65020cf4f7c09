"""The campaigns as the list shows them: what they are, when they come next, and what came of the last week."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Prefetch, Q, QuerySet

from analytics.queries.campaigns.reviews import with_last_word
from analytics.queries.campaigns.words import CampaignWords, part_of, when_words
from recommendations.engine.push.schedule import moments
from recommendations.engine.push.timing import DAY
from recommendations.models import Campaign, CampaignVersion, Message, MessageEvent, Occurrence
from recommendations.push_terms import (
    ERASED,
    CampaignKind,
    CampaignStatus,
    MessageEventKind,
    MessageState,
    OccurrenceState,
)
from recommendations.services.campaigns.form import LONGEST_LIFE, When
from recommendations.wording import push_labels

WEEK = timedelta(days=7)
AHEAD = timedelta(days=60)  # within which the next date is looked for
TONES: Mapping[str, str] = {
    CampaignStatus.IN_REVIEW: "info", CampaignStatus.SCHEDULED: "info", CampaignStatus.LIVE: "good",
    CampaignStatus.PAUSED: "warn",
}  # fmt: skip
ORDER = (
    CampaignStatus.LIVE, CampaignStatus.SCHEDULED, CampaignStatus.PAUSED, CampaignStatus.IN_REVIEW,
    CampaignStatus.DRAFT, CampaignStatus.ENDED, CampaignStatus.ARCHIVED,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WeekOfCampaign:
    """Messages that were taken in the last seven days, and people who clicked one and who unsubscribed by one.

    ``erased`` of them went to people whose contacts have been erased since: what came of those is not known any more.
    """

    sent: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    erased: int = 0

    @property
    def traceable(self) -> int:
        """Messages of which it is known what came."""
        return self.sent - self.erased


@dataclass(frozen=True, kw_only=True)
class CampaignRow:
    campaign: Campaign
    status: CampaignStatus
    who: str
    when: str
    next_at: datetime | None
    week: WeekOfCampaign
    waiting: Occurrence | None

    @property
    def label(self) -> str:
        return str(dict(push_labels.CAMPAIGN_STATUSES)[self.status])

    @property
    def tone(self) -> str:
        return TONES.get(self.status, "")


@dataclass(frozen=True, kw_only=True)
class CampaignList:
    rows: Sequence[CampaignRow]

    def of(self, *statuses: CampaignStatus) -> list[CampaignRow]:
        return [row for row in self.rows if row.status in statuses]

    @property
    def total(self) -> WeekOfCampaign:
        """Messages of all of them."""
        weeks = [row.week for row in self.rows]
        return WeekOfCampaign(
            sent=sum(week.sent for week in weeks), clicked=sum(week.clicked for week in weeks),
            unsubscribed=sum(week.unsubscribed for week in weeks), erased=sum(week.erased for week in weeks),
        )  # fmt: skip

    @property
    def waiting(self) -> list[CampaignRow]:
        """Campaigns with a sending that somebody has to let go."""
        return [row for row in self.rows if row.waiting]


def campaigns(*, now: datetime) -> CampaignList:
    """All campaigns of ours, the archived ones among them: those that run first, then the others, the last changed
    first.
    """
    live = Prefetch("versions", CampaignVersion.objects.filter(is_live=True), to_attr="live")
    stored = list(Campaign.objects.ours().prefetch_related(live))
    words = CampaignWords.of(_form(each) for each in stored)
    weeks = weeks_of(now=now)
    waiting = {
        each.campaign_id: each for each in Occurrence.objects.filter(state=OccurrenceState.WAITING).order_by("due_at")
    }
    rows = [_row(each, words, weeks=weeks, waiting=waiting, now=now) for each in stored]
    return CampaignList(rows=sorted(rows, key=lambda row: ORDER.index(row.status)))


def find_campaign(pk: int) -> Campaign | None:
    return with_last_word(Campaign.objects.ours().select_related("author").filter(pk=pk)).first()


def is_imported(pk: int) -> bool:
    """Whether another system sent the campaign, so that it has no page of its own."""
    return Campaign.objects.filter(pk=pk, kind=CampaignKind.IMPORTED).exists()


def weeks_of(*, now: datetime, campaign: int | None = None) -> dict[int, WeekOfCampaign]:
    """What came of the messages of the last seven days, by campaign, or of one alone."""
    taken = _taken(now - WEEK, campaign)
    sent, erased = Counter(dict(taken.values_list("campaign").annotate(n=Count("pk")))), _erased(now - WEEK, campaign)
    kinds = [MessageEventKind.CLICKED, MessageEventKind.UNSUBSCRIBED, MessageEventKind.RESUBSCRIBED]
    events = MessageEvent.objects.filter(message__in=taken, kind__in=kinds)
    people: dict[tuple[int, str], set[int]] = {}
    for key, kind, person in events.values_list("message__campaign", "kind", "message__customer").order_by("at"):
        people.setdefault((key, kind), set()).add(person)
        if kind == MessageEventKind.RESUBSCRIBED:  # it was taken back
            people.get((key, MessageEventKind.UNSUBSCRIBED), set()).discard(person)
    return {
        key: WeekOfCampaign(
            sent=n, clicked=len(people.get((key, MessageEventKind.CLICKED), ())),
            unsubscribed=len(people.get((key, MessageEventKind.UNSUBSCRIBED), ())), erased=erased[key],
        )
        for key, n in (sent + erased).items()
    }  # fmt: skip


def _taken(since: datetime, campaign: int | None) -> QuerySet[Message]:
    """Messages that were taken since then; their sendings are not much older, by which they are found."""
    begun = since - timedelta(hours=2 * LONGEST_LIFE)
    own = Q() if campaign is None else Q(campaign=campaign)
    return Message.objects.filter(own, occurrence__due_at__gt=begun, state=MessageState.TAKEN, settled_at__gt=since)


def _erased(since: datetime, campaign: int | None) -> Counter[int]:
    """Messages that were taken from people who have been erased since, of the sendings that began since then.

    When such a message left is not known any more: only its sending has the number.
    """
    name, counts = f"{ERASED}taken", Counter[int]()
    own = Q() if campaign is None else Q(campaign=campaign)
    stored = Occurrence.objects.filter(own, due_at__gt=since, counts__has_key=name)
    for key, numbers in stored.values_list("campaign", "counts"):
        counts[key] += numbers[name]
    return counts


def _row(
    campaign: Campaign, words: CampaignWords, *, weeks: Mapping[int, WeekOfCampaign],
    waiting: Mapping[int, Occurrence], now: datetime,
) -> CampaignRow:  # fmt: skip
    version = live_of(campaign)
    status = campaign.status(live=version, now=now)
    form = _form(campaign)
    return CampaignRow(
        campaign=campaign, status=status, who=words.who(form), when=when_words(campaign, form),
        next_at=next_of(campaign, version, now=now) if status in {CampaignStatus.LIVE, CampaignStatus.SCHEDULED}
        else None,
        week=weeks.get(campaign.pk, WeekOfCampaign()),
        waiting=waiting.get(campaign.pk) if status not in {CampaignStatus.ENDED, CampaignStatus.ARCHIVED} else None,
    )  # fmt: skip


def live_of(campaign: Campaign) -> CampaignVersion | None:
    """The live version, which was read with the campaign."""
    versions: Sequence[CampaignVersion] = vars(campaign)["live"]
    return versions[0] if versions else None


def next_of(campaign: Campaign, version: CampaignVersion | None, *, now: datetime) -> datetime | None:
    """When it comes next, at its hour by the shop's clock; None of one with a trigger."""
    when = part_of(version.frozen, "when", When) if version else None
    if version is None or when is None or campaign.kind == CampaignKind.TRIGGERED:
        return None
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    # what was decided when the day began leaves at its hour, which may be to come
    coming = moments(
        CampaignKind(campaign.kind), starts_at=version.starts_at, ends_at=version.ends_at, weekdays=when.weekdays,
        hour=when.hour, zone=zone, after=now - DAY, until=max(now, version.starts_at) + AHEAD,
    )  # fmt: skip
    return next((at for each in coming if (at := _at_hour(each.at, when.hour, zone)) > now), None)


def _at_hour(at: datetime, hour: time | None, zone: ZoneInfo) -> datetime:
    """The first moment from one on at which a clock shows an hour, if one is wanted."""
    if hour is None:
        return at
    day = at.astimezone(zone).date()
    first = datetime.combine(day, hour, zone)
    return first if first >= at else datetime.combine(day + DAY, hour, zone)


def _form(campaign: Campaign) -> Mapping[str, Any]:
    """What is sent, else what staff work at."""
    version = live_of(campaign)
    form: Mapping[str, Any] = version.frozen if version else campaign.draft
    return form
