"""Rules made from a card of a review: pin it here, boost it, bury it, never show it to this customer."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from recommendations.models import Customer, Item, Placement, Rule, Staff
from recommendations.services.rules.editing import save_rule
from recommendations.terms import Operator, RuleAction
from recommendations.wording.labels import placement_quoted

STRENGTH = 50
"""Strength of a boost or a burial from a card: half the way from a middling candidate to the best."""

SHOWN_OF_TITLE = 60  # characters of an item's title in the name of a rule


class CardAction(StrEnum):
    PIN = "pin"  # at the slot where the card stands
    BOOST = "boost"
    BURY = "bury"
    NEVER = "never"  # for this customer, in every placement


def card_rule(
    *,
    action: CardAction,
    item: Item,
    placement: Placement,
    customer: Customer,
    by: Staff,
    now: datetime,
    slot: int | None = None,
) -> Rule:
    """Draft a rule; nothing is served differently until it is published. ``archive_rule`` takes it back.

    Raises ValidationError with ``message_dict`` by field, such as for a pin beyond the slate.
    """
    match action:
        case CardAction.PIN:
            values = pin_values(item, slot=slot, placement=placement.name)
        case CardAction.BOOST | CardAction.BURY:
            strength = STRENGTH if action is CardAction.BOOST else -STRENGTH
            values = boost_values(item, strength=strength, placement=placement.name)
        case CardAction.NEVER:
            values = never_values(item, customer=customer)
    return save_rule(rule=None, values=values, revision=None, by=by, now=now)


def pin_values(item: Item, *, slot: int | None, placement: str, customer: Customer | None = None) -> dict[str, Any]:
    """Values of a rule that pins the item, for everybody or one customer, as ``save_rule`` takes them."""
    named = _("Pin %(item)s to slot %(slot)s on %(placement)s")
    if customer:
        named = _("Pin %(item)s to slot %(slot)s on %(placement)s for %(customer)s")
    facts = {"item": short_title(item), "slot": slot, "placement": placement_quoted(placement)}
    return {
        "name": named % {**facts, "customer": customer.code if customer else ""},
        "placement": placement, "customer": customer.pk if customer else None, "items": only(item),
        "action": RuleAction.PIN, "slot": slot,
    }  # fmt: skip


def boost_values(item: Item, *, strength: int, placement: str) -> dict[str, Any]:
    """Values of a rule that boosts the item, as ``save_rule`` takes them; a strength below 0 buries."""
    named = _("Boost %(item)s on %(placement)s") if strength > 0 else _("Bury %(item)s on %(placement)s")
    return {
        "name": named % {"item": short_title(item), "placement": placement_quoted(placement)},
        "placement": placement, "items": only(item), "action": RuleAction.BOOST, "strength": strength,
    }  # fmt: skip


def never_values(item: Item, *, customer: Customer) -> dict[str, Any]:
    """Values of a rule that excludes the item for one customer in every placement, as ``save_rule`` takes them."""
    named = _("Never %(item)s for customer %(customer)s")
    return {
        "name": named % {"item": short_title(item), "customer": customer.code},
        "placement": None, "customer": customer.pk, "items": only(item), "action": RuleAction.EXCLUDE,
    }  # fmt: skip


def only(item: Item) -> list[dict[str, Any]]:
    """The condition that only this item meets."""
    return [{"attribute": "item", "operator": Operator.IS, "values": [item.shop_id]}]


def short_title(item: Item) -> str:
    return Truncator(item.title or item.shop_id).chars(SHOWN_OF_TITLE)
