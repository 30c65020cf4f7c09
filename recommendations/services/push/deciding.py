"""Who gets what of the campaigns that want somebody now: the facts gathered, and the one decision asked.

The plan of a draft, the decision of a sending and the last look before a message leaves all go through here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.engine.push.cases import CampaignTerms, CaseVerdict, Hour, Pressure, PushCase
from recommendations.engine.push.competition import HOUR, PressureCap
from recommendations.engine.push.decision import decide
from recommendations.engine.push.timing import QuietHours
from recommendations.models import Campaign, PressureRules
from recommendations.push_terms import Priority, Purpose
from recommendations.services.campaigns.form import Block, CampaignForm, ContextItem
from recommendations.serving.types import Filter
from recommendations.simulation.message_lists import ListBlock, MessageLists, items_of_many
from recommendations.store.push.people import Habits, people_of, shown_lately
from recommendations.store.push.rates import chances, messages_by_day
from recommendations.store.serving.snapshot import Snapshot

type Progress = Callable[[float], None]
"""What is told which share of a decision is made; lists are nearly all of its work."""

RANKS = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A campaign under the form that counts, and whom it has in view.

    What ``has_waited`` for the campaign's hour leaves once it has struck; only quiet hours and limits may hold it.
    """

    campaign: Campaign
    form: CampaignForm
    cases: Sequence[PushCase]
    has_waited: bool = False


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What one decision stands on: one snapshot, one set of rules, one moment.

    ``but`` are messages that do not count, as they are looked at again themselves.
    """

    snapshot: Snapshot
    rules: PressureRules
    now: datetime
    but: frozenset[int] = frozenset()


def considered(sendings: Sequence[Sending], *, ground: Ground, progress: Progress | None = None) -> list[CaseVerdict]:
    """The verdict on every case, sending by sending. Raises UnknownPlacementError."""
    cases = [case for sending in sendings for case in sending.cases]
    people = people_of(
        {case.customer for case in cases}, habits=habits_of(ground.rules), now=ground.now, but=ground.but
    )
    return decide(
        cases,
        people=people,
        terms=terms_of(sendings),
        pressure=pressure_under(ground.rules, now=ground.now, but=ground.but),
        lists=partial(_lists, forms={each.campaign.pk: each for each in sendings}, ground=ground, progress=progress),
        now=ground.now,
    )


def terms_of(sendings: Iterable[Sending]) -> dict[int, CampaignTerms]:
    """What each campaign asks, by its key."""
    every = list(sendings)
    chance = chances([each.campaign for each in every])
    terms = {each.campaign.pk: terms_under(each.form, each.campaign, chance[each.campaign.pk]) for each in every}
    waited = {each.campaign.pk for each in every if each.has_waited}
    return terms | {key: replace(terms[key], hour=None) for key in waited}


def habits_of(rules: PressureRules) -> Habits:
    return Habits(zone=_shop(), quiet=QuietHours(rules.quiet_from, rules.quiet_until))


def pressure_under(rules: PressureRules, *, now: datetime, but: frozenset[int] = frozenset()) -> Pressure:
    """What everybody bears under rules, and the budgets that are used up; messages of ``but`` do not count."""
    return replace(personal_pressure(rules), used=messages_by_day(now=now, zone=_shop(), but=but))


def personal_pressure(rules: PressureRules) -> Pressure:
    """What a person bears under rules, whatever the budgets say."""
    caps = tuple(PressureCap(cap["channel"], cap["most"], cap["hours"] * HOUR) for cap in rules.caps)
    return Pressure(
        caps=caps, zone=_shop(), holdout=rules.holdout, season=f"push:{rules.season}".encode(), per_day=rules.per_day
    )


def lists_of(case: PushCase, sending: Sending, *, customer: int, but: frozenset[int]) -> MessageLists:
    """The lists that a case is about, without the items of ``but``; of news everybody gets the same.

    The item of the occasion may come again: the message is about it.
    """
    everybody = sending.campaign.purpose == Purpose.NEWS
    blocks = tuple(_block(block, case) for block in sending.form.what.blocks)
    left_out = frozenset() if everybody else but - {case.item}
    return MessageLists(customer=customer, blocks=blocks, but=left_out, everybody=everybody)


def _lists(
    cases: Sequence[PushCase], *, forms: Mapping[int, Sending], ground: Ground, progress: Progress | None
) -> list[tuple[int, ...]]:
    """Items of each case; lists that are the same for everybody are made once."""
    shown = shown_lately({case.customer for case in cases}, now=ground.now, but=ground.but)
    wanted = [
        lists_of(case, forms[case.campaign], customer=case.customer, but=frozenset(shown.get(case.customer, ())))
        for case in cases
    ]
    once = {each.blocks: each for each in wanted if each.everybody}
    own = [each for each in wanted if not each.everybody]
    asked = [*once.values(), *own]
    items = items_of_many(asked, snapshot=ground.snapshot, now=ground.now)
    if progress is not None:
        items = _reporting(items, len(asked), progress)
    of_all = dict(zip(once, items, strict=False))
    each_own = iter(list(items))
    return [of_all[each.blocks] if each.everybody else next(each_own) for each in wanted]


def _reporting[Each](every: Iterator[Each], number: int, progress: Progress) -> Iterator[Each]:
    for place, each in enumerate(every, start=1):
        yield each
        progress(place / number)


def terms_under(form: CampaignForm, campaign: Campaign, chance: float = 0.0) -> CampaignTerms:
    """What a campaign asks under a form; ``chance`` that a message is answered."""
    return CampaignTerms(
        campaign=campaign.pk,
        purpose=Purpose(campaign.purpose),
        channels=tuple(form.channels),
        rank=RANKS[form.safety.priority],
        hour=Hour(form.when.hour, form.when.clock) if form.when.hour else None,
        holdout=form.safety.holdout,
        salt=f"campaign:{campaign.pk}".encode(),
        chance=chance,
        least_items=form.what.least_items,
        per_day=form.safety.per_day,
    )


def _block(block: Block, case: PushCase) -> ListBlock:
    context = (case.item,) if block.context is ContextItem.TRIGGER and case.item else ()
    wanted = None
    if block.price_to is not None or block.categories:
        wanted = Filter(
            price_to=None if block.price_to is None else Decimal(str(block.price_to)),
            categories=tuple(block.categories) or None,
        )
    return ListBlock(block.placement, block.n, context, wanted)


def _shop() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)
