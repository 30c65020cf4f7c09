"""Pins and boosts that get in each other's way."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from recommendations.engine.ranking.linting.book import Book, FaultKind, RuleFault, count, rule_fault
from recommendations.terms import RuleAction


def pins(book: Book) -> Iterator[RuleFault]:
    """Find two pins on one slot, and a pin of an item that earlier ones have put elsewhere."""
    places = book.of(RuleAction.PIN)
    for earlier, later in combinations(places, 2):
        one, other = book.rules[earlier], book.rules[later]
        if one.slot == other.slot and one.when.meets(other.when):
            wholly = one.when.covers(other.when)
            yield rule_fault(FaultKind.TWO_PINS if wholly else FaultKind.TWO_PINS_PARTLY, earlier, later, slot=one.slot)
    open_ = {place: book.open(place) for place in places}
    single = [place for place in places if count(open_[place]) == 1]
    for place in places:
        before = [other for other in single if other < place and book.rules[other].slot != book.rules[place].slot]
        before = book.covering(book.rules[place].when, before)
        shadowing = [other for other in before if (open_[other] & open_[place]).any()]
        if shadowing and count(open_[place]) == count(np.logical_or.reduce([open_[other] for other in shadowing])):
            yield rule_fault(FaultKind.SHADOWED, *shadowing, place)


def pinned_twice(book: Book) -> Iterator[RuleFault]:
    """Find pins of one item, and no other, that act together on a page: it is shown once, so one of them is in vain.

    Where an earlier pin of a list always acts with a later one, ``pins`` has found it already.
    """
    open_ = {place: book.open(place) for place in book.of(RuleAction.PIN)}
    single = [place for place, items in open_.items() if count(items) == 1]
    for earlier, later in combinations(single, 2):
        one, other = book.rules[earlier], book.rules[later]
        if not np.array_equal(open_[earlier], open_[later]):
            continue
        if any({one.when.placement, other.when.placement} <= page for page in book.shop.pages):
            together = replace(one.when, placement=None).meets(replace(other.when, placement=None))
        else:
            together = one.when.meets(other.when)
        shadowed = one.when.placement in (None, other.when.placement) and one.when.covers(other.when)
        same_slot = one.slot == other.slot and one.when.meets(other.when)
        if together and not shadowed and not same_slot:
            yield rule_fault(FaultKind.PINNED_TWICE, earlier, later)


def boosts(book: Book) -> Iterator[RuleFault]:
    for one, other in combinations(book.of(RuleAction.BOOST), 2):
        first, second = book.rules[one], book.rules[other]
        opposed = first.strength * second.strength < 0 and first.when.meets(second.when)
        if opposed and np.array_equal(first.items, second.items):
            yield rule_fault(FaultKind.BOOST_AND_BURY, one, other, strength=first.strength + second.strength)
