"""What other rules of pressure would have let through of the messages of the last weeks."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.competition import HOUR, Candidate, PressureCap, SentMessage, fits_with
from recommendations.engine.push.timing import QuietHours, allowed_from
from recommendations.engine.push.value import messages_before
from recommendations.models import PressureRules
from recommendations.push_terms import Priority
from recommendations.services.campaigns.pressure import PressureForm, rules_now
from recommendations.services.push_models.in_use import LearnedModels, costs_under
from recommendations.store.push.pressure import PARTS, PastMessage, erased_messages, held_back, past_messages

SPAN = timedelta(days=28)
BEFORE = timedelta(days=7)  # the longest window of a cap: what was sent in it counts, and is not counted
MOST = 100_000  # messages; of more a part of the people stands for all
MINUTE = 60.0
RANKS = {priority.value: rank for rank, priority in enumerate(Priority)}
FORGOTTEN = 31 * 24 * HOUR  # what was sent before that is in no window any more


@dataclass(frozen=True, kw_only=True)
class TriedRules:
    """Rules to try. ``season`` None: whoever is held out stays so, and nobody else is."""

    caps: tuple[PressureCap, ...]
    quiet: QuietHours
    per_day: float | None
    holdout: float
    season: bytes | None
    zone: ZoneInfo  # of the shop
    dearer: Mapping[str, float] = field(default_factory=dict)  # by channel: how much more a message costs
    leaving: tuple[float, ...] = (0.0,)  # how much more it costs that somebody may leave, by messages of 28 days


@dataclass(frozen=True, kw_only=True)
class PressureEstimate:
    """Messages that left, and how many there would have been; ``clicked`` are those that people did.

    ``held_back`` is what no message tells of: whom caps and budgets kept back, of whom looser ones let some through.
    ``erased`` messages went with their contacts and are in no other figure; ``share`` of the people stand for all.
    """

    sent: int
    would: int
    clicked: int
    clicked_still: int
    held_back: int = 0
    erased: int = 0
    share: float = 1.0

    @property
    def change(self) -> int:
        return self.would - self.sent

    @property
    def clicks_kept(self) -> float | None:
        return self.clicked_still / self.clicked if self.clicked else None


def estimate(form: PressureForm, *, now: datetime) -> PressureEstimate:
    """What the rules of a form would have let through of what left in the last 28 days."""
    since, live = now - SPAN, rules_now(now=now)
    messages, parts = past_messages(since=since - BEFORE, until=now, most=MOST)
    share = parts / PARTS
    rules = TriedRules(
        caps=tuple(PressureCap(cap.channel, cap.most, cap.hours * HOUR) for cap in form.caps),
        quiet=QuietHours(form.quiet_from, form.quiet_until),
        per_day=None if form.per_day is None else form.per_day * share,
        holdout=form.holdout,
        season=None if form.holdout == live.holdout else f"push:{live.season}".encode(),
        zone=ZoneInfo(settings.SHOP_TIME_ZONE),
        **_dearer(form, live, now=now),
    )
    counts = run_again(messages, rules, since=since.timestamp())
    return PressureEstimate(
        **{name: round(count / share) for name, count in counts.items()},
        held_back=held_back(since=since),
        erased=erased_messages(since=since),
        share=share,
    )


def _dearer(form: PressureForm, live: PressureRules, *, now: datetime) -> dict[str, Any]:
    """How much more messages would have cost than by the rules that count; nothing where both say the same."""
    if form.lost_contact == live.lost_contact and dict(form.prices) == live.prices:
        return {}
    models = LearnedModels.in_use()
    after, before = (costs_under(rules, models=models, now=now) for rules in (form, live))
    channels = {*after.prices, *before.prices}
    more = after.lost_contact - before.lost_contact
    return {
        "dearer": {channel: after.prices.get(channel, 0) - before.prices.get(channel, 0) for channel in channels},
        "leaving": tuple(chance * more for chance in models.leaving),
    }


def run_again(messages: Sequence[PastMessage], rules: TriedRules, *, since: float) -> dict[str, int]:
    """Counts of messages since a moment under rules; what was decided within a minute competes as it did then."""
    counts = Counter(sent=0, would=0, clicked=0, clicked_still=0)
    for each in messages:
        if not each.held and each.decided >= since:
            counts["sent"] += 1
            counts["clicked"] += each.clicked
    for each in _going(messages, rules):
        if each.decided >= since:
            counts["would"] += 1
            counts["clicked_still"] += each.clicked
    return dict(counts)


def _going(messages: Sequence[PastMessage], rules: TriedRules) -> Iterator[PastMessage]:
    """Messages that the rules let through, decision by decision."""
    past: defaultdict[int, list[SentMessage]] = defaultdict(list)
    used: Counter[int] = Counter()
    for minute, decided in groupby(messages, lambda each: each.decided // MINUTE):
        oldest = minute * MINUTE - FORGOTTEN
        pairs = [(each, None if _is_held(each, rules) else _candidate(each, rules)) for each in decided]
        wanted = [(each, one) for each, one in pairs if one is not None]
        for each, one in sorted(wanted, key=lambda pair: (pair[1].rank, -pair[1].value, pair[1].campaign)):
            own = past[each.person] = [sent for sent in past[each.person] if sent.at > oldest]
            day = datetime.fromtimestamp(one.at, rules.zone).toordinal()
            is_spent = rules.per_day is not None and used[day] >= rules.per_day
            if is_spent or not _is_worth(one, rules, own) or not fits_with(own, one, rules.caps):
                continue
            used[day] += 1
            own.append(SentMessage(one.at, one.channel))
            yield each


def _is_worth(one: Candidate, rules: TriedRules, past: Sequence[SentMessage]) -> bool:
    """Whether a message would still bring what it costs; what its reader asked for need not."""
    before = min(messages_before(past, at=one.at), len(rules.leaving) - 1)
    more = rules.dearer.get(one.channel, 0.0) + rules.leaving[before]
    return one.rank == 0 or more <= 0 or one.value >= more


def _is_held(each: PastMessage, rules: TriedRules) -> bool:
    """Whether somebody would have been held out of a message; nobody is of what they asked for."""
    if rules.season is None:
        return each.held
    if RANKS.get(each.priority, len(RANKS)) == 0:
        return False
    if rules.holdout and share_of(rules.season, each.person) < rules.holdout:
        return True
    return bool(each.holdout) and share_of(f"campaign:{each.campaign}".encode(), each.person) < each.holdout


def _candidate(each: PastMessage, rules: TriedRules) -> Candidate | None:
    """The message at the hour at which it would have left; None where that had been too late."""
    quiet = rules.quiet
    if each.quiet_from is not None and each.quiet_until is not None:
        quiet = QuietHours(each.quiet_from, each.quiet_until)
    at = allowed_from(each.at.astimezone(UTC), ZoneInfo(each.zone) if each.zone else rules.zone, quiet)
    if at >= each.expires_at:
        return None
    rank = RANKS.get(each.priority, len(RANKS))
    return Candidate(campaign=each.campaign, at=at.timestamp(), channel=each.channel, rank=rank, value=each.value)
