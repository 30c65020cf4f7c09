"""Exclusions and inclusions: what they empty, what they do twice, and what they leave of other rules' items."""

from collections.abc import Iterator, Mapping, Sequence

from recommendations.engine.ranking.linting.book import Book, FaultKind, RuleFault, count, rule_fault
from recommendations.terms import RuleAction

BARRED: Mapping[RuleAction, FaultKind] = {
    RuleAction.PIN: FaultKind.PIN_BARRED,
    RuleAction.MINIMUM_SHARE: FaultKind.SHARE_BARRED,
    RuleAction.BOOST: FaultKind.SHADOWED,
    RuleAction.CAP: FaultKind.SHADOWED,
}


def emptied(book: Book) -> Iterator[RuleFault]:
    """Filters that leave nothing, or too little for the slots, where one or two of them and all that cover it act."""
    all_there = count(book.shop.sellable)
    reported: list[set[int]] = []
    seen: set[tuple[int, ...]] = set()
    for when in book.scopes(book.filters):
        acting, slots = book.covering(when, book.filters), book.slots(when)
        left = count(book.left(acting))
        if tuple(acting) in seen or left >= slots or all_there < slots:
            continue
        seen.add(tuple(acting))
        enough = slots if left else 1
        culprits = book.culprits(acting, book.shop.sellable, fewer_than=enough)
        if not any(before <= set(culprits) for before in reported):
            reported.append(set(culprits))
            yield rule_fault(_how_emptied(book, culprits, left), *culprits, left=left, slots=slots)


def _how_emptied(book: Book, culprits: Sequence[int], left: int) -> FaultKind:
    if left:
        return FaultKind.TOO_FEW_LEFT
    actions = {book.rules[place].action for place in culprits}
    if len(actions) > 1:
        return FaultKind.INCLUDED_EXCLUDED
    apart = len(culprits) > 1 and RuleAction.INCLUDE_ONLY in actions
    return FaultKind.INCLUSIONS_APART if apart else FaultKind.NOTHING_LEFT


def idle_filters(book: Book) -> Iterator[RuleFault]:
    """Filters that take out nothing that others had not taken out already. Of two alike the later one is idle."""
    idle: set[int] = set()
    for place in reversed(book.filters):
        own = book.taken_by(place)
        if not (own & book.shop.sellable).any():
            if book.rules[place].action is RuleAction.INCLUDE_ONLY:
                yield rule_fault(FaultKind.ALL_INCLUDED, place)
            continue
        others = [other for other in book.covering(book.rules[place].when, book.filters) if other != place]
        others = [other for other in others if other not in idle]
        left = book.left(others)
        if left.any() and not (left & own).any():
            idle.add(place)
            yield rule_fault(FaultKind.SHADOWED, *book.culprits(others, own), place)


def barred(book: Book) -> Iterator[RuleFault]:
    """Rules whose items the filters take out, wherever the rule applies; pins also where that is so in a part only."""
    for place in book.of(*BARRED):
        rule = book.rules[place]
        covering = book.covering(rule.when, book.filters)
        if not book.open(place).any():
            yield rule_fault(BARRED[rule.action], *book.culprits(covering, rule.items), place)
        elif rule.action is RuleAction.PIN:
            for other in book.filters:
                partly = other not in covering and book.rules[other].when.meets(rule.when)
                if partly and not (book.left([*covering, other]) & rule.items).any():
                    yield rule_fault(FaultKind.PIN_PARTLY_BARRED, other, place)
