"""Exploration: now and then one of the last slots shows an item from further down, so that there is more to learn."""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray

EXPLORED_SLOTS = 2
EXPLORED_FROM = 20
"""How many items after the last slot exploration picks from."""


def explored(
    fixed: BoolArray, *, n: int, slots: int, chance: float, draw: np.random.Generator | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw the place of the ranking that each of the n slots shows, and the chance that it did.

    The items after the last slot are dealt out to the last slots like cards, so that the slots draw independently: a
    slot shows its own item with 1 − ε, or one of its g cards with ε / g each. A slot without cards is not explored, nor
    is one that rules have ``fixed`` [ranked].
    """
    length = min(n, len(fixed))
    chosen, propensity = np.arange(length), np.ones(length)
    if not chance:
        return chosen, propensity
    open_ = np.flatnonzero(~fixed[:length])
    slots = min(slots, len(open_))
    if not slots:
        return chosen, propensity
    if draw is None:
        raise ValueError("exploration needs a generator to draw from")
    for number, slot in enumerate(open_[-slots:].tolist()):
        cards = np.arange(length + number, len(fixed), slots)
        if not len(cards):
            continue
        if draw.random() < chance:
            chosen[slot] = cards[draw.integers(len(cards))]
            propensity[slot] = chance / len(cards)
        else:
            propensity[slot] = 1 - chance
    return chosen, propensity


def may_explore(draw: np.random.Generator, chance: float) -> bool:
    """Whether a slot may be explored; if not, ``explored`` with the same draw shows every slot its own item."""
    return bool((draw.random(EXPLORED_SLOTS) < chance).any())
