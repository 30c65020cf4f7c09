"""A rule made from one card of a review: pin it here, boost it, bury it, never show it to this customer."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from recommendations.models import Customer, Item, Placement, Rule, Staff
from recommendations.services.merchandising import save_rule
from recommendations.terms import Operator, RuleAction

STRENGTH = 50
"""Of a boost or a burial from a card: half the way from a middling candidate to the best."""

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
    """A draft rule; nothing is served differently until it is published. ``archive_rule`` takes it back.

    Raises ValidationError with ``message_dict`` by field, such as for a pin beyond the slate.
    """
    facts = {"item": short_title(item), "slot": slot, "placement": placement.name, "customer": customer.pk}
    values = {
        **_DOES[action](slot),
        "name": str(_NAMES[action]) % facts,
        "items": only(item),
        "placement": None if action is CardAction.NEVER else placement.name,
        "customer": customer.pk if action is CardAction.NEVER else None,
    }
    return save_rule(rule=None, values=values, revision=None, by=by, now=now)


def only(item: Item) -> list[dict[str, Any]]:
    """The condition that only this item meets."""
    return [{"attribute": "item", "operator": Operator.IS, "values": [item.shop_id]}]


def short_title(item: Item) -> str:
    return Truncator(item.title or item.shop_id).chars(SHOWN_OF_TITLE)


_DOES: Mapping[CardAction, Callable[[int | None], dict[str, Any]]] = {
    CardAction.PIN: lambda slot: {"action": RuleAction.PIN, "slot": slot},
    CardAction.BOOST: lambda _slot: {"action": RuleAction.BOOST, "strength": STRENGTH},
    CardAction.BURY: lambda _slot: {"action": RuleAction.BOOST, "strength": -STRENGTH},
    CardAction.NEVER: lambda _slot: {"action": RuleAction.EXCLUDE},
}
_NAMES: Mapping[CardAction, Promise] = {
    CardAction.PIN: _("Pin %(item)s to slot %(slot)s on %(placement)s"),
    CardAction.BOOST: _("Boost %(item)s on %(placement)s"),
    CardAction.BURY: _("Bury %(item)s on %(placement)s"),
    CardAction.NEVER: _("Never %(item)s for customer %(customer)s"),
}
