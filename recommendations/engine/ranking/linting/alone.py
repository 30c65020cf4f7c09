"""Rules that never do anything, whatever the others do."""

from collections.abc import Iterator

from recommendations.engine.ranking.linting.book import (
    FaultKind,
    Linted,
    LintedShop,
    RuleFault,
    rule_fault,
    shown_of,
    slots_of,
)
from recommendations.engine.ranking.linting.when import When
from recommendations.terms import RuleAction


def alone(place: int, rule: Linted, shop: LintedShop) -> RuleFault | None:
    """The first reason why a rule never does anything; None where there is none."""
    slots, shown = slots_of(rule.when, shop), shown_of(rule.when, shop)
    numbers = {"slot": rule.slot, "slots": slots, "shown": shown} if rule.action is RuleAction.PIN else {}
    fault = next(_reasons(rule, shop, slots, shown), None)
    return None if fault is None else rule_fault(fault, place, **numbers)


def _reasons(rule: Linted, shop: LintedShop, slots: int, shown: int) -> Iterator[FaultKind]:
    when = rule.when
    if when.ends <= shop.now:
        yield FaultKind.EXPIRED
    if when.placement is not None and when.placement not in shop.slots:
        yield FaultKind.PLACEMENT_OFF
    if _is_for_nobody(when, shop):
        yield FaultKind.NOBODY
    if when.context is not None and not when.context.any():
        yield FaultKind.NO_CONTEXT
    if rule.action is RuleAction.INCLUDE_ONLY:  # what it does not match it takes away: it always does something
        return
    if not rule.items.any():
        yield FaultKind.MATCHES_NOTHING
    if rule.action is not RuleAction.EXCLUDE and not (rule.items & shop.sellable).any():  # what is out may come back
        yield FaultKind.NOT_FOR_SALE
    if rule.action is RuleAction.PIN and rule.slot > slots:
        yield FaultKind.BEYOND_SLATE
    if rule.action is RuleAction.PIN and rule.slot > shown:
        yield FaultKind.BEYOND_SHOWN


def _is_for_nobody(when: When, shop: LintedShop) -> bool:
    if when.customer is not None:
        segment, audiences = shop.customers.get(when.customer, (None, frozenset[int]()))
        return segment is None or when.segment not in {None, segment} or not when.audiences <= audiences
    empty = any(not shop.audiences.get(audience) for audience in when.audiences)
    return empty or (when.segment is not None and not shop.segments.get(when.segment))
