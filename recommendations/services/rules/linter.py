"""Linter of books of rules, before they are served: every finding names the rules and the remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.linting.book import FaultKind, Linted, LintedShop, RuleFault
from recommendations.engine.ranking.linting.lint import lint as lint_sets
from recommendations.engine.ranking.linting.when import When
from recommendations.models import Customer
from recommendations.simulation.asked_length import asked_length
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.served_rules import ServedRule, groups_of
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import CapPer, RuleAction
from recommendations.wording.linter import fault_text


class Severity(StrEnum):
    ERROR = "error"  # blocks publishing
    WARNING = "warning"


class FindingCode(StrEnum):
    CONTRADICTION = "contradiction"
    SHADOWED = "shadowed"
    NEVER_FIRES = "never_fires"
    EMPTIES = "empties"  # a slot, or the whole placement
    EXPIRED = "expired"
    TWO_PINS = "two_pins"  # on one slot
    CAP = "cap"  # cannot be met
    SHARES = "shares"  # cannot all be met


NOBODY: tuple[int | None, frozenset[int]] = None, frozenset()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A fault with all that its words need; ``rules`` are keys, in the book's order, ``names`` theirs."""

    code: FindingCode
    severity: Severity
    rules: tuple[int, ...]
    fault: RuleFault
    names: tuple[str, ...]
    placement: str

    @property
    def text(self) -> str:
        """The fault with its remedy, in the active language."""
        subject = self.fault.rules.index(self.fault.subject)
        return fault_text(
            self.fault.fault,
            rules=self.names,
            subject=subject,
            placement=self.placement,
            numbers=self.fault.numbers,
        )


def lint(rules: Sequence[FrozenRule], *, now: datetime) -> list[Finding]:
    """Findings on the rules as one book, in its order; a rule that was never saved has the key 0."""
    snapshot = current_snapshot().with_audiences_of(rules)
    linted = _linted(rules, snapshot, now=now)
    return [_finding(fault, rules) for fault in lint_sets(linted, _shop(rules, snapshot, now=now))]


def _linted(rules: Sequence[FrozenRule], snapshot: Snapshot, *, now: datetime) -> list[Linted]:
    served = [ServedRule.of(rule) for rule in rules]
    wanted = [conditions for rule in served for conditions in (rule.items, rule.context)]
    lookup = snapshot.rules.lookup.holding(wanted)
    groups: dict[CapPer, IntArray | None] = {per: groups_of(snapshot.stock, per) for per in CapPer}
    people = _people([rule.customer for rule in served if rule.customer is not None], snapshot)
    return [
        Linted(
            action=rule.action,
            when=When(
                placement=rule.placement,
                segment=people.get(rule.customer or 0, NOBODY)[0] if rule.segment is None else rule.segment,
                audiences=_audiences_of(rule) | people.get(rule.customer or 0, NOBODY)[1],
                customer=rule.customer,
                context=lookup.met(rule.context, now=now) if rule.context else None,
                starts=rule.starts,
                ends=rule.ends,
            ),
            items=lookup.met(rule.items, now=now),
            slot=rule.slot,
            strength=rule.strength,
            most=rule.most,
            groups=groups[rule.per] if rule.action is RuleAction.CAP else None,
            share=rule.share,
        )
        for rule in served
    ]


def _shop(rules: Sequence[FrozenRule], snapshot: Snapshot, *, now: datetime) -> LintedShop:
    numbers = np.empty(0, np.int32) if snapshot.model is None else snapshot.model.segments
    sizes = np.bincount(numbers[numbers >= 0])
    return LintedShop(
        now=now.timestamp(),
        sellable=snapshot.sellable(now),
        slots={name: placement.n for name, placement in snapshot.placements.items()},
        segments={number: int(size) for number, size in enumerate(sizes) if size},
        audiences={key: len(members) for key, members in snapshot.audiences.members.items()},
        customers=_people([rule["customer"] for rule in rules if rule["customer"] is not None], snapshot),
        shown={name: asked_length(placement) for name, placement in snapshot.placements.items()},
        pages=[frozenset(slot.placement for slot in slots) for slots in snapshot.pages.values()],
    )


