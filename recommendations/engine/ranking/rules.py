"""Rules of merchandising as they apply to one answer (``maths.md`` §5).

They act by kind, whatever their order in the book: exclude → include only → pin → boost → cap and minimum share (both
while the slots are filled, with diversity). Among rules of a kind the earlier one wins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.terms import RuleAction

STRONGEST = 100
"""A boost of this strength adds one ``unit``."""

HIGH, MIDDLE = 0.95, 0.5
WHOLE = 1e-9
"""A share of the slots that misses a whole number by less is that number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """A rule: items that it matches and what it does with them; the fields after ``items`` belong to one kind each."""

    key: int  # primary key of the rule in the record
    action: RuleAction
    items: BoolArray  # by item row
    slot: int = 0  # PIN: 1 = first
    strength: int = 0  # BOOST: −100 … 100, in hundredths of ``unit``
    most: int = 0  # CAP: of each group at most so many among the items shown
    groups: IntArray | None = None  # CAP: code of brand or category by item row, −1 = of none; None: all are one group
    share: float = 0.0  # MINIMUM_SHARE: of the slots


def of_kind(rules: Iterable[Rule], action: RuleAction) -> list[Rule]:
    return [rule for rule in rules if rule.action is action]


def left_in(items: IntArray, eligible: BoolArray, rules: Sequence[Rule]) -> tuple[BoolArray, dict[int, int]]:
    """Apply excluding and including rules: which items they leave, and how many each of them took out, by key."""
    took: dict[int, int] = {}
    before = int(np.count_nonzero(eligible))
    for action in (RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY):
        for rule in of_kind(rules, action):
            matched = rule.items[items]
            eligible = eligible & (matched if action is RuleAction.INCLUDE_ONLY else ~matched)
            left = int(np.count_nonzero(eligible))
            took[rule.key], before = before - left, left
    return eligible, took


def unit(scores: FloatArray) -> float:
    """p95 − p50 of the scores of the eligible pool, what a boost of 100 adds; 0 without any. Linear interpolation."""
    if not len(scores):
        return 0.0
    ordered = np.sort(scores).astype(np.float64)
    return _quantile(ordered, HIGH) - _quantile(ordered, MIDDLE)


def boosts(items: IntArray, rules: Iterable[Rule], *, unit: float) -> Mapping[int, NDArray[np.float64]]:
    """Score that each boost adds to each of the items, by key; a rule that matches none of them is left out."""
    added = {}
    for rule in of_kind(rules, RuleAction.BOOST):
        matched = rule.items[items]
        if rule.strength and matched.any():
            added[rule.key] = np.multiply(matched, rule.strength / STRONGEST * unit, dtype=np.float64)
    return added


def slots_of(rule: Rule, n: int) -> int:
    """Number of n slots that the rule's minimum share is."""
    return int(np.ceil(rule.share * n - WHOLE))


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (at - below) * (ordered[above] - ordered[below]))
