"""A rule made from one card of a review: pin it here, boost it, bury it, never show it to this customer."""

from datetime import datetime
from enum import StrEnum

from recommendations.models import Customer, Item, Placement, Rule, Staff


class CardAction(StrEnum):
    PIN = "pin"  # at the slot where the card stands
    BOOST = "boost"
    BURY = "bury"
    NEVER = "never"  # for this customer


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
    """A draft rule; nothing is served differently until it is published. ``archive_rule`` takes it back."""
    raise NotImplementedError