def _audiences_of(rule: ServedRule) -> frozenset[int]:
    return frozenset() if rule.audience is None else frozenset([rule.audience])


def _people(customers: Sequence[int], snapshot: Snapshot) -> dict[int, tuple[int, frozenset[int]]]:
    """Segment number (−1 = none) and audiences of the customers who exist."""
    if not customers:
        return {}
    people = {}
    for key in Customer.objects.filter(pk__in=customers).values_list("pk", flat=True):
        row = snapshot.row_of(key)
        segment = int(snapshot.model.segments[row]) if snapshot.model is not None and row >= 0 else -1
        people[key] = segment, frozenset(snapshot.audiences.of(key))
    return people


def _finding(fault: RuleFault, rules: Sequence[FrozenRule]) -> Finding:
    code, severity = _KINDS[fault.fault]
    return Finding(
        code=code,
        severity=severity,
        rules=tuple(rules[place]["id"] for place in fault.rules),
        fault=fault,
        names=tuple(rules[place]["name"] for place in fault.rules),
        placement=rules[fault.subject]["placement"] or "",
    )


_KINDS: Mapping[FaultKind, tuple[FindingCode, Severity]] = {
    FaultKind.EXPIRED: (FindingCode.EXPIRED, Severity.WARNING),
    FaultKind.PLACEMENT_OFF: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.NOBODY: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.NO_CONTEXT: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.MATCHES_NOTHING: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.NOT_FOR_SALE: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.BEYOND_SLATE: (FindingCode.NEVER_FIRES, Severity.ERROR),
    FaultKind.BEYOND_SHOWN: (FindingCode.NEVER_FIRES, Severity.WARNING),  # a client may ask for more
    FaultKind.LOOSE_CAP: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.ALL_INCLUDED: (FindingCode.NEVER_FIRES, Severity.WARNING),
    FaultKind.PIN_BARRED: (FindingCode.CONTRADICTION, Severity.ERROR),
    FaultKind.PIN_PARTLY_BARRED: (FindingCode.CONTRADICTION, Severity.WARNING),
    FaultKind.SHARE_BARRED: (FindingCode.CONTRADICTION, Severity.ERROR),
    FaultKind.INCLUSIONS_APART: (FindingCode.CONTRADICTION, Severity.ERROR),
    FaultKind.INCLUDED_EXCLUDED: (FindingCode.CONTRADICTION, Severity.ERROR),
    FaultKind.BOOST_AND_BURY: (FindingCode.CONTRADICTION, Severity.WARNING),
    FaultKind.SHADOWED: (FindingCode.SHADOWED, Severity.WARNING),
    FaultKind.TWO_PINS: (FindingCode.TWO_PINS, Severity.ERROR),
    FaultKind.TWO_PINS_PARTLY: (FindingCode.TWO_PINS, Severity.WARNING),
    FaultKind.PINNED_TWICE: (FindingCode.SHADOWED, Severity.WARNING),
    FaultKind.NOTHING_LEFT: (FindingCode.EMPTIES, Severity.ERROR),
    FaultKind.TOO_FEW_LEFT: (FindingCode.EMPTIES, Severity.WARNING),
    FaultKind.ZERO_CAP: (FindingCode.CAP, Severity.ERROR),
    FaultKind.TIGHT_CAP: (FindingCode.CAP, Severity.WARNING),
    FaultKind.SHARES_ABOVE_ONE: (FindingCode.SHARES, Severity.ERROR),
    FaultKind.SHARE_BEYOND_CAP: (FindingCode.SHARES, Severity.ERROR),
    FaultKind.SHARE_BEYOND_ITEMS: (FindingCode.SHARES, Severity.WARNING),
}
