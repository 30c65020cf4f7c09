"""Acts that a page shows or simulates, by what the shop offers."""

from collections.abc import Sequence

from recommendations.event_types import EventName
from recommendations.models.events import EventQuerySet
from recommendations.store.domain import shop_domain


def simulated_acts() -> Sequence[EventName]:
    """Acts that can be simulated: a look, one into the cart where there are carts, and those that take an item."""
    domain = shop_domain()
    wanted = (EventName.VIEW_ITEM, EventName.ADD_TO_CART, EventName.PURCHASE, EventName.PLAY, EventName.COMPLETE)
    return [
        name for name in wanted
        if name in domain.taken or (name in domain.points and name not in {EventName.PLAY, EventName.COMPLETE})
    ]  # fmt: skip


def sells() -> bool:
    """Whether people of this shop take items by buying them."""
    return EventName.PURCHASE in shop_domain().taken


def taking_acts() -> Sequence[EventName]:
    """Acts that take an item, in the order of all."""
    return [name for name in EventName if name in shop_domain().taken]


def taking(events: EventQuerySet) -> EventQuerySet:
    """Events among these by which an item was taken."""
    domain = shop_domain()
    return events.taking(domain.taken, played_from=domain.taken_from)
