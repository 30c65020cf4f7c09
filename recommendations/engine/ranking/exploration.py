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
    places = _open_places(fixed, length)
    if not (shuffled or cards) or len(places) < 2 or fixed[:length].all():
        return Explored(own, np.ones(length), Way.AS_RANKED)
    if draw is None:
        raise ValueError("exploration needs a generator to draw from")
    if draw.random() < shuffled:
        chosen, way = _shuffled(places, length, draw), Way.SHUFFLED
    else:
        chosen = _dealt(fixed, length, slots=slots, chance=cards, draw=draw)
        way = Way.AS_RANKED if np.array_equal(chosen, own) else Way.CARDS
    held = tuple(np.flatnonzero(fixed[:length]).tolist())
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
    length = min(n, ranked)
    held = np.zeros(ranked, np.bool_)
    held[list(fixed)] = True
    places = _open_places(held, length)
    table = np.eye(ranked, length)
    if len(places) >= 2:
        table = (1 - shuffled) * _of_cards(held, length, slots=slots, chance=cards)
        table += shuffled * _of_blocks(held, length, places)
    table.setflags(write=False)
    return table


def _open_places(fixed: BoolArray, length: int) -> Places:
    """Places that are shuffled: the slots that rules do not hold, and the next BLOCK − 1 places."""
    further = np.arange(length, min(length + BLOCK - 1, len(fixed)))
    return np.concatenate([np.flatnonzero(~fixed[:length]), further])


def _blocks(count: int, offset: int) -> Places:
    """Number of the block of each of ``count`` open places; a new block begins at the offset and every BLOCK places."""
    return (np.arange(count) + BLOCK - offset) // BLOCK


def _shuffled(places: Places, length: int, draw: np.random.Generator) -> Places:
    blocks = _blocks(len(places), int(draw.integers(BLOCK)))
    order = np.lexsort((draw.random(len(places)), blocks))
    chosen = np.arange(length)
    slots = places[places < length]
    chosen[slots] = places[order[: len(slots)]]
    return chosen


def _hands(fixed: BoolArray, length: int, slots: int) -> list[tuple[int, Places]]:
    """The last open slots, each with the places after the last slot that are dealt to it, like cards."""
    open_ = np.flatnonzero(~fixed[:length])
    slots = min(slots, len(open_))
    last = open_[len(open_) - slots :].tolist()
    hands = [(slot, np.arange(length + number, len(fixed), slots)) for number, slot in enumerate(last)]
    return [(slot, hand) for slot, hand in hands if len(hand)]


def _dealt(fixed: BoolArray, length: int, *, slots: int, chance: float, draw: np.random.Generator) -> Places:
    """Draw for each of the last open slots, on its own, whether it shows one of its cards."""
    chosen = np.arange(length)
    for slot, hand in _hands(fixed, length, slots):
        if draw.random() < chance:
            chosen[slot] = hand[draw.integers(len(hand))]
    return chosen


def _of_cards(fixed: BoolArray, length: int, *, slots: int, chance: float) -> Chances:
    """Chances where nothing is shuffled: a slot shows its own item with 1 − ε, one of its g cards with ε / g each."""
    table = np.eye(len(fixed), length)
    for slot, hand in _hands(fixed, length, slots):
        table[slot, slot] = 1 - chance
        table[hand, slot] = chance / len(hand)
    return table


def _of_blocks(fixed: BoolArray, length: int, places: Places) -> Chances:
    """Chances where all is shuffled: the mean over the offsets of 1 / size for places of one block."""
    table = np.zeros((len(fixed), length))
    held = np.flatnonzero(fixed[:length])
    table[held, held] = 1.0
    open_slots = int(np.count_nonzero(places < length))
    for offset in range(BLOCK):
        blocks = _blocks(len(places), offset)
        together = blocks[:, None] == blocks[None, :open_slots]
        table[np.ix_(places, places[:open_slots])] += together / together.sum(axis=0) / BLOCK
    return table
