"""Guardrails of campaigns: one whose messages are complained of, bounce, or make people leave is paused."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recommendations.engine.push.guardrails import FIRST, LIMITS, OF_ALL, exceeds, look_at
from recommendations.models import Campaign, GuardrailLook, ShopSetting
from recommendations.push_terms import PushRate
from recommendations.services.campaigns.lifecycle import CampaignOverError, PausedAlreadyError, pause
from recommendations.store.push.guardrail_counts import RateCounts, complaints_since, rate_counts, settled_counts
from recommendations.wording import push_labels

WEEK = timedelta(days=7)
STOPPED = "push_stopped_at"
"""Setting of the shop: when complaints last stopped all campaigns; what came before counts no more."""
REASONS: Mapping[PushRate, Promise] = {
    PushRate.COMPLAINTS: gettext_lazy("%(rate)s complained; the limit is %(limit)s."),
    PushRate.BOUNCES: gettext_lazy("%(rate)s went to addresses that do not exist; the limit is %(limit)s."),
    PushRate.UNSUBSCRIBES: gettext_lazy("%(rate)s unsubscribed; the limit is %(limit)s."),
    PushRate.FAILURES: gettext_lazy("%(rate)s were refused or failed; the limit is %(limit)s."),
}


@dataclass(frozen=True, kw_only=True)
class RateReading:
    """A rate of a campaign as it is now, beside its limit; ``next_look`` messages until it is looked at again."""

    rate: PushRate
    count: int
    messages: int
    limit: float
    next_look: int
    fired_at: datetime | None = None

    @property
    def share(self) -> float:
        return self.count / self.messages if self.messages else 0.0

    @property
    def words(self) -> str:
        return str(dict(push_labels.PUSH_RATES)[self.rate])


def watch_rates(*, now: datetime) -> int:
    """Look at the rates of all campaigns that run, where their messages have doubled; how many were paused."""
    running = list(Campaign.objects.live().filter(paused_at=None))
    settled = settled_counts([each.pk for each in running])
    paused = sum(_watch(each, settled[each.pk], now=now) for each in running)
    return paused + _watch_all(now=now)


def readings_of(campaign: Campaign) -> list[RateReading]:
    """The rates of a campaign, in their order."""
    counts = rate_counts([campaign.pk])[campaign.pk]
    fired = dict(campaign.looks.filter(fired=True).order_by("at").values_list("guardrail", "at"))
    return [
        RateReading(
            rate=rate, count=counts.count(rate), messages=counts.messages(rate), limit=limit,
            next_look=2 * (look_at(counts.messages(rate)) or FIRST // 2), fired_at=fired.get(rate),
        )
        for rate, limit in LIMITS.items()
    ]  # fmt: skip


def _watch(campaign: Campaign, settled: RateCounts, *, now: datetime) -> bool:
    """Look at the rates of a campaign; whether it was paused. What came of messages is counted only when one is due."""
    due = list(_due(campaign, settled))
    if not due:
        return False
    counts = rate_counts([campaign.pk])[campaign.pk]
    looks = [
        GuardrailLook(
            campaign=campaign, guardrail=rate, messages=step, count=counts.count(rate), limit=LIMITS[rate], at=now,
            fired=exceeds(counts.count(rate), counts.messages(rate), LIMITS[rate]),
        )
        for rate, step in due
    ]  # fmt: skip
    fired = next((PushRate(look.guardrail) for look in looks if look.fired), None)
    with transaction.atomic():
        GuardrailLook.objects.bulk_create(looks, ignore_conflicts=True)
        if fired is not None:
            share = counts.count(fired) / counts.messages(fired)
            _pause(campaign, _reason(fired, share, LIMITS[fired]), now=now)
    return fired is not None


def _due(campaign: Campaign, counts: RateCounts) -> Iterator[tuple[PushRate, int]]:
    """Rates that have not been looked at since their messages doubled, each with the step."""
    looked = set(campaign.looks.values_list("guardrail", "messages"))
    for rate in LIMITS:
        step = look_at(counts.messages(rate))
        if step is not None and (rate, step) not in looked:
            yield rate, step


def _watch_all(*, now: datetime) -> int:
    """Pause every campaign where complaints of all messages of a week are too many; how many were paused."""
    stopped = ShopSetting.objects.filter(key=STOPPED).values_list("value", flat=True).first()
    last = parse_datetime(stopped["at"]) if stopped else None
    taken, complained = complaints_since(max(now - WEEK, last) if last else now - WEEK)
    if taken < FIRST or not exceeds(complained, taken, OF_ALL):
        return 0
    running = list(Campaign.objects.live().filter(paused_at=None))
    with transaction.atomic():
        for campaign in running:
            _pause(campaign, _reason_of_all(complained / taken), now=now)
        ShopSetting.objects.update_or_create(key=STOPPED, defaults={"value": {"at": now.isoformat()}})
    return len(running)


def _pause(campaign: Campaign, reason: str, *, now: datetime) -> None:
    with suppress(CampaignOverError, PausedAlreadyError):
        pause(campaign=campaign, reason=reason, by=None, now=now)


def _reason(rate: PushRate, share: float, limit: float) -> str:
    """Why a campaign is paused, in the shop's language."""
    with translation.override(settings.SHOP_LANGUAGE):
        return str(REASONS[rate]) % {"rate": f"{share:.1%}", "limit": f"{limit:.1%}"}


def _reason_of_all(share: float) -> str:
    with translation.override(settings.SHOP_LANGUAGE):
        text = _("%(rate)s of all messages of seven days were complained of; the limit is %(limit)s.")
        return text % {"rate": f"{share:.1%}", "limit": f"{OF_ALL:.1%}"}
