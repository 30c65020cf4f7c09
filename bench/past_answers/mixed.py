"""Mixed requests on the demo's data, the changes made beside them, and how all is put back."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from django.db.models import Max
from django.utils import timezone

from recommendations.api.rendering import Writing
from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Customer, Item, ModelVersion, Placement, RuleBook
from recommendations.services.catalogue.editing import update_item
from recommendations.services.operations.versions import make_live
from recommendations.serving.serve import serve, serve_page
from recommendations.serving.types import Filter, PageRequest, Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import LiveEvent

CUSTOMERS = 2_500  # the households of the demo are called 1 to 2,500
ACTS = (EventName.VIEW_ITEM, EventName.ADD_TO_CART, EventName.PURCHASE, EventName.DISLIKE_ITEM)
WRITE = Writing("en", frozenset({"product"}), site="")
PINNED = {
    "id": 1, "name": "Bench", "placement": None, "segment": None, "customer": None, "context": [], "starts_at": None,
    "ends_at": None, "action": "pin", "slot": 2, "strength": None, "most": None, "per": "", "share": None,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Ids of the shop that requests name."""

    items: Sequence[str]
    categories: Sequence[str]
    placements: Sequence[str]

    @classmethod
    def read(cls) -> Self:
        items = Item.objects.filter(retired_at=None).order_by("pk")[:4_000]
        paths = sorted({path for item in items[:400] for path in item.categories.values_list("path", flat=True)})
        names = [name for name in Placement.objects.values_list("name", flat=True) if name not in {"search", "email"}]
        return cls(items=[item.shop_id for item in items], categories=paths, placements=sorted(names))


def request_of(draw: random.Random, catalogue: Catalogue) -> Request:
    """A request of any placement: by known customers and strangers, with context, filters, few and many items."""
    items, who = catalogue.items, draw.random()
    return Request(
        placement=draw.choice(catalogue.placements),
        user_id=str(draw.randint(1, CUSTOMERS)) if who < 0.9 else ("nobody so far" if who < 0.95 else None),
        item_ids=tuple(draw.sample(items, draw.choice((0, 1, 1, 3)))),
        basket=tuple(draw.sample(items, draw.choice((0, 0, 2)))),
        exclude_item_ids=tuple(draw.sample(items, draw.choice((0, 0, 5)))),
        categories=tuple(draw.sample(catalogue.categories, draw.choice((0, 0, 1)))),
        n=draw.choice((None, None, 1, 5, 10, 20, 50)),
        filter=Filter(price_to=Decimal(draw.choice((3, 8))), in_stock=True) if draw.random() < 0.15 else None,
        diversity=draw.choice((None, None, None, 0.6)),
        explain=draw.random() < 0.5,
        fill=draw.random() < 0.9,
    )


def answered(count: int, *, seed: int) -> list[str]:
    """Answer so many mixed requests, every tenth by a whole page, with acts between; the ids of the answers."""
    draw, catalogue = random.Random(seed), Catalogue.read()  # noqa: S311
    ids: list[str] = []
    while len(ids) < count:
        if draw.random() < 0.3:
            act(draw, catalogue)
        request, now = request_of(draw, catalogue), timezone.now()
        if len(ids) % 10 == 0:
            page = PageRequest(name="home", shared=Request(placement="home", user_id=request.user_id))
            ids += [answer.recommendation_id for answer in serve_page(page, write=WRITE, now=now)]
        else:
            ids.append(serve(request, now=now).recommendation_id)
    return ids[:count]


def act(draw: random.Random, catalogue: Catalogue) -> None:
    """Let a customer do something, as the live state hears of it."""
    customer = Customer.objects.filter(pseudonym=pseudonym(str(draw.randint(1, CUSTOMERS)))).first()
    item = Item.objects.get(shop_id=draw.choice(catalogue.items))
    if customer is not None:
        event = LiveEvent(customer=customer.pk, name=draw.choice(ACTS), item=item.pk, at=timezone.now())
        writes.remember([event])


@contextmanager
def explored() -> Iterator[None]:
    """New versions of all weights that are served explore much, so that every way of showing is among the answers."""
    before = list(BlendWeights.objects.filter(is_default=True))
    BlendWeights.objects.filter(is_default=True).update(is_default=False)
    for row in before:
        values = {
            field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "id"
        }
        last = BlendWeights.objects.filter(blend=row.blend_id).aggregate(Max("number"))["number__max"]
        explores = {"is_default": True, "number": last + 1, "exploration": 0.3, "cards": 0.3}
        BlendWeights.objects.create(**values | explores)
    fetch.announce(*fetch.Changed)
    try:
        yield
    finally:
        BlendWeights.objects.filter(is_default=True).update(is_default=False)
        BlendWeights.objects.filter(pk__in=[row.pk for row in before]).update(is_default=True)
        fetch.announce(*fetch.Changed)


@contextmanager
def other_model() -> Iterator[str]:
    """Another model is live; its name, and that of the live one where there is no other."""
    live = ModelVersion.objects.live().get()
    other = ModelVersion.objects.filter(status=live.status, artefacts__isnull=False).exclude(pk=live.pk).first()
    if other is None:
        yield str(live)
        return
    make_live(version=other, by=None, now=timezone.now(), note="bench: answers of two models")
    try:
        yield str(other)
    finally:
        make_live(version=live, by=None, now=timezone.now(), note="bench: as before")


@contextmanager
def other_shop(*, seed: int) -> Iterator[None]:
    """Prices of fifty items, the book of rules and the length of a placement are others; in the end as before."""
    draw = random.Random(seed)  # noqa: S311
    rows = Item.objects.filter(retired_at=None, price__isnull=False).order_by("pk")[:4_000]
    items = [(item, item.price) for item in rows if item.price is not None]
    chosen = draw.sample(items, 50)
    book = RuleBook.objects.filter(is_default=True).first()
    home = Placement.objects.get(name="home")
    for item, price in chosen:
        update_item(item=item, changes={"price": price + 1}, by=None, now=timezone.now())
    pin = PINNED | {"items": [{"attribute": "item", "operator": "is", "values": [chosen[0][0].shop_id]}]}
    number = 1 + max(RuleBook.objects.values_list("number", flat=True), default=0)
    RuleBook.objects.filter(is_default=True).update(is_default=False)
    RuleBook.objects.create(number=number, rules=[pin], is_default=True, note="bench")
    Placement.objects.filter(pk=home.pk).update(n=home.n + 3)
    fetch.announce(*fetch.Changed)
    try:
        yield
    finally:
        for item, price in chosen:
            item.refresh_from_db()
            update_item(item=item, changes={"price": price}, by=None, now=timezone.now())
        RuleBook.objects.filter(number=number).update(is_default=False)
        if book is not None:
            RuleBook.objects.filter(pk=book.pk).update(is_default=True)
        Placement.objects.filter(pk=home.pk).update(n=home.n)
        fetch.announce(*fetch.Changed)
