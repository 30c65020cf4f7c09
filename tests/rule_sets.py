"""Books of rules over the grocery of ``grocery.py``, drawn by seed: with a fault that is known, and without any.

Six tastes of twelve items, three brands of four items in each, prices 1 … 12; ``soap-11`` is sold out. Every placement
has eight slots, and ``trending`` is switched off.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from recommendations.services.rules.linter import FindingCode
from recommendations.store.rules.conditions import FrozenRule
from recommendations.terms import RuleAction
from tests.grocery import TASTES

NOW = datetime(2026, 9, 20, 12, tzinfo=UTC)
SLOTS = 8
PLACES = ("home", "discover", "buy_again", "item", "also_bought", "cart")
EXCLUDE, ONLY, PIN, BOOST, CAP, SHARE = RuleAction

type Condition = dict[str, Any]
type Book = list[FrozenRule]
type Maker = Callable[["Draw"], Book]


def category(*tastes: str) -> Condition:
    return {"attribute": "category", "operator": "is", "values": [f"FOOD > {taste.upper()}" for taste in tastes]}


def item(*ids: str) -> Condition:
    return {"attribute": "item", "operator": "is", "values": list(ids)}


def brand(*numbers: int) -> Condition:
    return {"attribute": "brand", "operator": "is", "values": [f"Brand {number}" for number in numbers]}


def price(operator: str, value: float) -> Condition:
    return {"attribute": "price", "operator": operator, "values": [value]}


EVERYTHING, NOTHING = price("at_least", 0), price("at_least", 900)


class Draw:
    """What the rules of a book are about: a placement, tastes in some order, two segments, a customer."""

    def __init__(self, seed: int, *, segments: Sequence[int], customers: Sequence[int]) -> None:
        self.random = Random(seed)
        self._keys = count(1)
        self.place = self.random.choice(PLACES)
        self.tastes = self.random.sample(TASTES[:5], 5)
        self.segments = self.random.sample(list(segments), 2)
        self.customer = self.random.choice(list(customers))

    def rule(self, action: RuleAction, *items: Condition, **fields: Any) -> FrozenRule:
        key = next(self._keys)
        empty = dict.fromkeys(("segment", "customer", "starts_at", "ends_at", "slot", "strength", "most", "share"))
        plain: dict[str, Any] = {
            **empty, "id": key, "name": f"{action} {key}", "placement": self.place, "context": [],
            "items": list(items), "action": str(action), "per": "",
        }  # fmt: skip
        return FrozenRule(**{**plain, **fields})  # type: ignore[typeddict-item]

    def pin(self, *items: Condition, **fields: Any) -> FrozenRule:
        return self.rule(PIN, *items, **{"slot": self.random.randint(1, SLOTS), **fields})

    def boost(self, *items: Condition, sign: int = 1, **fields: Any) -> FrozenRule:
        return self.rule(BOOST, *items, strength=sign * self.random.randint(1, 10) * 10, **fields)

    def one(self, taste: int = 0) -> Condition:
        """An item of a taste."""
        return item(f"{self.tastes[taste].lower()}-{self.random.randrange(11)}")

    def taste(self, *numbers: int) -> Condition:
        return category(*(self.tastes[number] for number in numbers or (0,)))

    def days(self, first: float, last: float) -> dict[str, str]:
        starts, ends = NOW + timedelta(days=first), NOW + timedelta(days=last)
        return {"starts_at": starts.isoformat(), "ends_at": ends.isoformat()}

    def elsewhere(self, *taken: str) -> str:
        return self.random.choice([place for place in PLACES if place not in taken])


def faulty(code: FindingCode, number: int, draw: Draw) -> tuple[Book, set[int]]:
    """A book with a fault of this kind and a few clean rules elsewhere; and the keys of the rules that have it."""
    makers = FAULTY[code]
    wrong = makers[number % len(makers)](draw)
    keys = {rule["id"] for rule in wrong}
    draw.place = draw.elsewhere(draw.place)
    others = draw.random.choice(CLEAN)(draw)
    return (wrong + others if draw.random.random() < 0.5 else others + wrong), keys


def clean(draw: Draw) -> Book:
    """Three to five things that merchandisers do, each at a placement of its own."""
    book: Book = [draw.rule(EXCLUDE, item(f"soap-{draw.random.randrange(11)}"), placement=None)]
    places = draw.random.sample(PLACES, draw.random.randint(3, 5))
    for place, maker in zip(places, draw.random.sample(CLEAN, len(places)), strict=True):
        draw.place = place
        book += maker(draw)
    return book


def _same_item(
    first: Callable[[Draw, Condition], FrozenRule], second: Callable[[Draw, Condition], FrozenRule]
) -> Maker:
    def made(draw: Draw) -> Book:
        one = draw.one()
        return [first(draw, one), second(draw, one)]

    return made


FAULTY: Mapping[FindingCode, Sequence[Maker]] = {
    FindingCode.CONTRADICTION: (
        lambda draw: [draw.rule(EXCLUDE, draw.taste()), draw.pin(draw.one())],
        _same_item(lambda draw, one: draw.pin(one), lambda draw, one: draw.rule(EXCLUDE, one, placement=None)),
        _same_item(
            lambda draw, one: draw.pin(one), lambda draw, one: draw.rule(EXCLUDE, one, segment=draw.segments[0])
        ),
        _same_item(
            lambda draw, one: draw.pin(one, **draw.days(-3, 9)),
            lambda draw, one: draw.rule(EXCLUDE, one, **draw.days(5, 20)),
        ),
        lambda draw: [draw.pin(draw.one(0)), draw.rule(ONLY, draw.taste(1, 2, 3))],
        lambda draw: [draw.rule(ONLY, draw.taste(0, 1)), draw.rule(ONLY, draw.taste(2, 3))],
        lambda draw: [draw.rule(ONLY, draw.taste(0), segment=draw.segments[0]), draw.rule(ONLY, draw.taste(1))],
        lambda draw: [draw.rule(ONLY, draw.taste(0)), draw.rule(EXCLUDE, draw.taste(0, 1))],
        lambda draw: [draw.boost(draw.taste(), placement=None), draw.boost(draw.taste(), sign=-1)],
        lambda draw: [draw.rule(EXCLUDE, draw.taste(0, 1)), draw.rule(SHARE, draw.taste(0), share=0.25)],
    ),
    FindingCode.SHADOWED: (
        lambda draw: [draw.rule(EXCLUDE, draw.taste(0, 1), placement=None), draw.rule(EXCLUDE, draw.one(1))],
        lambda draw: [draw.rule(EXCLUDE, draw.taste(0)), draw.rule(EXCLUDE, draw.taste(0), **draw.days(0, 30))],
        lambda draw: [draw.rule(ONLY, draw.taste(0, 1)), draw.rule(ONLY, draw.taste(0, 1, 2))],
        lambda draw: [draw.rule(ONLY, draw.taste(0, 1)), draw.rule(EXCLUDE, draw.taste(2))],
        lambda draw: [draw.rule(EXCLUDE, draw.taste()), draw.boost(draw.one())],
        lambda draw: [draw.rule(ONLY, draw.taste(1, 2)), draw.boost(draw.taste(0), sign=-1)],
        lambda draw: [
            draw.rule(CAP, draw.taste(0, 1), most=2, per="all"),
            draw.rule(CAP, draw.taste(0), most=3, per="brand", segment=draw.segments[1]),
        ],
        lambda draw: [draw.rule(SHARE, draw.taste(0), share=0.5), draw.rule(SHARE, draw.taste(0, 1), share=0.25)],
        _same_item(lambda draw, one: draw.pin(one, slot=2), lambda draw, one: draw.pin(one, slot=5)),
    ),
    FindingCode.NEVER_FIRES: (
        lambda draw: [draw.boost(draw.taste(), NOTHING)],
        lambda draw: [draw.rule(EXCLUDE, brand(1), draw.taste(), price("at_most", 0.5))],
        lambda draw: [draw.pin(draw.one(), segment=97)],
        lambda draw: [draw.pin(draw.one(), customer=10**9)],
        lambda draw: [draw.rule(EXCLUDE, draw.taste(), placement="trending")],
        lambda draw: [draw.pin(draw.one(), slot=SLOTS + 1)],
        lambda draw: [draw.boost(draw.taste(), context=[NOTHING])],
        lambda draw: [draw.rule(CAP, draw.taste(), most=SLOTS, per="all")],
        lambda draw: [draw.rule(ONLY, EVERYTHING)],
        lambda draw: [draw.pin(item("soap-11"))],
    ),
    FindingCode.EMPTIES: (
        lambda draw: [draw.rule(EXCLUDE, EVERYTHING)],
        lambda draw: [draw.rule(ONLY, NOTHING)],
        lambda draw: [draw.rule(ONLY, draw.one())],
        lambda draw: [draw.rule(ONLY, draw.taste(0), brand(0, 1), price("at_most", 8), placement=None)],
        lambda draw: [
            draw.rule(EXCLUDE, category(*TASTES[:3]), placement=None),
            draw.rule(EXCLUDE, category(*TASTES[3:])),
        ],
        lambda draw: [
            draw.rule(EXCLUDE, category(*TASTES[:4]), segment=draw.segments[0]),
            draw.rule(EXCLUDE, category(TASTES[4])),
            draw.rule(EXCLUDE, category(TASTES[5]), price("at_least", 4)),
        ],
    ),
    FindingCode.EXPIRED: (
        lambda draw: [draw.pin(draw.one(), **draw.days(-9, -2))],
        lambda draw: [draw.rule(EXCLUDE, draw.taste(), ends_at=NOW.isoformat())],
        lambda draw: [draw.boost(draw.taste(), ends_at=(NOW - timedelta(seconds=1)).isoformat())],
    ),
    FindingCode.TWO_PINS: (
        lambda draw: [draw.pin(draw.one(0), slot=3), draw.pin(draw.one(1), slot=3)],
        lambda draw: [draw.pin(draw.one(0), slot=1, placement=None), draw.pin(draw.taste(1), slot=1)],
        lambda draw: [draw.pin(draw.one(0), slot=2, segment=draw.segments[0]), draw.pin(draw.one(1), slot=2)],
        lambda draw: [
            draw.pin(draw.one(0), slot=4, **draw.days(-5, 10)),
            draw.pin(draw.one(1), slot=4, **draw.days(9, 12)),
        ],
        lambda draw: [draw.pin(draw.one(0), slot=8, customer=draw.customer), draw.pin(draw.one(1), slot=8)],
        lambda draw: [
            draw.pin(draw.one(0), slot=1, context=[draw.taste(2, 3)]),
            draw.pin(draw.one(1), slot=1, context=[brand(0)]),
        ],
    ),
    FindingCode.CAP: (
        lambda draw: [draw.rule(CAP, draw.taste(), most=0, per="all")],
        lambda draw: [draw.rule(CAP, EVERYTHING, most=draw.random.randint(1, SLOTS - 1), per="all")],
        lambda draw: [draw.rule(CAP, EVERYTHING, most=draw.random.randint(1, 2), per="brand")],
        lambda draw: [draw.rule(CAP, most=1, per="category", segment=draw.segments[0])],
        lambda draw: [draw.rule(CAP, most=0, per="brand", placement=None)],
    ),
    FindingCode.SHARES: (
        lambda draw: [draw.rule(SHARE, draw.taste(0), share=0.6), draw.rule(SHARE, draw.taste(1), share=0.5)],
        lambda draw: [draw.rule(SHARE, draw.taste(number), share=0.4, placement=None) for number in range(3)],
        lambda draw: [
            draw.rule(SHARE, brand(0), share=0.75, segment=draw.segments[1]),
            draw.rule(SHARE, brand(1), share=0.5, placement=None),
        ],
        lambda draw: [draw.rule(CAP, draw.taste(0), most=1, per="all"), draw.rule(SHARE, draw.taste(0), share=0.25)],
        lambda draw: [draw.rule(CAP, brand(0, 1), most=2, per="brand"), draw.rule(SHARE, brand(1), share=0.4)],
        lambda draw: [draw.rule(SHARE, draw.one(), share=0.25)],
    ),
}

CLEAN: Sequence[Maker] = (
    # two pins on one slot that never meet: segments, times, placements, customers, items in view
    lambda draw: [draw.pin(draw.one(number), slot=1, segment=draw.segments[number]) for number in range(2)],
    lambda draw: [draw.pin(draw.one(0), slot=2, **draw.days(-5, 9)), draw.pin(draw.one(1), slot=2, **draw.days(9, 12))],
    lambda draw: [
        draw.pin(draw.one(0), slot=1, context=[draw.taste(2)]),
        draw.pin(draw.one(1), slot=1, context=[draw.taste(3)]),
    ],
    # pins beside one another, and one at the very end
    lambda draw: [draw.pin(draw.one(0), slot=1), draw.pin(draw.one(1), slot=2), draw.pin(draw.one(2), slot=SLOTS)],
    lambda draw: [draw.pin(draw.taste(), slot=3), draw.pin(draw.taste(), slot=4)],  # the best and the next best of it
    # a pin of a taste of which a single item is excluded; the same item at other times and for others
    lambda draw: [draw.pin(draw.taste(0)), draw.rule(EXCLUDE, draw.one(0))],
    _same_item(
        lambda draw, one: draw.pin(one, **draw.days(-2, 3)),
        lambda draw, one: draw.rule(EXCLUDE, one, **draw.days(3, 30)),
    ),
    _same_item(
        lambda draw, one: draw.pin(one, segment=draw.segments[0]),
        lambda draw, one: draw.rule(EXCLUDE, one, segment=draw.segments[1]),
    ),
    # inclusions with something in common, and exclusions within what is included
    lambda draw: [draw.rule(ONLY, draw.taste(0, 1, 2)), draw.rule(EXCLUDE, draw.one(1))],
    lambda draw: [draw.rule(ONLY, draw.taste(0, 1, 2, 3)), draw.rule(ONLY, brand(0, 1))],
    lambda draw: [draw.rule(ONLY, draw.taste(0, 1)), draw.pin(draw.one(0)), draw.boost(draw.taste(1))],
    lambda draw: [draw.rule(ONLY, draw.taste(number), segment=draw.segments[number]) for number in range(2)],
    lambda draw: [draw.rule(EXCLUDE, draw.one(0)), draw.rule(EXCLUDE, draw.one(1)), draw.rule(EXCLUDE, draw.taste(2))],
    # boosts and buries of different items, or for different customers
    lambda draw: [draw.boost(draw.taste(0)), draw.boost(draw.one(0), sign=-1)],
    lambda draw: [draw.boost(brand(0)), draw.boost(brand(1), sign=-1), draw.boost(draw.taste(2))],
    lambda draw: [
        draw.boost(draw.taste(), segment=draw.segments[0]),
        draw.boost(draw.taste(), sign=-1, segment=draw.segments[1]),
    ],
    lambda draw: [draw.boost(draw.taste(0)), draw.rule(EXCLUDE, draw.taste(0), customer=draw.customer)],
    lambda draw: [draw.boost(draw.taste(1), context=[draw.taste(0)]), draw.boost(draw.taste(1), brand(2), sign=-1)],
    # caps that can just be met
    lambda draw: [draw.rule(CAP, most=3, per="brand"), draw.rule(CAP, most=2, per="category")],
    lambda draw: [
        draw.rule(CAP, draw.taste(0), most=SLOTS - 1, per="all"),
        draw.rule(CAP, brand(1), most=2, per="all"),
    ],
    lambda draw: [
        draw.rule(CAP, draw.taste(0), most=3, per="all"),
        draw.rule(CAP, draw.taste(0), most=2, per="all", **draw.days(0, 2)),
    ],
    # shares that can just be met
    lambda draw: [draw.rule(SHARE, draw.taste(0), share=0.5), draw.rule(SHARE, draw.taste(1), share=0.5)],
    lambda draw: [draw.rule(SHARE, draw.taste(0), share=0.25), draw.rule(CAP, draw.taste(0), most=2, per="all")],
    lambda draw: [
        draw.rule(SHARE, draw.taste(number), share=0.75, segment=draw.segments[number]) for number in range(2)
    ],
    lambda draw: [draw.rule(SHARE, draw.taste(0, 1), share=0.75), draw.rule(SHARE, brand(0), share=0.5)],
    # what begins later, and what ends soon
    lambda draw: [draw.boost(draw.taste(0), **draw.days(10, 20)), draw.pin(draw.one(1), **draw.days(-5, 0.01))],
)
