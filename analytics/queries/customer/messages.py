"""Messages of a customer: what they got, how much they still bear, why nothing came, and what comes next."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.queries.campaigns.funnel import fate_words
from analytics.queries.campaigns.report import next_moment
from analytics.templatetags.display import moment, number
from analytics.templatetags.words import label
from recommendations.engine.push.cases import ChannelReach
from recommendations.engine.push.competition import HOUR, PressureCap, SentMessage, room_from
from recommendations.engine.push.timing import QuietHours, allowed_from
from recommendations.models import AudienceMember, Campaign, Considered, Message
from recommendations.push_terms import (
    BY_TRAITS,
    COUNTING,
    SENDING,
    SETTLED_CLICK,
    WAITING,
    WAITS_ON,
    CampaignKind,
    Channel,
    MessageEventKind,
    MessageState,
    OccurrenceState,
    Purpose,
    Verdict,
)
from recommendations.services.campaigns.pressure import form_of, rules_now
from recommendations.services.campaigns.results import SHOWING
from recommendations.services.push.person import OwnChoices, channels_to
from recommendations.services.push.sendings import LiveCampaign, live_campaigns
from recommendations.wording import push_labels

WEEK = timedelta(days=7)
SHOWN = 30
MOST = 200  # messages that are looked at: more than any rules let through in the longest window


@dataclass(frozen=True, kw_only=True)
class MessageLine:
    """A message, when it left or was to leave, in words, and what its reader did."""

    message: Message
    at: datetime
    words: str
    clicked: datetime | None
    machine: bool
    left: datetime | None


@dataclass(frozen=True, kw_only=True)
class SilenceReason:
    """Why a campaign sent nothing to somebody at its last decision."""

    campaign: Campaign
    words: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class MessagesOfCustomer:
    """What stands on the panel.

    ``shut_words`` say why nothing may be sent at all, ``next_words`` when one more message may come at the earliest;
    ``coming`` is the campaign to come.
    """

    lines: Sequence[MessageLine]
    older: bool
    used: Sequence[str]
    shut_words: str  # empty: something may be sent
    next_words: str  # empty: at once
    this_week: int
    reasons: Sequence[SilenceReason]
    coming: Campaign | None
    coming_words: str


def messages_of(keys: Sequence[int], *, now: datetime, personalise: bool = True) -> MessagesOfCustomer:
    """Messages of all keys of a customer, their own first, as of now; ``personalise``: they do not object to it."""
    stored = Message.objects.filter(customer__in=keys).select_related("campaign").prefetch_related("events")
    messages = list(stored.order_by("-due_at", "-pk")[:MOST])
    considered = _considered(keys, now=now)
    reach, chosen = channels_to(keys[0], now=now)
    used, next_at = _pressure(messages, chosen, channels=[one.channel for one in reach], now=now)
    allowed, shut = _allowed(reach, personalise=personalise)
    coming, words = _coming(messages, considered, keys, allowed, now=now)
    weekly = [each for each in messages if each.state in SHOWING and now - WEEK < _at(each) <= now]
    return MessagesOfCustomer(
        lines=[_line(each) for each in messages[:SHOWN]],
        older=len(messages) > SHOWN,
        used=used,
        shut_words=shut,
        next_words=_when(next_at) if next_at > now else "",
        this_week=len(weekly),
        reasons=list(_reasons(considered)),
        coming=coming,
        coming_words=words,
    )


def _allowed(reach: Sequence[ChannelReach], *, personalise: bool) -> tuple[set[Purpose], str]:
    """The purposes for which somebody may be written to, and where there is none why."""
    heard = [one for one in reach if not one.silent]
    given = {purpose for one in heard for purpose in one.purposes}
    allowed = given if personalise else given - BY_TRAITS
    if allowed:
        return allowed, ""
    if not reach:
        return allowed, _("no address of theirs is in use")
    if not heard:
        return allowed, _("their address is blocked")
    if not given:
        return allowed, _("they have said yes to nothing, or taken it back")
    return allowed, _("they object to personalisation, and have not said yes to news and offers")


def _line(message: Message) -> MessageLine:
    events = list(message.events.all())
    moments = {event.kind: event.at for event in sorted(events, key=lambda event: event.at)}
    left, back = moments.get(MessageEventKind.UNSUBSCRIBED), moments.get(MessageEventKind.RESUBSCRIBED)
    clicks = [event.at for event in events if event.kind == MessageEventKind.CLICKED and event.told_as == SETTLED_CLICK]
    return MessageLine(
        message=message, at=_at(message), words=_state_words(message), clicked=min(clicks, default=None),
        machine=MessageEventKind.MACHINE_CLICKED in moments, left=left if left and not (back and back > left) else None,
    )  # fmt: skip


def _state_words(message: Message) -> str:
    if message.state == MessageState.TAKEN:
        return _("Sent")
    if message.state == MessageState.HELD:
        return _("Held out: it would have been sent")
    return fate_words(message.state, message.reason)


def _at(message: Message) -> datetime:
    return message.handed_at or message.due_at


def _pressure(
    messages: Sequence[Message], chosen: OwnChoices | None, *, channels: Sequence[Channel], now: datetime
) -> tuple[list[str], datetime]:
    """How much of each limit is used, and from when on there is room for one more message on one of the channels."""
    rules, channels = rules_now(now=now), channels or [Channel.EMAIL]
    sent = [SentMessage(_at(each).timestamp(), each.channel) for each in messages if each.state in COUNTING]
    caps = [
        PressureCap(cap.channel, cap.most, cap.hours * HOUR)
        for cap in form_of(rules).caps
        if cap.channel is None or cap.channel in channels
    ]
    if chosen and chosen.most_a_week:
        caps.append(PressureCap(None, chosen.most_a_week, WEEK.total_seconds()))
    quiet = QuietHours(rules.quiet_from, rules.quiet_until)
    if chosen and chosen.quiet_from is not None and chosen.quiet_until is not None:
        quiet = QuietHours(chosen.quiet_from, chosen.quiet_until)
    zone = ZoneInfo(chosen.zone if chosen and chosen.zone else settings.SHOP_TIME_ZONE)
    after = max(now, chosen.paused_until) if chosen and chosen.paused_until else now
    at = min(room_from(sent, channel, caps, after=after.timestamp()) for channel in channels)
    used = [_used(cap, sent, now=now.timestamp()) for cap in caps]
    return used, allowed_from(datetime.fromtimestamp(at, UTC), zone, quiet)


def _used(cap: PressureCap, sent: Sequence[SentMessage], *, now: float) -> str:
    count = sum(now - cap.seconds < each.at <= now and cap.channel in {None, each.channel} for each in sent)
    daily = cap.seconds == 24 * HOUR
    if cap.channel == Channel.EMAIL:
        words = (
            ngettext("%(n)s of %(most)s mail in 24 hours", "%(n)s of %(most)s mails in 24 hours", cap.most) if daily
            else ngettext("%(n)s of %(most)s mail this week", "%(n)s of %(most)s mails this week", cap.most)
        )  # fmt: skip
    elif cap.channel == Channel.WEB_PUSH:
        words = (
            ngettext(
                "%(n)s of %(most)s notification in 24 hours", "%(n)s of %(most)s notifications in 24 hours", cap.most
            )
            if daily
            else ngettext(
                "%(n)s of %(most)s notification this week", "%(n)s of %(most)s notifications this week", cap.most
            )
        )
    else:
        words = (
            ngettext("%(n)s of %(most)s message in 24 hours", "%(n)s of %(most)s messages in 24 hours", cap.most)
            if daily
            else ngettext("%(n)s of %(most)s message this week", "%(n)s of %(most)s messages this week", cap.most)
        )
    return words % {"n": number(count), "most": number(cap.most)}


def _considered(keys: Sequence[int], *, now: datetime) -> list[Considered]:
    """The last decision of each campaign on somebody in a week, the newest first."""
    stored = (
        Considered.objects.filter(customer__in=keys, decided_at__gt=now - WEEK)
        .exclude(occurrence__state=OccurrenceState.PLANNED)
        .select_related("occurrence__campaign", "lost_to")
        .order_by("-decided_at", "-pk")
    )
    latest: dict[int, Considered] = {}
    for each in stored[:MOST]:
        latest.setdefault(each.occurrence.campaign_id, each)
    return list(latest.values())


def _reasons(considered: Sequence[Considered]) -> Iterator[SilenceReason]:
    for each in considered:
        if each.verdict in SENDING:
            continue
        words = label(push_labels.VERDICTS, each.verdict)
        if each.verdict == Verdict.OUTRANKED and each.lost_to:
            words = _("“%(campaign)s” had the better message") % {"campaign": each.lost_to.name}
        elif each.verdict == Verdict.HELD_OUT and each.would_send:
            words = _("Held out: it would have been sent")
        yield SilenceReason(campaign=each.occurrence.campaign, words=words, at=each.decided_at)


def _coming(
    messages: Sequence[Message],
    considered: Sequence[Considered],
    keys: Sequence[int],
    allowed: Set[Purpose],
    *,
    now: datetime,
) -> tuple[Campaign | None, str]:
    """The campaign that is the next to write to somebody, as far as that can be said, and in what way."""
    waiting = sorted((each for each in messages if each.state in WAITING), key=lambda each: each.due_at)
    if waiting:
        return waiting[0].campaign, _("waits for its hour: %(when)s") % {"when": _when(waiting[0].due_at)}
    live = {
        each.campaign.pk: each for each in live_campaigns()
        if each.campaign.paused_at is None and each.campaign.purpose in allowed
    }  # fmt: skip
    for each in considered:
        own = live.get(each.occurrence.campaign_id)
        if own and each.verdict in WAITS_ON and each.wanted_at + own.lifetime > now:
            until = _when(each.wanted_at + own.lifetime)
            return own.campaign, _("is looked at again every hour, until %(when)s") % {"when": until}
    return _planned(list(live.values()), keys, now=now)


def _planned(live: Sequence[LiveCampaign], keys: Sequence[int], *, now: datetime) -> tuple[Campaign | None, str]:
    """The first campaign to come that has somebody in view."""
    own = set(AudienceMember.objects.filter(customer__in=keys).values_list("audience", flat=True)) if live else set()
    coming = [
        (at, each.campaign)
        for each in live
        if each.campaign.kind != CampaignKind.TRIGGERED
        and (not each.form.who.any_of or own & set(each.form.who.any_of))
        and not own & set(each.form.who.none_of)
        and (at := next_moment(each, now=now)) is not None
    ]
    if not coming:
        return None, ""
    at, campaign = min(coming, key=lambda pair: pair[0])
    return campaign, _("comes %(when)s") % {"when": _when(at)}


def _when(at: datetime) -> str:
    """A moment of the next days by the day of the week, and a later one by its date, on the shop's clock."""
    if at - timezone.now() > WEEK - timedelta(days=1):
        return moment(at)
    return date_format(timezone.localtime(at), "l H:i")
