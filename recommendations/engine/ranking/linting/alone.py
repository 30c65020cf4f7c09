"""Rules that never do anything, whatever the others do."""

from collections.abc import Iterator

from recommendations.engine.ranking.linting.book import Fault, Found, Linted, Shop, found, slots_of
from recommendations.engine.ranking.linting.when import When
from recommendations.terms import RuleAction


def alone(place: int, rule: Linted, shop: Shop) -> Found | None:
    """The first reason why a rule never does anything; None where there is none."""
    slots = slots_of(rule.when, shop)
    numbers = {"slot": rule.slot, "slots": slots} if rule.action is RuleAction.PIN else {}
    fault = next(_reasons(rule, shop, slots), None)
    return None if fault is None else found(fault, place, **numbers)


def _reasons(rule: Linted, shop: Shop, slots: int) -> Iterator[Fault]:
    when = rule.when
    if when.ends <= shop.now:
        yield Fault.EXPIRED
    if when.placement is not None and when.placement not in shop.slots:
        yield Fault.PLACEMENT_OFF
    if _is_for_nobody(when, shop):
        yield Fault.NOBODY
    if when.context is not None and not when.context.any():
        yield Fault.NO_CONTEXT
    if rule.action is RuleAction.INCLUDE_ONLY:  # what it does not match it takes away: it always does something
        return
    if not rule.items.any():
        yield Fault.MATCHES_NOTHING
    if rule.action is not RuleAction.EXCLUDE and not (rule.items & shop.sellable).any():  # what is out may come back
        yield Fault.NOT_FOR_SALE
    if rule.action is RuleAction.PIN and rule.slot > slots:
        yield Fault.BEYOND_SLATE


def _is_for_nobody(when: When, shop: Shop) -> bool:
    if when.customer is not None:
        known = shop.customers.get(when.customer)
        return known is None or (when.segment is not None and when.segment != known)
    return when.segment is not None and not shop.segments.get(when.segment)
