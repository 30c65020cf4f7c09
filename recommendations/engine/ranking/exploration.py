"""Exploration: some answers are shown otherwise than ranked, by chances that are exact, so that there is more to learn.

With chance σ the neighbours in an answer change places (``Way.SHUFFLED``): its places are cut into blocks of five at an
offset that is drawn evenly, and each block is shuffled. Else each of the last two slots shows, with chance ε, an item
from further down (``Way.CARDS``). Slots that rules have fixed stay. The chance that an item stands in a slot depends on
its place in the ranking alone, so it is the same for everybody and needs no simulation.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray
from recommendations.terms import Way

EXPLORED_SLOTS = 2
EXPLORED_FROM = 20
"""How many items after the last slot exploration picks from."""

BLOCK = 5
"""How many neighbouring places are shuffled among themselves; BLOCK − 1 items after the last slot may come in."""

type Places = NDArray[np.int64]
type Chances = NDArray[np.float64]


class Explored(NamedTuple):
    """The ranking as it is shown, and how likely that was."""

    chosen: Places  # [shown]: the place in the ranking of what each slot shows
    propensity: Chances  # [shown]: chance over all draws that this item stands in this slot
    way: Way


def explored(
    fixed: BoolArray,
    *,
    n: int,
    cards: float,
    shuffled: float,
    draw: np.random.Generator | None,
    slots: int = EXPLORED_SLOTS,
) -> Explored:
    """Draw the place of the ranking that each of the n slots shows.

    ``fixed`` [ranked] are places that rules hold, of which those of the n slots stay; ``shuffled`` is σ and ``cards``
    ε. The first number drawn decides whether the answer is shuffled. Nothing is explored where fewer than two places
    are open.
    """
    length = min(n, len(fixed))
    own = np.arange(length)
    held = tuple(np.flatnonzero(fixed[:length]).tolist()) if shuffled or cards else ()
    layout = _layout(length, len(fixed), held, slots)
    if not (shuffled or cards) or not layout.explorable:
        return Explored(own, np.ones(length), Way.AS_RANKED)
    if draw is None:
        raise ValueError("exploration needs a generator to draw from")
    if draw.random() < shuffled:
        chosen, way = _shuffled(layout, own, draw), Way.SHUFFLED
    else:
        chosen, way = _dealt(layout, own, chance=cards, draw=draw)
    table = chances(n, held, shuffled=shuffled, cards=cards, ranked=len(fixed), slots=slots)
    return Explored(chosen, table[chosen, own], way)


def may_explore(draw: np.random.Generator, *, shuffled: float, cards: float) -> bool:
    """Whether an answer may be shown otherwise than ranked; if not, ``explored`` with the same draw shows it so."""
    drawn = draw.random(1 + EXPLORED_SLOTS)
    return bool(drawn[0] < shuffled or (drawn[1:] < cards).any())


@lru_cache(maxsize=256)
def chances(
    n: int,
    fixed: tuple[int, ...] = (),
    *,
    shuffled: float,
    cards: float,
    ranked: int | None = None,
    slots: int = EXPLORED_SLOTS,
) -> Chances:
    """Chances that the item at each place of a ranking stands in each slot [ranked, shown]; read-only.

    π(i → k) = (1 − σ) cards(i, k) + σ · mean over the offsets of 1[same block] / size of the block, with σ =
    ``shuffled`` and ε = ``cards``. ``fixed`` are the slots that rules hold; ``ranked`` is the length of the ranking,
    without which it is as long as exploration picks from. Every slot's column adds up to 1.
    """
    ranked = n + EXPLORED_FROM if ranked is None else ranked
    layout = _layout(min(n, ranked), ranked, fixed, slots)
    table = np.eye(ranked, min(n, ranked))
    if layout.explorable:
        table = (1 - shuffled) * _of_cards(layout, table, chance=cards) + shuffled * _of_blocks(layout, table)
    table.setflags(write=False)
    return table


class _Layout(NamedTuple):
    """What may move in a ranking: places that are shuffled, and the last open slots with their cards."""

    places: Places  # the slots that rules do not hold, and the next BLOCK − 1 places
    slots: Places  # those of them that are slots
    hands: tuple[tuple[int, Places], ...]  # slot, and the places behind the last slot that are dealt to it

    @property
    def explorable(self) -> bool:
        return len(self.places) > 1 and len(self.slots) > 0


@lru_cache(maxsize=256)
def _layout(length: int, ranked: int, held: tuple[int, ...], slots: int) -> _Layout:
    open_ = np.setdiff1d(np.arange(length), held)
    further = np.arange(length, min(length + BLOCK - 1, ranked))
    slots = min(slots, len(open_))
    last = open_[len(open_) - slots :].tolist()
    hands = [(slot, np.arange(length + number, ranked, slots)) for number, slot in enumerate(last)]
    return _Layout(
        places=np.concatenate([open_, further]), slots=open_, hands=tuple(hand for hand in hands if len(hand[1]))
    )


def _blocks(count: int, offset: int) -> Places:
    """Number of the block of each of ``count`` open places; a new block begins at the offset and every BLOCK places."""
    return (np.arange(count) + BLOCK - offset) // BLOCK


def _shuffled(layout: _Layout, own: Places, draw: np.random.Generator) -> Places:
    """Shuffle the open places in blocks, the first cut by an offset that is drawn."""
    blocks = _blocks(len(layout.places), int(draw.integers(BLOCK)))
    order = np.lexsort((draw.random(len(layout.places)), blocks))
    chosen = own.copy()
    chosen[layout.slots] = layout.places[order[: len(layout.slots)]]
    return chosen


def _dealt(layout: _Layout, own: Places, *, chance: float, draw: np.random.Generator) -> tuple[Places, Way]:
    """Draw for each of the last open slots, on its own, whether it shows one of its cards."""
    chosen, way = own.copy(), Way.AS_RANKED
    for slot, hand in layout.hands:
        if draw.random() < chance:
            chosen[slot], way = hand[draw.integers(len(hand))], Way.CARDS
    return chosen, way


def _of_cards(layout: _Layout, plain: Chances, *, chance: float) -> Chances:
    """Chances where nothing is shuffled: a slot shows its own item with 1 − ε, one of its g cards with ε / g each."""
    table = plain.copy()
    for slot, hand in layout.hands:
        table[slot, slot] = 1 - chance
        table[hand, slot] = chance / len(hand)
    return table


def _of_blocks(layout: _Layout, plain: Chances) -> Chances:
    """Chances where all is shuffled: the mean over the offsets of 1 / size for places of one block."""
    table = plain.copy()
    mixed = np.zeros((len(layout.places), len(layout.slots)))
    for offset in range(BLOCK):
        blocks = _blocks(len(layout.places), offset)
        together = blocks[:, None] == blocks[None, : len(layout.slots)]
        mixed += together / together.sum(axis=0) / BLOCK
    table[np.ix_(layout.places, layout.slots)] = mixed
    return table
