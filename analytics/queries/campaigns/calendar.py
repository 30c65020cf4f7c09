"""Campaigns on a calendar: four weeks of the shop's days, what was sent, what waits and what is planned on each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from analytics.queries.days import midnight
from recommendations.models import Campaign, Message, Occurrence
from recommendations.push_terms import COUNTING, ERASED, SENDING, WAITING, CampaignKind, OccurrenceState, Verdict
from recommendations.services.push.sendings import LiveCampaign, live_campaigns, moments_of

WEEK = timedelta(days=7)
WEEKS = 4
ENOUGH = (Verdict.CAPPED, Verdict.OUTRANKED)
UNREACHED = {Verdict.NO_ADDRESS, Verdict.NO_CONSENT, Verdict.SUPPRESSED}
"""Verdicts on whom nobody may write to: they are no part of the share whom limits keep back."""


@dataclass(kw_only=True)
class CalendarEntry:
    """A campaign on a day; ``sending`` is where most of it comes from. ``expected`` None: not planned, or unknown."""

    campaign: Campaign
    sent: int = 0
    waiting: int = 0
    planned_at: datetime | None = None
    expected: int | None = None
    sending: int | None = None


@dataclass(kw_only=True)
class CalendarDay:
    """A day; ``limited`` is the share of whom limits kept back, of all who might be written to."""

    day: date
    entries: Sequence[CalendarEntry] = ()
    limited: float = 0.0

    @property
    def shade(self) -> int:
        """How dark the day is drawn: from 0 to 3."""
        return sum(self.limited >= edge for edge in (0.1, 0.25, 0.5))

    @property
    def sent(self) -> int:
        return sum(entry.sent for entry in self.entries)


@dataclass(frozen=True, kw_only=True)
class CampaignCalendar:
    """Four weeks from a Monday; ``erased`` messages went to people whose contacts have been erased since."""

    first: date
    days: Sequence[CalendarDay]
    erased: int = 0
    triggered: Sequence[Campaign] = field(default_factory=list)

    @property
    def weeks(self) -> list[Sequence[CalendarDay]]:
        return [self.days[start : start + 7] for start in range(0, len(self.days), 7)]

    @property
    def last(self) -> date:
        return self.days[-1].day

    @property
    def before(self) -> date:
        return self.first - WEEK

    @property
    def after(self) -> date:
        return self.first + WEEK

    @property
    def has_entries(self) -> bool:
        return any(day.entries for day in self.days)


def calendar(*, around: date, now: datetime) -> CampaignCalendar:
    """The weeks of which the third has a day in it: two that lie behind it, its own and the next."""
    first = around - timedelta(days=around.weekday()) - 2 * WEEK
    days = [first + timedelta(days=number) for number in range(7 * WEEKS)]
    begin, end = midnight(days[0]), midnight(days[-1] + timedelta(days=1))
    live = live_campaigns()
    stored = Occurrence.objects.exclude(state=OccurrenceState.PLANNED).filter(due_at__gte=begin, due_at__lt=end)
    sendings = list(stored.select_related("campaign").order_by("due_at"))
    entries = _entries(sendings, live, begin=begin, end=end, now=now)
    limited = _limited(sendings)
    return CampaignCalendar(
        first=first,
        days=[
            CalendarDay(day=day, limited=limited.get(day, 0.0), entries=sorted(entries[day].values(), key=_order))
            for day in days
        ],
        erased=sum(map(_erased, sendings)),
        triggered=[each.campaign for each in live if each.campaign.kind == CampaignKind.TRIGGERED],
    )


def _order(entry: CalendarEntry) -> tuple[int, str]:
    return -entry.sent - entry.waiting, entry.campaign.name


def _entries(
    sendings: Iterable[Occurrence], live: Iterable[LiveCampaign], *, begin: datetime, end: datetime, now: datetime
) -> Mapping[date, dict[int, CalendarEntry]]:
    entries: defaultdict[date, dict[int, CalendarEntry]] = defaultdict(dict)

    def entry(day: date, campaign: Campaign) -> CalendarEntry:
        return entries[day].setdefault(campaign.pk, CalendarEntry(campaign=campaign))

    for day, campaign, sending, sent, waiting in _messages(begin=begin, end=end):
        one = entry(day, campaign)
        one.sent, one.waiting, one.sending = one.sent + sent, one.waiting + waiting, one.sending or sending
    for each in sendings:
        one = entry(timezone.localdate(each.due_at), each.campaign)
        one.sending, one.sent = one.sending or each.pk, one.sent + _erased(each)
    for planned in live:
        for at in _planned(planned, begin=begin, end=end, now=now):
            one = entry(timezone.localdate(at), planned.campaign)
            if one.sending is None:
                one.planned_at, one.expected = at, _expected(planned)
    return entries


def _messages(*, begin: datetime, end: datetime) -> Iterator[tuple[date, Campaign, int, int, int]]:
    """Messages that left or wait, by the shop's day, campaign and sending, the largest first."""
    at = Coalesce("handed_at", "due_at")
    stored = Message.objects.filter(state__in=COUNTING).annotate(at=at).filter(at__gte=begin, at__lt=end)
    waits = Q(state__in=WAITING)
    counted = (
        stored.annotate(day=TruncDate("at"))
        .order_by()
        .values("day", "campaign", "occurrence")
        .annotate(sent=Count("pk", filter=~waits), waiting=Count("pk", filter=waits))
        .order_by("day", "-sent", "-waiting")
    )
    counts_by_sending = list(counted)
    campaigns = Campaign.objects.in_bulk({row["campaign"] for row in counts_by_sending})
    for row in counts_by_sending:
        yield row["day"], campaigns[row["campaign"]], row["occurrence"], row["sent"], row["waiting"]


def _erased(sending: Occurrence) -> int:
    """Messages to people who have been erased since; they count for the day of their sending, all that is known."""
    return int(sending.counts.get(f"{ERASED}taken", 0))


def _planned(live: LiveCampaign, *, begin: datetime, end: datetime, now: datetime) -> Iterator[datetime]:
    """Moments to come of a campaign in some weeks, at its hour; those of one with a trigger cannot be told."""
    if live.campaign.kind == CampaignKind.TRIGGERED or live.campaign.paused_at is not None:
        return
    hour = live.form.when.hour
    for moment in moments_of(live, after=max(now, begin) - timedelta(days=1), until=end):
        at = moment.at
        if hour is not None:
            at = timezone.make_aware(datetime.combine(timezone.localdate(moment.at), hour))
        if now < at and begin <= at < end:
            yield at


def _expected(live: LiveCampaign) -> int | None:
    """How many the plan promised that was approved."""
    expected = live.version.expected
    return sum(expected.get(verdict, 0) for verdict in SENDING) if expected else None


def _limited(sendings: Iterable[Occurrence]) -> dict[date, float]:
    """Share of the people of each day's decisions whom limits kept back, of those who might be written to."""
    by_day: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for each in sendings:
        by_day[timezone.localdate(each.due_at)].update(each.counts)
    shares = {}
    for day, counts in by_day.items():
        reached = sum(counts[verdict] for verdict in Verdict if verdict not in UNREACHED)
        shares[day] = sum(counts[verdict] for verdict in ENOUGH) / reached if reached else 0.0
    return shares
