"""Page views of a shop: who asks for recommendations next, and what they looked at since they last did."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple

from django.utils import timezone

from recommendations.event_types import EventName

CUSTOMERS = 2_400
STRANGERS, ACTS = 0.1, 1 / 3  # of the page views: of somebody whom nobody has met; after an act
SALES = 50_000  # the latest ones, of which the item that is looked at is drawn
TOLD_AT_ONCE = 1_000


class Act(NamedTuple):
    """Keys of a customer and of the item that they looked at."""

    customer: int
    item: int


@dataclass(frozen=True, kw_only=True)
class PageViews:
    """Page views of a shop's customers, drawn at random."""

    address: str  # of an answer, with {who}
    customers: Sequence[tuple[str, int]]  # id in the shop and key
    sold: Sequence[int]  # keys of items, as often as they were sold
    rng: random.Random

    def drawn(self, count: int) -> tuple[list[str], list[Act]]:
        """The paths that so many page views ask for, and the acts that come before them."""
        paths, acts = [], []
        for _ in range(count):
            if self.rng.random() < STRANGERS:
                paths.append(self.address.format(who=f"anonymous_id=bench-{self.rng.getrandbits(64):x}"))
                continue
            name, key = self.rng.choice(self.customers)
            paths.append(self.address.format(who=f"user_id={name}"))
            if self.rng.random() < ACTS:
                acts.append(self.act_of(key))
        return paths, acts

    def act_of(self, customer: int) -> Act:
        return Act(customer, self.rng.choice(self.sold))


def page_views(address: str, *, seed: int) -> PageViews:
    """Page views of the customers of the demo, whom the shop calls 1 to 2,500."""
    from recommendations.models import Customer, Event  # noqa: PLC0415 - after django.setup()
    from recommendations.store.events.pseudonyms import pseudonym  # noqa: PLC0415

    rng = random.Random(seed)  # noqa: S311 - an order of requests, no secret
    ids = {pseudonym(str(number)): str(number) for number in range(1, 2_501)}
    there = Customer.objects.filter(pseudonym__in=list(ids)).values_list("pseudonym", "pk")
    customers = sorted((ids[bytes(value)], key) for value, key in there)
    sales = Event.objects.filter(name=EventName.PURCHASE, item__isnull=False).order_by("-occurred_at", "pk")
    sold = list(sales.values_list("item_id", flat=True)[:SALES])
    return PageViews(
        address=address, customers=rng.sample(customers, min(CUSTOMERS, len(customers))), sold=sold, rng=rng
    )


def tell(acts: Iterable[Act]) -> None:
    """Let the live state know what was looked at, as the door for events does."""
    from recommendations.store.live.state import LiveEvent  # noqa: PLC0415 - after django.setup()
    from recommendations.store.live.writes import remember  # noqa: PLC0415

    at = timezone.now()
    for part in batched(acts, TOLD_AT_ONCE):
        remember([LiveEvent(customer=key, name=EventName.VIEW_ITEM, item=item, at=at) for key, item in part])
