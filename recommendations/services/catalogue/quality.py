"""Flaws of the catalogue, and how many recommendations they touch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import or_

import numpy as np
from django.db.models import Case, Count, Exists, Max, OuterRef, Q, When
from django.db.models.expressions import RawSQL

from recommendations.engine.frames import BoolArray, IdArray, IntArray
from recommendations.models import Item, ItemPrice
from recommendations.models.catalogue import ItemQuerySet
from recommendations.services.catalogue.exposure import Exposure
from recommendations.store.domain import shop_domain
from recommendations.store.live.array_cache import Arrays, cached
from recommendations.store.vectors.item_texts import OLD, READABLE, SHARED
from recommendations.terms import Availability
from recommendations.vector_terms import PictureFault

STALE_AFTER = timedelta(days=180)
NEW_FOR = timedelta(days=28)


class CatalogueFlaw(StrEnum):
    """Flaw of an item on sale. The last two need the live model; the others stand in the record."""

    NO_PICTURE = "no_picture"
    NO_PRICE = "no_price"
    NO_CATEGORY = "no_category"
    NO_DESCRIPTION = "no_description"
    NO_BRAND = "no_brand"
    NO_CREATOR = "no_creator"
    NO_DATE = "no_date"
    NO_DURATION = "no_duration"
    NO_NUMBER = "no_number"
    OUT_OF_STOCK = "out_of_stock"
    STALE_PRICE = "stale_price"
    LISTED_TWICE = "listed_twice"
    NO_TEXT = "no_text"
    SHARED_TEXT = "shared_text"
    OLD_VECTOR = "old_vector"
    UNSEEN_PICTURE = "unseen_picture"
    SMALL_PICTURE = "small_picture"
    SHARED_PICTURE = "shared_picture"
    NO_EVENTS = "no_events"
    NEVER_RECOMMENDED = "never_recommended"


UNSEEN = frozenset(PictureFault) - {PictureFault.SMALL}
WANTED: Mapping[CatalogueFlaw, str] = {
    CatalogueFlaw.NO_PICTURE: "picture",
    CatalogueFlaw.NO_PRICE: "price",
    CatalogueFlaw.NO_CATEGORY: "category",
    CatalogueFlaw.NO_DESCRIPTION: "description",
    CatalogueFlaw.NO_BRAND: "brand",
    CatalogueFlaw.NO_CREATOR: "creator",
    CatalogueFlaw.NO_DATE: "published_at",
    CatalogueFlaw.NO_DURATION: "duration",
    CatalogueFlaw.NO_NUMBER: "number",
}
"""What an item lacks that has the flaw; whether that is one depends on what the shop offers."""

OF_MODEL = frozenset({CatalogueFlaw.NO_EVENTS, CatalogueFlaw.NEVER_RECOMMENDED})
OF_RECORD = tuple(flaw for flaw in CatalogueFlaw if flaw not in OF_MODEL)
OF_OTHER_ROWS = (
    CatalogueFlaw.NO_CATEGORY, CatalogueFlaw.STALE_PRICE, CatalogueFlaw.LISTED_TWICE, CatalogueFlaw.SHARED_TEXT,
    CatalogueFlaw.OLD_VECTOR,
)  # fmt: skip
"""Flaws counted one by one: as filters of one count, PostgreSQL would ask about the other rows item by item."""


@dataclass(frozen=True, kw_only=True)
class Touched:
    items: int
    slots: int  # that these items fill (``exposure.Exposure.slots``)


@dataclass(frozen=True, kw_only=True)
class Flaws:
    """Flaws and totals. ``listed``: items on sale; ``recommended``: of them with a slot; ``slots``: of all slates.

    ``mark`` is another one once the catalogue, a vector or what was seen of a picture has changed.
    """

    listed: int
    recommended: int
    slots: int
    found: Mapping[CatalogueFlaw, Touched]
    mark: str = ""

    @property
    def has_pictures(self) -> bool:
        """Whether an item on sale has a picture."""
        return self.found[CatalogueFlaw.NO_PICTURE].items < self.listed


def wanted_fields() -> Collection[str]:
    """What an item of this shop is asked for, by the values of ``WANTED``."""
    return shop_domain().wanted


def is_flaw(flaw: CatalogueFlaw) -> bool:
    """Whether it is a flaw in this shop: films need no price, and shoes no duration."""
    return flaw not in WANTED or WANTED[flaw] in wanted_fields()


def on_sale() -> ItemQuerySet:
    return Item.objects.filter(retired_at=None)


def condition(flaw: CatalogueFlaw, *, now: datetime) -> Q:
    """Filter for items of ``on_sale`` with this flaw; only for flaws that stand in the record."""
    links = Item.categories.through.objects.filter(item=OuterRef("pk"))
    confirmed = ItemPrice.objects.filter(item=OuterRef("pk"), valid_from__gt=now - STALE_AFTER)
    titles = on_sale().filter(parent=None).values("title").annotate(items=Count("pk")).filter(items__gt=1)
    conditions: Mapping[CatalogueFlaw, Q] = {
        CatalogueFlaw.NO_PICTURE: Q(image_url=""),
        CatalogueFlaw.NO_PRICE: Q(price=None),
        CatalogueFlaw.NO_CATEGORY: ~Q(Exists(links)),
        CatalogueFlaw.NO_DESCRIPTION: Q(description=""),
        CatalogueFlaw.NO_BRAND: Q(brand=""),
        CatalogueFlaw.NO_CREATOR: Q(creator=""),
        CatalogueFlaw.NO_DATE: Q(published_at=None),
        CatalogueFlaw.NO_DURATION: Q(duration=None),
        CatalogueFlaw.NO_NUMBER: Q(number=None) & ~Q(collection=""),
        CatalogueFlaw.OUT_OF_STOCK: is_sold_out(),
        CatalogueFlaw.STALE_PRICE: Q(price__isnull=False) & ~Q(Exists(confirmed)),
        CatalogueFlaw.LISTED_TWICE: Q(parent=None, title__in=titles.values("title")),
        CatalogueFlaw.NO_TEXT: ~_says_something(),
        CatalogueFlaw.SHARED_TEXT: Q(pk__in=RawSQL(SHARED, [])),  # noqa: S611 - a constant of ours
        CatalogueFlaw.OLD_VECTOR: Q(pk__in=RawSQL(OLD, [])),  # noqa: S611 - likewise
        CatalogueFlaw.UNSEEN_PICTURE: Q(seen_picture__fault__in=UNSEEN),
        CatalogueFlaw.SMALL_PICTURE: Q(seen_picture__fault=PictureFault.SMALL),
        CatalogueFlaw.SHARED_PICTURE: Q(seen_picture__is_shared=True),
    }
    return conditions[flaw]


def is_sold_out() -> Q:
    """Filter for items of which it is known that there is none left."""
    nothing_left = Q(availability=Availability.IN_STOCK, available_quantity=0)
    return Q(availability=Availability.OUT_OF_STOCK) | nothing_left


def _says_something() -> Q:
    """Filter for items with a word in title, brand or description."""
    fields = ("title", "brand", "description")
    return reduce(or_, (Q(**{f"{field}__regex": READABLE}) for field in fields))


def has_flaw(flaw: CatalogueFlaw, items: IdArray, known: Exposure | None) -> BoolArray:
    """Mask of these items on sale that have a flaw which only the model tells; none before the first run."""
    if known is None:
        return np.zeros(len(items), np.bool_)
    rows = known.rows(items)
    if flaw is CatalogueFlaw.NO_EVENTS:
        return np.asarray(rows < 0)
    return np.asarray((rows >= 0) & (known.slots[np.maximum(rows, 0)] == 0))


def flaws(known: Exposure | None, *, now: datetime) -> Flaws:
    """Count flaws, once for each state of the catalogue, the model and the weights, and once a day."""
    newest = Item.objects.aggregate(
        item=Max("updated_at"), vector=Max("vectors__made_at"), picture=Max("seen_picture__looked_at"),
        shared=Count("seen_picture", filter=Q(seen_picture__is_shared=True), distinct=True),
    )  # fmt: skip
    mark = ":".join(each.isoformat() if isinstance(each, datetime) else str(each) for each in newest.values())
    counts = cached(
        f"flaws:{shop_domain().name}:{mark}:{now:%Y-%m-%d}:{known.mark if known else 'none'}",
        lambda: _counts(known, now=now),
    )
    items, slots = counts["items"].tolist(), counts["slots"].tolist()
    return Flaws(
        listed=int(counts["listed"]),
        recommended=int(counts["recommended"]),
        slots=int(known.slots.sum()) if known else 0,
        found={flaw: Touched(items=items[at], slots=slots[at]) for at, flaw in enumerate(CatalogueFlaw)},
        mark=mark,
    )


def _counts(known: Exposure | None, *, now: datetime) -> Arrays:
    items, slots, recommended = dict.fromkeys(CatalogueFlaw, 0), dict.fromkeys(CatalogueFlaw, 0), 0
    asked = [flaw for flaw in OF_RECORD if is_flaw(flaw)]
    simple = {flaw: condition(flaw, now=now) for flaw in asked if flaw not in OF_OTHER_ROWS}
    listed = on_sale().aggregate(every=Count("pk"), **{flaw: Count("pk", filter=each) for flaw, each in simple.items()})
    items |= {flaw: listed[flaw] for flaw in simple}
    others = (flaw for flaw in OF_OTHER_ROWS if flaw in asked)
    items |= {flaw: on_sale().filter(condition(flaw, now=now)).count() for flaw in others}
    if known is not None:
        there = np.ones(len(known.items), np.bool_)
        there[_retired(known)] = False
        exposed = there & (known.slots > 0)
        recommended = int(exposed.sum())
        items[CatalogueFlaw.NO_EVENTS] = listed["every"] - int(there.sum())
        items[CatalogueFlaw.NEVER_RECOMMENDED] = int(there.sum()) - recommended
        slots |= _slots(known, [flaw for flaw in OF_RECORD if items[flaw]], shown=known.items[exposed], now=now)
    return {
        "listed": np.array(listed["every"]),
        "recommended": np.array(recommended),
        "items": np.array([items[flaw] for flaw in CatalogueFlaw]),
        "slots": np.array([slots[flaw] for flaw in CatalogueFlaw]),
    }


def _retired(known: Exposure) -> IntArray:
    keys = Item.objects.filter(retired_at__isnull=False).values_list("pk", flat=True)
    rows = known.rows(np.fromiter(keys, np.int64))
    return rows[rows >= 0]


def _slots(
    known: Exposure, found: Sequence[CatalogueFlaw], *, shown: IdArray, now: datetime
) -> dict[CatalogueFlaw, int]:
    """Slots of the items with each flaw; only items that fill a slot are asked about."""
    flags = {f"has_{flaw}": Case(When(condition(flaw, now=now), then=1), default=0) for flaw in found}
    rows = on_sale().filter(pk__in=shown.tolist()).annotate(**flags).values_list("pk", *flags)
    table = np.array(list(rows), np.int64).reshape(-1, 1 + len(flags))
    weights = known.slots[known.rows(table[:, 0])]
    return {flaw: int(weights[table[:, at] > 0].sum()) for at, flaw in enumerate(found, start=1)}
