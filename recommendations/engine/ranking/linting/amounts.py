"""Caps and minimum shares that cannot be met, or that others make idle."""

from collections.abc import Iterator, Sequence

import numpy as np

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.linting.book import Book, FaultKind, Linted, RuleFault, count, rule_fault
from recommendations.terms import RuleAction

ROUNDING = 1e-9


def caps(book: Book) -> Iterator[RuleFault]:
    idle: set[int] = set()
    all_caps = book.of(RuleAction.CAP)
    for place in reversed(all_caps):
        rule = book.rules[place]
        left, slots = book.left(book.covering(rule.when, book.filters)), book.slots(rule.when)
        reached = _reached(rule, left)
        if rule.most < 1:
            yield rule_fault(FaultKind.ZERO_CAP, place)
        elif rule.most >= slots:
            yield rule_fault(FaultKind.LOOSE_CAP, place, most=rule.most, slots=slots)
        elif reached < slots <= count(left):
            yield rule_fault(FaultKind.TIGHT_CAP, place, left=reached, slots=slots)
        else:
            others = [other for other in book.covering(rule.when, all_caps) if other != place and other not in idle]
            tighter = [other for other in others if _is_tighter(book.rules[other], rule)]
            if tighter:
                idle.add(place)
                yield rule_fault(FaultKind.SHADOWED, tighter[0], place)


def _reached(cap: Linted, left: BoolArray) -> int:
    """How many slots the items that are left can fill under the cap."""
    within = left & cap.items
    free = count(left & ~cap.items)
    if cap.groups is None:
        return free + min(cap.most, count(within))
    codes = cap.groups[within]
    _, counts = np.unique(codes[codes >= 0], return_counts=True)
    return free + count(codes < 0) + int(np.minimum(counts, cap.most).sum())


def _is_tighter(one: Linted, other: Linted) -> bool:
    """Is the other cap met wherever this one is?"""
    same = one.groups is None or (other.groups is not None and np.array_equal(one.groups, other.groups))
    return same and 0 < one.most <= other.most and not (other.items & ~one.items).any()


def shares(book: Book) -> Iterator[RuleFault]:
    idle: set[int] = set()
    all_shares = book.of(RuleAction.MINIMUM_SHARE)
    for place in reversed(all_shares):
        rule, there = book.rules[place], book.open(place)
        needed = int(np.ceil(rule.share * book.slots(rule.when) - ROUNDING))
        if 0 < (there_are := count(there)) < needed:
            yield rule_fault(FaultKind.SHARE_BEYOND_ITEMS, place, left=there_are, needed=needed)
        for cap in book.of(RuleAction.CAP):
            capped = book.rules[cap]
            if capped.most > 0 and capped.when.meets(rule.when) and _reached(capped, there) < min(needed, there_are):
                yield rule_fault(FaultKind.SHARE_BEYOND_CAP, cap, place, most=capped.most, needed=needed)
        others = [other for other in book.covering(rule.when, all_shares) if other != place and other not in idle]
        more = [other for other in others if _asks_for_more(book.rules[other], rule)]
        if more:
            idle.add(place)
            yield rule_fault(FaultKind.SHADOWED, more[0], place)
    yield from _shares_together(book, [place for place in all_shares if place not in idle])


def _asks_for_more(one: Linted, other: Linted) -> bool:
    return one.share >= other.share and not (one.items & ~other.items).any()


def _shares_together(book: Book, places: Sequence[int]) -> Iterator[RuleFault]:
    """Find shares that no item could serve together, largest first, wherever one or two and all that cover it apply."""
    reported: list[set[int]] = []
    for when in book.scopes(places):
        chosen: list[int] = []
        total, union = 0.0, np.zeros(len(book.shop.sellable), np.bool_)
        for place in sorted(book.covering(when, places), key=lambda place: -book.rules[place].share):
            rule = book.rules[place]
            if total <= 1 + ROUNDING and not (rule.items & union).any():
                chosen, total, union = [*chosen, place], total + rule.share, union | rule.items
        if total > 1 + ROUNDING and not any(before <= set(chosen) for before in reported):
            reported.append(set(chosen))
            yield rule_fault(FaultKind.SHARES_ABOVE_ONE, *chosen, percent=round(100 * total))
