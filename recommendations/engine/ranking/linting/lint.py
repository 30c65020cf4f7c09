"""Linter of rules that are to apply together, from nothing but the sets of items that they match."""

from collections.abc import Callable, Iterator, Sequence

from recommendations.engine.ranking.linting.alone import alone
from recommendations.engine.ranking.linting.amounts import caps, shares
from recommendations.engine.ranking.linting.book import Book, Linted, LintedShop, RuleFault
from recommendations.engine.ranking.linting.filters import barred, emptied, idle_filters
from recommendations.engine.ranking.linting.steering import boosts, pinned_twice, pins

CHECKS: tuple[Callable[[Book], Iterator[RuleFault]], ...] = (
    emptied,
    idle_filters,
    barred,
    pins,
    pinned_twice,
    boosts,
    caps,
    shares,
)


def lint(rules: Sequence[Linted], shop: LintedShop) -> list[RuleFault]:
    """All faults of the rules, each once, in the order of the book; what never acts is not held against others."""
    idle = [one for place, rule in enumerate(rules) if (one := alone(place, rule, shop))]
    out = {one.rules[0] for one in idle}
    book = Book(rules, shop, [place for place in range(len(rules)) if place not in out])
    together = [one for check in CHECKS for one in check(book)]
    once = {(one.fault, one.rules): one for one in [*idle, *together]}
    return sorted(once.values(), key=lambda one: one.rules)
