"""Pins and boosts that get in each other's way."""

from collections.abc import Iterator
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


def boosts(book: Book) -> Iterator[RuleFault]:
    for one, other in combinations(book.of(RuleAction.BOOST), 2):
        first, second = book.rules[one], book.rules[other]
        opposed = first.strength * second.strength < 0 and first.when.meets(second.when)
        if opposed and np.array_equal(first.items, second.items):
            yield rule_fault(FaultKind.BOOST_AND_BURY, one, other, strength=first.strength + second.strength)
