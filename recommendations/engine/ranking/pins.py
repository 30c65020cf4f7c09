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


def pinned(
    rules: Sequence[Rule],
    items: IntArray,
    scores: FloatArray,
    *,
    others: IntArray,
    n: int,
    families: IntArray | None = None,
) -> Pins:
    """Place the pins: the earlier one has its own slot, a later one the next that is free; beyond slot n there is none.

    Of items that a pin matches the best candidate is shown; without a candidate, the first of ``others``, rows of
    items that may be shown and are no candidates. With ``families`` (``variants``) a product is pinned once.
    """
    slots: dict[int, Pin] = {}
    outside: list[int] = []
    products: list[int] = []
    for rule in rules:
        slot = next((slot for slot in range(rule.slot - 1, n) if slot not in slots), None)
        if slot is None:
            continue
        free = np.where(rule.items[items], scores, -np.inf)
        free[[pin.candidate for pin in slots.values() if pin.candidate < len(items)]] = -np.inf
        matched = others[rule.items[others]]
        if families is not None:
            free[np.isin(families[items], products)] = -np.inf
            matched = matched[~np.isin(families[matched], products)]
        best = int(np.argmax(free)) if len(free) else 0
        if len(free) and free[best] > -np.inf:
            slots[slot] = Pin(best, rule)
            row = int(items[best])
        elif rows := [row for row in matched.tolist() if row not in outside]:
            slots[slot] = Pin(len(items) + len(outside), rule)
            row = rows[0]
            outside.append(row)
        else:
            continue
        if families is not None:
            products.append(int(families[row]))
    return Pins(slots, outside)
