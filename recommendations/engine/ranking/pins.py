"""Pins: which candidates are pinned, and in which slots."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.rules import Rule


class Pin(NamedTuple):
    candidate: int  # position among the candidates; from their number on: among what comes from outside
    rule: Rule


class Pins(NamedTuple):
    slots: Mapping[int, Pin]  # 0 = first
    outside: Sequence[int]  # item rows that are pinned without being candidates


def may_lack(rules: Sequence[Rule], items: IntArray, scores: FloatArray) -> list[Rule]:
    """The pins whose candidates may all be pinned already; ``scores`` are −inf where a candidate may not be shown."""
    open_ = scores > -np.inf
    return [rule for number, rule in enumerate(rules) if np.count_nonzero(rule.items[items] & open_) <= number]


def pinned(rules: Sequence[Rule], items: IntArray, scores: FloatArray, *, others: IntArray, n: int) -> Pins:
    """Place the pins: the earlier one has its own slot, a later one the next that is free; beyond slot n there is none.

    Of items that a pin matches the best candidate is shown; without a candidate, the first of ``others``, rows of
    items that may be shown and are no candidates.
    """
    slots: dict[int, Pin] = {}
    outside: list[int] = []
    for rule in rules:
        slot = next((slot for slot in range(rule.slot - 1, n) if slot not in slots), None)
        if slot is None:
            continue
        free = np.where(rule.items[items], scores, -np.inf)
        free[[pin.candidate for pin in slots.values() if pin.candidate < len(items)]] = -np.inf
        best = int(np.argmax(free)) if len(free) else 0
        if len(free) and free[best] > -np.inf:
            slots[slot] = Pin(best, rule)
            continue
        row = next((row for row in others[rule.items[others]].tolist() if row not in outside), None)
        if row is not None:
            slots[slot] = Pin(len(items) + len(outside), rule)
            outside.append(row)
    return Pins(slots, outside)
