"""An agent, its versions and its decisions for tests, written as a shop would have them after some days."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from recommendations.engine.push.agent.belief import draws_of, prior
from recommendations.engine.push.agent.features import Scales
from recommendations.engine.push.agent.terms import Menu, MenuCampaign
from recommendations.event_types import EventName
from recommendations.models import Agent, AgentDecision, AgentRules, AgentVersion, Customer, Event, Item
from recommendations.push_terms import AgentGroup, AgentStatus, Channel
from recommendations.services.agents.supervision import AgentForm
from recommendations.services.push_models.agent_versions import AgentPrices, fields_of
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Trust

MENU = Menu(campaigns=(MenuCampaign(1, 2),), channels=(Channel.EMAIL, Channel.WEB_PUSH))
SCALES = Scales(means=(0.0,) * 4, deviations=(1.0,) * 4, edges=(-0.43, 0.43), rate=0.01)


def people(number: int) -> list[int]:
    made = Customer.objects.bulk_create(Customer(pseudonym=pseudonym(f"p{each}")) for each in range(number))
    return [each.pk for each in made]


def agent(since: datetime, *, status: AgentStatus = AgentStatus.ACTS, share: float = 0.5, **form: Any) -> Agent:
    """The agent with rules that are as old as it is."""
    rules = AgentRules.objects.create(
        number=1, created_at=since - timedelta(days=1), **AgentForm(share=share, **form).as_fields()
    )
    return Agent.objects.create(pk=1, status=status, since=since, salt="salt of the agent", rules=rules)


def version(night: date, *, level: float = -2.0, menu: Menu = MENU) -> AgentVersion:
    """A version that believes in answers as its level says, and in no difference of options."""
    belief = prior(menu, rate=SCALES.rate)
    mean = belief.start.copy()
    mean[0] = level
    own = replace(belief, mean=mean)
    return AgentVersion.objects.create(
        night=night, seed=1, **fields_of(own, draws_of(own, seed=1), SCALES, AgentPrices())
    )


def decisions(
    customers: Iterable[int], day: date, of: AgentVersion, *, option: int = 0, allowed: Iterable[int] = range(12),
    worth: float = 20.0, menu: Menu = MENU, **fields: Any,
) -> None:  # fmt: skip
    mask = np.zeros(len(menu.options), bool)
    mask[list(allowed)] = True
    values: Mapping[str, Any] = {
        "rank": 2, "group": AgentGroup.AGENT, "option": option, "agents": option, "rule": option, "chance": 1.0,
        "allowed": np.packbits(mask).tobytes(), "features": np.zeros(len(menu.columns), "<f4").tobytes(),
        "chances": np.zeros(len(menu.options) + 1, "<f4").tobytes(), "worth": worth, "campaign": 1, "key": "1",
    }  # fmt: skip
    AgentDecision.objects.bulk_create(
        AgentDecision(customer_id=each, day=day, version=of, **{**values, **fields}) for each in customers
    )


def purchases(
    amounts: Mapping[int, float] | Mapping[None, float], at: datetime, *, trust: Trust = Trust.SERVER
) -> None:
    """One order of each person at a moment; None is somebody whose name is not kept."""
    item, _ = Item.objects.get_or_create(
        shop_id="tea", defaults={"title": "Tea", "price": Decimal(1), "listed_at": at - timedelta(days=400)}
    )
    prepare_partitions(at, at)
    Event.objects.bulk_create(
        Event(
            occurred_at=at, event_id=(own := uuid.uuid4()), name=EventName.PURCHASE, customer_id=customer,
            item_id=item.pk, transaction_id=str(own), quantity=1, price=Decimal(str(amount)),
            amount=Decimal(str(amount)), trust=trust,
        )
        for customer, amount in amounts.items()
    )  # fmt: skip
