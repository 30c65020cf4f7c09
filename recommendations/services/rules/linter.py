"""Linter of books of rules, before they are served: every finding names the rules and the remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.linting.book import FaultKind, Linted, LintedShop, RuleFault
from recommendations.engine.ranking.linting.lint import lint as lint_sets
from recommendations.engine.ranking.linting.when import When
from recommendations.models import Customer
from recommendations.store.rules.conditions import FrozenRule
from recommendations.store.serving.served_rules import ServedRule, groups_of
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import CapPer, RuleAction


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


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A fault in words: ``text`` with the remedy, in the active language; ``rules`` are keys, in the book's order."""

    code: FindingCode
    severity: Severity
    rules: tuple[int, ...]
    text: str


class _Words(NamedTuple):
    code: FindingCode
    severity: Severity
    text: Promise


def lint(rules: Sequence[FrozenRule], *, now: datetime) -> list[Finding]:
    """Findings on the rules as one book, in its order; a rule that was never saved has the key 0."""
    snapshot = current_snapshot()
    linted = _linted(rules, snapshot, now=now)
    return [_finding(fault, rules) for fault in lint_sets(linted, _shop(rules, snapshot, now=now))]


def _linted(rules: Sequence[FrozenRule], snapshot: Snapshot, *, now: datetime) -> list[Linted]:
    served = [ServedRule.of(rule) for rule in rules]
    wanted = [conditions for rule in served for conditions in (rule.items, rule.context)]
    lookup = snapshot.rules.lookup.holding(wanted)
    groups: dict[CapPer, IntArray | None] = {per: groups_of(snapshot.stock, per) for per in CapPer}
    segments = _segments_of([rule.customer for rule in served if rule.customer is not None], snapshot)
    return [
        Linted(
            action=rule.action,
            when=When(
                placement=rule.placement,
                segment=segments.get(rule.customer or 0) if rule.segment is None else rule.segment,
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
        customers=_segments_of([rule["customer"] for rule in rules if rule["customer"] is not None], snapshot),
    )


def _segments_of(customers: Sequence[int], snapshot: Snapshot) -> dict[int, int]:
    """Segment number of the customers who exist; −1 = in none."""
    if not customers:
        return {}
    segments = dict.fromkeys(Customer.objects.filter(pk__in=customers).values_list("pk", flat=True), -1)
    if snapshot.model is not None:
        for key in segments:
            row = snapshot.model.users.row(key)
            segments[key] = int(snapshot.model.segments[row]) if row >= 0 else -1
    return segments


def _finding(found: RuleFault, rules: Sequence[FrozenRule]) -> Finding:
    words = _WORDS[found.fault]
    quoted = {place: str(_("“%(name)s”") % {"name": rules[place]["name"]}) for place in found.rules}
    subject = rules[found.subject]
    facts = {
        "rule": quoted[found.subject],
        "others": _listed([name for place, name in quoted.items() if place != found.subject]),
        "rules": _listed(list(quoted.values())),
        "placement": subject["placement"] or "",
        **found.numbers,
    }
    return Finding(
        code=words.code,
        severity=words.severity,
        rules=tuple(rules[place]["id"] for place in found.rules),
        text=str(words.text) % facts,
    )


def _listed(names: Sequence[str]) -> str:
    """Join names: one; one and another; one, another and a third."""
    if len(names) < 2:
        return "".join(names)
    return str(_("%(others)s and %(last)s")) % {
        "others": str(pgettext_lazy("between names", ", ")).join(names[:-1]),
        "last": names[-1],
    }


_WORDS: Mapping[FaultKind, _Words] = {
    FaultKind.EXPIRED: _Words(
        FindingCode.EXPIRED, Severity.WARNING, _("%(rule)s has expired: give it a later end, or withdraw it.")
    ),
    FaultKind.PLACEMENT_OFF: _Words(
        FindingCode.NEVER_FIRES,
        Severity.WARNING,
        _("%(rule)s is for the placement %(placement)s, which does not answer: switch it on, or choose another."),
    ),
    FaultKind.NOBODY: _Words(
        FindingCode.NEVER_FIRES,
        Severity.WARNING,
        _("%(rule)s is for nobody: choose a segment that has customers, or a customer of that segment."),
    ),
    FaultKind.NO_CONTEXT: _Words(
        FindingCode.NEVER_FIRES,
        Severity.WARNING,
        _("%(rule)s waits for an item in view that the shop does not have: change the conditions of its context."),
    ),
    FaultKind.MATCHES_NOTHING: _Words(
        FindingCode.NEVER_FIRES, Severity.WARNING, _("%(rule)s matches no item: change its conditions.")
    ),
    FaultKind.NOT_FOR_SALE: _Words(
        FindingCode.NEVER_FIRES,
        Severity.WARNING,
        _("None of the items of %(rule)s is for sale: it does nothing until one is."),
    ),
    FaultKind.BEYOND_SLATE: _Words(
        FindingCode.NEVER_FIRES,
        Severity.ERROR,
        _("%(rule)s pins to slot %(slot)d, and the slate has only %(slots)d: choose a lower slot."),
    ),
    FaultKind.LOOSE_CAP: _Words(
        FindingCode.NEVER_FIRES,
        Severity.WARNING,
        _("%(rule)s allows %(most)d items, and the slate has only %(slots)d slots: choose a smaller number."),
    ),
    FaultKind.ALL_INCLUDED: _Words(
        FindingCode.NEVER_FIRES,
        Severity.WARNING,
        _("%(rule)s includes every item that is for sale, so it changes nothing: narrow its conditions."),
    ),
    FaultKind.PIN_BARRED: _Words(
        FindingCode.CONTRADICTION,
        Severity.ERROR,
        _("What %(rule)s pins is kept out because of %(others)s: change one of them."),
    ),
    FaultKind.PIN_PARTLY_BARRED: _Words(
        FindingCode.CONTRADICTION,
        Severity.WARNING,
        _("Where both apply, what %(rule)s pins is kept out because of %(others)s: let them apply apart."),
    ),
    FaultKind.SHARE_BARRED: _Words(
        FindingCode.CONTRADICTION,
        Severity.ERROR,
        _("What %(rule)s wants a share of is kept out because of %(others)s: change one of them."),
    ),
    FaultKind.INCLUSIONS_APART: _Words(
        FindingCode.CONTRADICTION,
        Severity.ERROR,
        _("No item is in all of %(rules)s, so nothing may be shown: widen one of them, or let them apply apart."),
    ),
    FaultKind.INCLUDED_EXCLUDED: _Words(
        FindingCode.CONTRADICTION,
        Severity.ERROR,
        _("All that is included is excluded by %(rules)s, so nothing may be shown: change one of them."),
    ),
    FaultKind.BOOST_AND_BURY: _Words(
        FindingCode.CONTRADICTION,
        Severity.WARNING,
        _("%(rules)s boost and bury the same items, together by %(strength)d: keep one of them."),
    ),
    FaultKind.SHADOWED: _Words(
        FindingCode.SHADOWED,
        Severity.WARNING,
        _("%(rule)s has no effect because of %(others)s: remove it, or let them apply apart."),
    ),
    FaultKind.TWO_PINS: _Words(
        FindingCode.TWO_PINS,
        Severity.ERROR,
        _("%(rule)s pins to slot %(slot)d, which %(others)s fills already: choose another slot."),
    ),
    FaultKind.TWO_PINS_PARTLY: _Words(
        FindingCode.TWO_PINS,
        Severity.WARNING,
        _("Where both apply, %(others)s fills slot %(slot)d before %(rule)s: choose another slot."),
    ),
    FaultKind.NOTHING_LEFT: _Words(
        FindingCode.EMPTIES,
        Severity.ERROR,
        _("%(rules)s leave nothing to show: exclude less, or include more."),
    ),
    FaultKind.TOO_FEW_LEFT: _Words(
        FindingCode.EMPTIES,
        Severity.WARNING,
        _("%(rules)s leave %(left)d items for %(slots)d slots: exclude less, or include more."),
    ),
    FaultKind.ZERO_CAP: _Words(
        FindingCode.CAP, Severity.ERROR, _("%(rule)s allows 0 items: to show none of them, exclude them.")
    ),
    FaultKind.TIGHT_CAP: _Words(
        FindingCode.CAP,
        Severity.WARNING,
        _("%(rule)s can fill only %(left)d of %(slots)d slots: allow more, or cap fewer items."),
    ),
    FaultKind.SHARES_ABOVE_ONE: _Words(
        FindingCode.SHARES,
        Severity.ERROR,
        _("The least shares of %(rules)s add up to %(percent)d %% of the slots: lower them to 100 %% or less."),
    ),
    FaultKind.SHARE_BEYOND_CAP: _Words(
        FindingCode.SHARES,
        Severity.ERROR,
        _("%(rule)s needs %(needed)d slots, which %(others)s does not allow: raise the cap, or lower the share."),
    ),
    FaultKind.SHARE_BEYOND_ITEMS: _Words(
        FindingCode.SHARES,
        Severity.WARNING,
        _("%(rule)s needs %(needed)d items and has %(left)d: lower the share, or match more items."),
    ),
}
