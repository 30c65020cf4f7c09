"""Five campaigns that begin at once beside those of a shop: their plans, and what is decided at the same moment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.models import Campaign, CampaignVersion, Considered, Occurrence
from recommendations.push_terms import CampaignKind, Trigger, Verdict
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.campaigns.presets import CampaignPreset, preset_of
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sendings import LiveCampaign, decide_pushes, plan
from recommendations.simulation.message_lists import current_snapshot

CAMPAIGNS: Sequence[tuple[CampaignKind, Trigger | None]] = (
    (CampaignKind.ONCE, None),
    (CampaignKind.RECURRING, None),
    (CampaignKind.TRIGGERED, Trigger.DUE_AGAIN),
    (CampaignKind.TRIGGERED, Trigger.CART_LEFT),
    (CampaignKind.TRIGGERED, Trigger.NEW_FOR_YOU),
)

MORNING = time(9)  # of the shop's clock: all hours at which one of these comes, and all slots of the day, are to come

type DecidedCase = tuple[int, str, tuple[int, ...], int | None, datetime | None]
"""Customer, verdict, items, the campaign that they lost to, and when it leaves."""


@dataclass(frozen=True, kw_only=True)
class PlansBeside:
    """Verdicts that were decided, how many differ from the plans, and sendings whose counts do not add up."""

    verdicts: Counter[str]
    different: int
    unsummed: int


def next_morning(now: datetime) -> datetime:
    """Tomorrow morning where the shop is, so that nothing of today is in the way, whatever the hour is."""
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), MORNING, zone).astimezone(UTC)


def begin(*, now: datetime) -> list[LiveCampaign]:
    """Campaigns as *New campaign* begins them, live from now on."""
    return [_begin(preset_of(kind, trigger), now=now) for kind, trigger in CAMPAIGNS]


def compare(*, now: datetime, begun: Sequence[LiveCampaign] | None = None) -> PlansBeside:
    """Plan five campaigns, decide them, and hold both side by side, person by person."""
    own = begin(now=now) if begun is None else begun
    ground = Ground(snapshot=current_snapshot(), rules=rules_now(now=now), now=now)
    plans = {each.campaign.pk: Counter(_planned(each, ground)) for each in own}
    decide_pushes(now=now)
    different = unsummed = 0
    verdicts = Counter[str]()
    for each in own:
        sending = Occurrence.objects.get(campaign=each.campaign)
        decided = Counter(_decided(sending))
        different += (plans[each.campaign.pk] - decided).total() + (decided - plans[each.campaign.pk]).total()
        unsummed += sum(sending.counts.get(verdict.value, 0) for verdict in Verdict) != decided.total()
        verdicts.update(case[1] for case in decided.elements())
    return PlansBeside(verdicts=verdicts, different=different, unsummed=unsummed)


def _begin(preset: CampaignPreset, *, now: datetime) -> LiveCampaign:
    recurring, triggered = preset.kind is CampaignKind.RECURRING, preset.kind is CampaignKind.TRIGGERED
    draft = preset.draft()
    if recurring:
        draft["when"]["weekdays"] = [now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).isoweekday()]
    form = frozen_of(draft, recurring=recurring, triggered=triggered)
    own = Campaign.objects.create(
        slug=f"bench-{preset.trigger or preset.kind}", name=f"Bench: {preset.title}", kind=preset.kind,
        trigger=preset.trigger or "", purpose=preset.purpose,
    )  # fmt: skip
    version = CampaignVersion.objects.create(campaign=own, number=1, frozen=as_json(form), starts_at=now, is_live=True)
    return LiveCampaign(campaign=own, version=version, form=form)


def _planned(live: LiveCampaign, ground: Ground) -> Iterator[DecidedCase]:
    for each in plan(live, ground=ground):
        yield each.case.customer, each.verdict.value, tuple(each.items), each.lost_to, each.due_at


def _decided(sending: Occurrence) -> Iterator[DecidedCase]:
    for each in Considered.objects.filter(occurrence=sending):
        yield each.customer_id, each.verdict, tuple(each.items), each.lost_to_id, each.due_at
