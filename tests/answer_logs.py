"""Answers of the grocery that were really served, and clicks of made customers that come in as a shop sends them."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
from django.utils import timezone

from recommendations.engine.rng import generator
from recommendations.event_types import EventName
from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import Blend, BlendWeights, Customer, Item, Slate
from recommendations.serving import serving_state
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.attribution.settle import settle
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.serving.slates import write_slates

SLOTS = 6
ATTENTION = np.arange(1, SLOTS + 1) ** -0.6
LIKED, OTHERS = 0.5, 0.06
AT_ONCE = 500


@dataclass(frozen=True)
class MadeCustomers:
    """What the grocery's customers click if they look: of their taste often, the odder the item the less."""

    user: dict[int, int]  # key of a customer → number of the user
    kind: dict[int, tuple[int, int]]  # key of an item → its taste, and its number

    @classmethod
    def of_the_grocery(cls) -> "MadeCustomers":
        names = ["bread", "cheese", "fruit", "tea", "wine", "soap"]
        people = {pseudonym(f"u{number}"): number for number in range(60)}
        kinds = {
            key: (names.index(shop_id.rpartition("-")[0]), int(shop_id.rpartition("-")[2]))
            for key, shop_id in Item.objects.values_list("pk", "shop_id")
        }
        rows = Customer.objects.filter(pseudonym__in=people).values_list("pk", "pseudonym")
        return cls({key: people[bytes(name)] for key, name in rows}, kinds)

    def relevance(self, customer: int, items: Sequence[int]) -> np.ndarray:
        own = self.user[customer] % 5
        kinds = [self.kind[item] for item in items]
        return np.array([LIKED / (1 + 0.25 * number) if taste == own else OTHERS for taste, number in kinds])


def explore(*, shuffled: float = 0.5, cards: float = 0.2) -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=shuffled, cards=cards)
    fetch.announce(*fetch.Changed)


def answer(count: int, *, n: int = SLOTS, users: Sequence[int] = range(60)) -> list[Slate]:
    """Serve so many answers at home, the customers in turn."""
    asked = [f"u{users[number % len(users)]}" for number in range(count)]
    draw = generator(Slate.objects.count(), "ids")  # what an answer explores is settled by its id
    with patch.object(serving_state, "new_id", lambda _now: f"r-{draw.bytes(16).hex()}"):
        ids = [
            serve(Request(placement="home", user_id=user, n=n), now=timezone.now()).recommendation_id for user in asked
        ]
    while write_slates():
        pass
    rows = {row.recommendation_id: row for row in Slate.objects.filter(recommendation_id__in=ids)}
    return [rows[key] for key in ids]


def click(slates: Sequence[Slate], *, seed: int = 0, price: float = 0.0, stopping: float = 0.0, **fields: Any) -> int:
    """Let the made customers look at the answers and click; how many clicks.

    Strangers look and click nothing. ``price``: they buy what they click; ``stopping``: chance that the first click of
    an answer is its last.
    """
    customers, draw = MadeCustomers.of_the_grocery(), generator(seed, "clicks")
    ids = dict(Item.objects.values_list("pk", "shop_id"))
    events: list[EventForm] = []
    clicks = 0
    for slate in slates:
        if slate.customer_id is None:
            events += _events(slate, [], user_id="somebody", price=price, **fields)
            continue
        chance = ATTENTION[: len(slate.items)] * customers.relevance(slate.customer_id, slate.items)
        clicked = [ids[item] for item, hit in zip(slate.items, draw.random(len(chance)) < chance, strict=True) if hit]
        if stopping and draw.random() < stopping:
            clicked = clicked[:1]
        events += _events(slate, clicked, user_id=f"u{customers.user[slate.customer_id]}", price=price, **fields)
        clicks += len(clicked)
    for start in range(0, len(events), AT_ONCE):
        verdicts = accept(events[start : start + AT_ONCE], Sender(), now=timezone.now())
        assert {verdict.verdict for verdict in verdicts} == {"accepted"}, verdicts[0]
    while settle():
        pass
    return clicks


def click_place(slate: Slate, place: int) -> None:
    """Let the customer of an answer click the item of this place of the ranking, which it shows, and no other."""
    customers, ids = MadeCustomers.of_the_grocery(), dict(Item.objects.values_list("pk", "shop_id"))
    assert slate.customer_id is not None
    clicked = [ids[slate.items[slate.places.index(place)]]]
    accept(list(_events(slate, clicked, user_id=f"u{customers.user[slate.customer_id]}", price=0.0)), Sender(),
           now=timezone.now())  # fmt: skip
    while settle():
        pass


def _events(slate: Slate, clicked: Sequence[str], *, price: float, **fields: Any) -> Iterator[EventForm]:
    common = {"recommendation_id": slate.recommendation_id, "timestamp": slate.served_at, **fields}
    yield EventForm(name=EventName.VIEW_ITEM_LIST, event_id=uuid.uuid4(), **common)
    for shop_id in clicked:
        later = common | {"timestamp": slate.served_at + timedelta(microseconds=1)}
        yield EventForm(name=EventName.SELECT_ITEM, event_id=uuid.uuid4(), items=[EventItemForm(shop_id)], **later)


def draft(*, number: int = 80, **fields: Any) -> BlendWeights:
    """A draft for home, which by itself is the served weights."""
    home = Blend.objects.get(name="home")
    served = BlendWeights.objects.get(blend=home, is_default=True, segment=None, audience=None)
    usual: dict[str, Any] = {"weights": served.weights, "diversity": served.diversity, "status": "draft"}
    return BlendWeights.objects.create(blend=home, number=number, parent=served, reason="A try", **usual | fields)


def mixed(part: float) -> dict[str, float]:
    """Served weights of home with so much of the popularity mixed in."""
    served = BlendWeights.objects.get(blend__name="home", is_default=True, segment=None, audience=None).weights
    own = {name: (1 - part) * weight for name, weight in served.items()}
    return own | {"popularity_home": own.get("popularity_home", 0.0) + part}


def back(slates: Sequence[Slate], *, days: float) -> None:
    """Let answers have been given so many days ago."""
    moment: datetime = timezone.now() - timedelta(days=days)
    Slate.objects.filter(recommendation_id__in=[each.recommendation_id for each in slates]).update(served_at=moment)
