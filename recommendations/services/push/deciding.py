"""Who gets what of the campaigns that want somebody now: the facts gathered, and the one decision asked.

The plan of a draft, the decision of a sending and the last look before a message leaves all go through here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.engine.push.cases import CampaignTerms, CaseItems, CaseVerdict, Hour, Pressure, PushCase
from recommendations.engine.push.competition import HOUR, PressureCap
from recommendations.engine.push.decision import PersonalChances, decide
from recommendations.engine.push.timing import QuietHours
from recommendations.models import Campaign, PressureRules
from recommendations.push_terms import Priority, Purpose
from recommendations.services.campaigns.form import Block, CampaignForm, ContextItem
from recommendations.services.campaigns.pressure import season_salt
from recommendations.services.push_models.agent_facts import agent_facts, known_people, with_agent_prices
from recommendations.services.push_models.answers import chances_of
from recommendations.services.push_models.in_use import LearnedModels, costs_under
from recommendations.services.push_models.people import with_habits
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

    ``but`` are messages that do not count, as they are looked at again themselves; the agent is not asked again.
    """

    snapshot: Snapshot
    rules: PressureRules
    now: datetime
    but: frozenset[int] = frozenset()


def considered(sendings: Sequence[Sending], *, ground: Ground, progress: Progress | None = None) -> list[CaseVerdict]:
    """The verdict on every case, sending by sending. Raises UnknownPlacementError."""
    cases = [case for sending in sendings for case in sending.cases]
    models, terms = LearnedModels.in_use(), terms_of(sendings)
    plain = people_of({case.customer for case in cases}, habits=habits_of(ground.rules), now=ground.now, but=ground.but)
    usual = with_habits(plain, terms, models=models, model=ground.snapshot.model, now=ground.now)
    pressure = pressure_under(ground.rules, now=ground.now, but=ground.but, models=models)
    known = known_people(usual, now=ground.now) if models.has_agent else None
    people, costs = with_agent_prices(usual, pressure.costs, known=known)
    return decide(
        cases,
        people=people,
        terms=terms,
        pressure=replace(pressure, costs=costs),
        agent=None if ground.but else agent_facts(people, costs=costs, known=known, now=ground.now),
        lists=partial(_lists, forms={each.campaign.pk: each for each in sendings}, ground=ground, progress=progress,
                      models=models),
        chances=PersonalChances(
            of=partial(chances_of, terms=terms, models=models, now=ground.now), proven=models.proven
        ),
        now=ground.now,
    )  # fmt: skip


def terms_of(sendings: Iterable[Sending]) -> dict[int, CampaignTerms]:
    """What each campaign asks, by its key."""
    every = list(sendings)
    chance = chances([each.campaign for each in every])
    terms = {each.campaign.pk: terms_under(each.form, each.campaign, chance[each.campaign.pk]) for each in every}
    waited = {each.campaign.pk for each in every if each.has_waited}
    return terms | {key: replace(terms[key], hour=None, best_within=None) for key in waited}


def habits_of(rules: PressureRules) -> Habits:
    return Habits(zone=_shop(), quiet=QuietHours(rules.quiet_from, rules.quiet_until))


def pressure_under(
    rules: PressureRules, *, now: datetime, but: frozenset[int] = frozenset(), models: LearnedModels | None = None
) -> Pressure:
    """What everybody bears under rules, and the budgets that are used up; messages of ``but`` do not count."""
    used = messages_by_day(now=now, zone=_shop(), but=but)
    return replace(personal_pressure(rules, now=now, models=models), used=used)


def personal_pressure(rules: PressureRules, *, now: datetime, models: LearnedModels | None = None) -> Pressure:
    """What a person bears under rules and what messages cost, whatever the budgets say; by the models of now."""
    caps = tuple(PressureCap(cap["channel"], cap["most"], cap["hours"] * HOUR) for cap in rules.caps)
    return Pressure(
        caps=caps, zone=_shop(), holdout=rules.holdout, season=season_salt(rules), per_day=rules.per_day,
        costs=costs_under(rules, models=models or LearnedModels.in_use(), now=now),
    )  # fmt: skip


def lists_of(case: PushCase, sending: Sending, *, customer: int, but: frozenset[int]) -> MessageLists:
    """The lists that a case is about, without the items of ``but``; of news everybody gets the same.

    The item of the occasion may come again: the message is about it.
    """
    everybody = sending.campaign.purpose == Purpose.NEWS
    blocks = tuple(_block(block, case) for block in sending.form.what.blocks)
    left_out = frozenset() if everybody else but - {case.item}
    return MessageLists(
        customer=customer, blocks=blocks, but=left_out, everybody=everybody, least_chance=sending.form.what.least_chance
    )


def _lists(
    cases: Sequence[PushCase],
    *,
    forms: Mapping[int, Sending],
    ground: Ground,
    progress: Progress | None,
    models: LearnedModels,
) -> list[CaseItems]:
    """Items of each case; lists that are the same for everybody are made once."""
    shown = shown_lately({case.customer for case in cases}, now=ground.now, but=ground.but)
    wanted = [
        lists_of(case, forms[case.campaign], customer=case.customer, but=frozenset(shown.get(case.customer, ())))
        for case in cases
    ]
    once = {each.blocks: each for each in wanted if each.everybody}
    own = [each for each in wanted if not each.everybody]
    asked = [*once.values(), *own]
    items = items_of_many(asked, snapshot=ground.snapshot, now=ground.now, relevance=models.relevance)
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
        variants=max((len(texts.subjects) for texts in form.what.texts.values()), default=1),
        least_items=form.what.least_items,
        per_day=form.safety.per_day,
        best_within=None if form.when.best_within is None else timedelta(hours=form.when.best_within),
        best_channel=form.when.best_channel,
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
