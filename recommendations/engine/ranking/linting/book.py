"""A book of rules as the checks see it: sets of items, and when each rule applies.

Rules act by kind (``ranking/rules.py``): a pin, a boost, a cap and a minimum share see what the filters, exclusions and
inclusions, leave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.linting.when import When
from recommendations.terms import RuleAction

FILTERS = (RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY)


class FaultKind(StrEnum):
    EXPIRED = "expired"
    PLACEMENT_OFF = "placement_off"
    NOBODY = "nobody"  # in its segment or audience, or its customer is gone or in others
    NO_CONTEXT = "no_context"  # no item could be the one in view
    MATCHES_NOTHING = "matches_nothing"
    NOT_FOR_SALE = "not_for_sale"
    BEYOND_SLATE = "beyond_slate"  # a pin
    BEYOND_SHOWN = "beyond_shown"  # a pin in a slot that the shop does not ask for
    LOOSE_CAP = "loose_cap"  # never reached
    ALL_INCLUDED = "all_included"  # an inclusion that leaves out nothing
    PIN_BARRED = "pin_barred"  # excluded or not included, wherever the pin applies
    PIN_PARTLY_BARRED = "pin_partly_barred"  # only in a part of where it applies
    SHARE_BARRED = "share_barred"
    INCLUSIONS_APART = "inclusions_apart"  # nothing is in all of them
    INCLUDED_EXCLUDED = "included_excluded"  # all that is included is excluded
    BOOST_AND_BURY = "boost_and_bury"
    SHADOWED = "shadowed"
    TWO_PINS = "two_pins"
    TWO_PINS_PARTLY = "two_pins_partly"
    PINNED_TWICE = "pinned_twice"  # one item, in two lists of a page or at two slots of a list
    NOTHING_LEFT = "nothing_left"
    TOO_FEW_LEFT = "too_few_left"  # for all slots
    ZERO_CAP = "zero_cap"
    TIGHT_CAP = "tight_cap"  # leaves slots empty
    SHARES_ABOVE_ONE = "shares_above_one"
    SHARE_BEYOND_CAP = "share_beyond_cap"
    SHARE_BEYOND_ITEMS = "share_beyond_items"


@dataclass(frozen=True, kw_only=True, eq=False)
class Linted:
    """A rule of the book; ``items`` by item row, the numbers as in ``rules.Rule``."""

    action: RuleAction
    when: When
    items: BoolArray
    slot: int = 0
    strength: int = 0
    most: int = 0
    groups: IntArray | None = None
    share: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class LintedShop:
    """What rules can act on. ``customers``: segment and audiences of each customer that rules name, −1 = of none."""

    now: float
    sellable: BoolArray
    slots: Mapping[str, int]  # of each placement that answers
    segments: Mapping[int, int]  # number → customers
    audiences: Mapping[int, int]  # key → customers
    customers: Mapping[int, tuple[int, frozenset[int]]]
    pages: Sequence[frozenset[str]] = ()  # placements that stand together
    shown: Mapping[str, int] = field(default_factory=dict)  # of the slots, those that the shop asks for; empty: all


@dataclass(frozen=True, kw_only=True)
class RuleFault:
    """``rules`` are places in the book, ascending; ``subject`` is the one of them that is to be changed first."""

    fault: FaultKind
    rules: tuple[int, ...]
    subject: int
    numbers: Mapping[str, int] = field(default_factory=dict)


def slots_of(when: When, shop: LintedShop) -> int:
    """Number of slots of the placement, else of the longest slate."""
    return max(shop.slots.values(), default=0) if when.placement is None else shop.slots.get(when.placement, 0)


def shown_of(when: When, shop: LintedShop) -> int:
    """Number of slots that the shop asks for at the placement, else at the one with most."""
    shown = {name: shop.shown.get(name, slots) for name, slots in shop.slots.items()}
    return max(shown.values(), default=0) if when.placement is None else shown.get(when.placement, 0)


class Book:
    """The rules that do something at all, by their places."""

    def __init__(self, rules: Sequence[Linted], shop: LintedShop, acting: Sequence[int]) -> None:
        self.rules, self.shop, self.acting = rules, shop, acting
        self.filters = self.of(*FILTERS)

    def of(self, *actions: RuleAction) -> list[int]:
        return [place for place in self.acting if self.rules[place].action in actions]

    def slots(self, when: When) -> int:
        return slots_of(when, self.shop)

    def covering(self, when: When, among: Sequence[int]) -> list[int]:
        return [place for place in among if self.rules[place].when.covers(when)]

    def scopes(self, places: Sequence[int]) -> list[When]:
        """Conditions under which one of the rules applies, or two of them together."""
        whens = [self.rules[place].when for place in places]
        return [*whens, *(both for one, other in combinations(whens, 2) if (both := one.both(other)))]

    def left(self, filters: Sequence[int]) -> BoolArray:
        """Items for sale that are neither excluded nor left out."""
        left = self.shop.sellable
        for place in filters:
            left = left & self.taken_by(place, out=False)
        return left

    def taken_by(self, place: int, *, out: bool = True) -> BoolArray:
        """Items that a filter takes out (or leaves)."""
        rule = self.rules[place]
        return rule.items if (rule.action is RuleAction.EXCLUDE) is out else ~rule.items

    def culprits(self, filters: Sequence[int], items: BoolArray, *, fewer_than: int = 1) -> list[int]:
        """Fewest of the filters that still leave fewer than so many of the items; the later ones are dropped first."""
        needed = list(filters)
        for place in reversed(filters):
            others = [other for other in needed if other != place]
            if count(self.left(others) & items) < fewer_than:
                needed = others
        return needed

    def open(self, place: int) -> BoolArray:
        """Items of a rule that are left wherever the rule applies."""
        rule = self.rules[place]
        return rule.items & self.left(self.covering(rule.when, self.filters))


def count(items: BoolArray) -> int:
    return int(items.sum())


def rule_fault(fault: FaultKind, *places: int, **numbers: int) -> RuleFault:
    """Make a fault of the rules at these places; the last one is the subject."""
    return RuleFault(fault=fault, rules=tuple(sorted(places)), subject=places[-1], numbers=numbers)
