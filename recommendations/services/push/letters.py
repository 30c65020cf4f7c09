"""A message that is about to leave: its lists with their reasons, what it says, the slate that is stored of it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.utils import timezone

from recommendations.engine.push.cases import CaseVerdict, PushCase
from recommendations.event_types import EventName
from recommendations.models import Campaign, Message
from recommendations.push_terms import Trigger
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.parcels.content import MessageContent
from recommendations.services.push.deciding import Sending, lists_of
from recommendations.serving.arms import unit_of
from recommendations.serving.pipeline import complete
from recommendations.serving.types import Answer, Shown
from recommendations.simulation.message_lists import MessageLists, prepared_lists
from recommendations.store.live import fetch
from recommendations.store.push.item_acts import last_act, price_before
from recommendations.store.push.people import shown_lately
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import Source
from recommendations.wording.occasions import ItemOccasion

ACTS = {Trigger.CART_LEFT: EventName.ADD_TO_CART, Trigger.VIEWED: EventName.VIEW_ITEM}
"""The act with the item of an occasion, by the trigger."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a message says, and the list in it as it is stored and attributed, under the placement of its channel."""

    content: MessageContent
    slate: ServedSlate


def answers_of(wanted: MessageLists, *, snapshot: Snapshot, now: datetime) -> list[Answer]:
    """The lists of a message as they are served, with reasons."""
    since = snapshot.model.as_of if snapshot.model else None
    state = fetch.state_of(wanted.customer, since=since).state
    return [complete(prepared) for prepared, _items in prepared_lists(wanted, snapshot=snapshot, state=state, now=now)]


def occasion_of(campaign: Campaign, case: PushCase, items: Sequence[Shown], *, now: datetime) -> ItemOccasion | None:
    """What a message says of the item that it is about; None where it does not show it, or its own reason says more."""
    shown = next((one for one in items if one.item == case.item), None)
    if shown is None or not campaign.trigger:
        return None
    trigger, price = Trigger(campaign.trigger), shown.product.price
    if trigger is Trigger.BACK_IN_STOCK:
        return ItemOccasion(trigger, shown.item)
    if trigger is Trigger.PRICE_DROP and price is not None:
        before = price_before(case.customer, shown.item, price=price, now=now)
        percent = int(100 * (before - price) / before) if before else 0
        return ItemOccasion(trigger, shown.item, percent=percent) if percent else None
    day = last_act(case.customer, shown.item, names=[ACTS[trigger]], now=now) if trigger in ACTS else None
    if day is None:
        return None
    ago = timezone.localdate(now) - timezone.localdate(day)
    return ItemOccasion(trigger, shown.item, day=day, days_ago=ago.days)


def written_for(message: Message, verdict: CaseVerdict, *, snapshot: Snapshot, now: datetime) -> Written:
    """What somebody gets now. Raises UnknownPlacementError where a placement of the campaign is gone."""
    form = msgspec.convert(message.version.frozen, CampaignForm)
    sending = Sending(campaign=message.campaign, form=form, cases=[verdict.case])
    person = verdict.case.customer  # whom the message's owner turned out to be
    shown = shown_lately([person], now=now, but=[message.pk])
    wanted = lists_of(verdict.case, sending, customer=person, but=frozenset(shown.get(person, ())))
    answers = answers_of(wanted, snapshot=snapshot, now=now)
    items = [one for answer in answers for one in answer.shown]
    slate = _slate(message, answers, items, now=now)
    content = MessageContent(
        message=message, form=form, items=items, recommendation=slate.recommendation_id, now=now,
        occasion=occasion_of(message.campaign, verdict.case, items, now=now),
    )  # fmt: skip
    return Written(content=content, slate=slate)


def _slate(message: Message, answers: Sequence[Answer], items: Sequence[Shown], *, now: datetime) -> ServedSlate:
    """The list of a message as one slate, by which clicks and purchases count for it."""
    first = answers[0]
    return ServedSlate(
        served_at=now.isoformat(),
        recommendation_id=f"r-{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}",
        customer_id=None if first.nameless else message.customer_id,
        placement=message.channel,
        source=first.source if items else Source.NONE,
        personalised=any(answer.personalised for answer in answers),
        fallback_reason=first.fallback_reason or "",
        model_version=first.model_version,
        weights_version=first.weights_version,
        rules_version=first.rules_version,
        items=[one.item for one in items],
        scores=[one.score for one in items],
        propensities=[one.propensity for one in items],
        latency_us=0,
        places=[one.place for one in items],
        arms=(arms := sorted({arm.key for answer in answers for arm in answer.arms})),
        unit=unit_of([bytes(message.customer.pseudonym)]) if arms else None,
    )
