"""One item: what it is, how it is bought, who gets it recommended, and what goes with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.utils.timezone import localtime

from analytics.charts.item import PricePoint, WeekActs
from recommendations.engine.frames import IdArray, IntArray
from recommendations.models import AssociationRule, Item, Promotion, Segment
from recommendations.services.catalogue.exposure import Exposure, acts_with
from recommendations.services.promises.suiting import Suited
from recommendations.terms import BlendName

MOST_RECEIVERS = 10
MOST_NEIGHBOURS = 12
MOST_PRICES = 50
MOST_PROMOTIONS = 12
MOST_SEGMENTS = 8
FEW_BUYERS = 10  # below which an item's buyers tell less of it than its texts


@dataclass(frozen=True, kw_only=True)
class Receivers:
    """Customers with the item in a slate of this blend, the best ranks first; ``customers`` of ``of``."""

    blend: BlendName
    customers: int
    of: int
    first: Sequence[tuple[int, int]]  # key and rank


@dataclass(frozen=True, kw_only=True)
class ItemStanding:
    """An item as the live model has it."""

    acts: int
    bought: int
    buyers: int
    slots: int
    receivers: Sequence[Receivers]
    segments: Sequence[tuple[Segment, int, int]]  # members who have it in a slate, and all
    weeks: Sequence[WeekActs]


def find_item(pk: int) -> Item | None:
    return Item.objects.select_related("parent", "seen_picture").prefetch_related("categories").filter(pk=pk).first()


def standing(item: Item, known: Exposure | None) -> ItemStanding | None:
    """The item as the live model has it; None where it does not know the item."""
    row = int(known.rows(np.array([item.pk]))[0]) if known else -1
    if known is None or row < 0:
        return None
    acts = acts_with(row, version=known.version)
    having = {blend: np.argwhere(ranked == row) for blend, ranked in known.ranked.items()}
    return ItemStanding(
        acts=len(acts.age),
        bought=int(acts.bought.sum()),
        buyers=len(np.unique(acts.user[acts.bought])),
        slots=int(known.slots[row]),
        receivers=[
            Receivers(blend=blend, customers=len(at), of=len(known.customers), first=_first(at, known.customers))
            for blend, at in having.items()
        ],
        segments=_in_segments(having, known),
        weeks=_weeks(localtime(known.ended_at).date(), acts.age, acts.bought),
    )


def prices(item: Item) -> list[PricePoint]:
    """Prices of the item, the oldest first."""
    newest = item.prices.order_by("-valid_from").values_list("valid_from", "price")[:MOST_PRICES]
    return [PricePoint(since=localtime(since), price=float(price)) for since, price in reversed(list(newest))]


def promotions(item: Item) -> list[Promotion]:
    """Promotions of the item: the plan from the farthest week on, then the weeks that are over."""
    return list(Promotion.objects.of_items([item]).order_by("-week")[:MOST_PROMOTIONS])


def neighbours(item: Item, *, model: int | None) -> list[AssociationRule]:
    """Rules of items that go into its baskets more often than by chance, the most baskets first."""
    rules = AssociationRule.objects.filter(version=model or 0, antecedents=[item.pk]).select_related("consequent")
    return list(rules.order_by("-baskets", "pk")[:MOST_NEIGHBOURS])


def suited_segments(suits: Suited | None) -> list[tuple[Segment, float]]:
    """Segments that an item suits more than everybody, and how much more: 1.5 is half as much again."""
    if suits is None:
        return []
    named = {segment.number: segment for segment in Segment.objects.filter(number__in=suits.segments)}
    return [(named[number], beside) for number, beside in suits.segments.items() if number in named][:MOST_SEGMENTS]


def _first(at: np.ndarray, customers: IdArray) -> list[tuple[int, int]]:
    """Receivers with the best ranks; ``at``: rows of (customer, place)."""
    order = np.lexsort((at[:, 0], at[:, 1]))[:MOST_RECEIVERS]
    return [(int(customers[who]), int(place) + 1) for who, place in at[order].tolist()]


def _in_segments(having: Mapping[BlendName, np.ndarray], known: Exposure) -> list[tuple[Segment, int, int]]:
    """Segments with members who have the item, the one with the largest share of them first."""
    who = np.unique(np.concatenate([at[:, 0] for at in having.values()])) if having else np.empty(0, np.int64)
    numbers, sizes = np.unique(known.segments[known.segments >= 0], return_counts=True)
    counts = dict(zip(*np.unique(known.segments[who], return_counts=True), strict=True))
    named = {segment.number: segment for segment in Segment.objects.filter(number__in=numbers.tolist())}
    rows = [
        (named[number], int(counts[number]), int(size))
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True)
        if number in named and counts.get(number)
    ]
    return sorted(rows, key=lambda each: (-each[1] / each[2], each[0].number))


def _weeks(last: date, age: np.ndarray, bought: np.ndarray) -> list[WeekActs]:
    """Acts by week, counted back from the end of the history."""
    back: IntArray = (age // 7).astype(np.int32)
    n = int(back.max(initial=-1)) + 1
    all_acts, purchases = (np.bincount(rows, minlength=n)[::-1] for rows in (back, back[bought]))
    return [
        WeekActs(week=last - timedelta(days=7 * (n - at) - 1), bought=int(sold), others=int(acts - sold))
        for at, (acts, sold) in enumerate(zip(all_acts, purchases, strict=True))
    ]
