"""From one customer's candidates to what is shown: eligibility, diversity, exploration, and a trace of each step.

One pure function, so that preview is the real thing (``maths.md`` §5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.diversity import Likeness, Spread, spread
from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.scores import Standardised, blend, contributions, promoted
from recommendations.terms import Repeat

EXPLORED_SLOTS = 2
EXPLORED_FROM = 20
"""How many items after the last slot exploration picks from."""

NOTHING: IntArray = np.empty(0, np.int32)


class Lost(StrEnum):
    """Why a candidate may not be shown; it counts under the first reason that applies."""

    UNSELLABLE = "unsellable"  # out of stock, retired, not yet or no longer available
    EXCLUDED = "excluded"  # by the request, by the customer's dislike, or because it is the context itself
    FILTERED = "filtered"  # outside the filter of the request
    BOUGHT = "bought"  # the placement shows only what is new to the customer
    NOT_BOUGHT = "not_bought"  # the placement shows only what the customer knows
    RESTING = "resting"  # bought so lately that it is not due again
    RULED_OUT = "ruled_out"  # by a rule that excludes it, or that includes only others


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The shop at the moment of the answer, by item row."""

    sellable: BoolArray
    likeness: Likeness
    lift: FloatArray | None = None  # what the promotion plan makes of demand, 1 = as usual; None: no plan


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for. Arrays of item rows ascend."""

    n: int
    repeat: Repeat = Repeat.ALLOW
    promotion: float = 0.0  # exponent of the lift; 0 = the plan does not count
    diversity: float = 0.0  # 0 = by score alone … 1 = by unlikeness alone
    exploration: float = 0.0  # chance that one of the last slots shows something from further down
    explored_slots: int = EXPLORED_SLOTS
    bought: IntArray = field(default_factory=lambda: NOTHING)
    resting: IntArray = field(default_factory=lambda: NOTHING)
    excluded: IntArray = field(default_factory=lambda: NOTHING)
    allowed: BoolArray | None = None  # by item row: the filter of the request
    rules: tuple[Rule, ...] = ()  # that apply, in the order of the book


@dataclass(frozen=True, kw_only=True)
class Trace:
    """How many candidates each step left."""

    candidates: int
    eligible: int
    lost: Mapping[Lost, int]  # candidates − eligible, by reason
    diversified: int  # how many of those shown are there thanks to diversity
    explored: int  # how many of those shown were drawn
    shown: int
    ruled: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is shown, in order."""

    items: IntArray  # [shown] item rows
    score: NDArray[np.float64]  # [shown]: the sum of the contributions and the promotion
    final: FloatArray  # [shown]: score after diversity, at the item's turn
    contributions: NDArray[np.float64]  # [instances, shown]
    promotion: NDArray[np.float64]  # [shown]: what the promotion plan adds
    propensity: NDArray[np.float64]  # [shown]: chance that this item stood in this slot
    trace: Trace
    diversity: NDArray[np.float64]  # [shown]: final − score − Σ boosts
    boosts: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)  # key of the rule → [shown]
    touched: Mapping[int, BoolArray] = field(default_factory=dict)  # key of the rule → [shown]: did it act on the item?


def select(
    items: IntArray,
    z: Standardised,
    weights: FloatArray,
    *,
    shelf: Shelf,
    wish: Wish,
    draw: np.random.Generator | None = None,
) -> Selection:
    """``items`` [candidates] with −1 after the last, ``z`` [instances, candidates], ``weights`` [instances].

    ``draw`` is needed where the wish explores.
    """
    count = int(np.count_nonzero(items >= 0))
    items, z = items[:count], z[:, :count]
    eligible, lost = eligibility(items, shelf=shelf, wish=wish)
    blended = blend(z, weights)
    if shelf.lift is not None and wish.promotion:
        blended += promoted(blended, shelf.lift[items], wish.promotion)
    scores = np.where(eligible, blended, -np.inf).astype(np.float32)
    further = EXPLORED_FROM if wish.exploration > 0 else 0
    order = _order(scores, items, shelf=shelf, diversity=wish.diversity, n=wish.n + further)
    chosen, propensity = _explored(len(order.positions), wish=wish, draw=draw)
    positions = order.positions[chosen]
    parts = contributions(z[:, positions], weights)
    added = np.zeros(len(positions))
    if shelf.lift is not None and wish.promotion:
        added = promoted(parts.sum(axis=0), shelf.lift[items[positions]], wish.promotion)
    by_score = scores >= np.sort(scores[eligible])[::-1][len(chosen) - 1] if len(chosen) else eligible
    return Selection(
        items=items[positions],
        score=parts.sum(axis=0) + added,
        final=order.finals[chosen],
        contributions=parts,
        promotion=added,
        propensity=propensity,
        diversity=order.finals[chosen] - (parts.sum(axis=0) + added),
        trace=Trace(
            candidates=count,
            eligible=int(np.count_nonzero(eligible)),
            lost=lost,
            diversified=int(np.count_nonzero(~by_score[order.positions[: len(chosen)]])),
            explored=int(np.count_nonzero(chosen >= wish.n)),
            shown=len(chosen),
        ),
    )


def eligibility(items: IntArray, *, shelf: Shelf, wish: Wish) -> tuple[BoolArray, dict[Lost, int]]:
    """Which candidates may be shown, and how many fell for each reason."""
    eligible = np.ones(len(items), np.bool_)
    lost: dict[Lost, int] = {}
    for reason, barred in _bars(items, shelf=shelf, wish=wish):
        fell = int(np.count_nonzero(eligible & barred))
        if fell:
            lost[reason] = fell
            eligible &= ~barred
    return eligible, lost


def _bars(items: IntArray, *, shelf: Shelf, wish: Wish) -> list[tuple[Lost, BoolArray]]:
    bars = [(Lost.UNSELLABLE, ~shelf.sellable[items])]
    if len(wish.excluded):
        bars.append((Lost.EXCLUDED, among(items, wish.excluded)))
    if wish.allowed is not None:
        bars.append((Lost.FILTERED, ~wish.allowed[items]))
    match wish.repeat:
        case Repeat.EXCLUDE:
            bars.append((Lost.BOUGHT, among(items, wish.bought)))
        case Repeat.ONLY:
            bars.append((Lost.NOT_BOUGHT, ~among(items, wish.bought)))
    if wish.repeat is not Repeat.EXCLUDE and len(wish.resting):
        bars.append((Lost.RESTING, among(items, wish.resting)))
    return bars


def among(items: IntArray, rows: IntArray) -> BoolArray:
    """Whether each item is one of the rows, which ascend."""
    if not len(rows):
        return np.zeros(len(items), np.bool_)
    at = np.minimum(np.searchsorted(rows, items), len(rows) - 1)
    return np.asarray(rows[at] == items)


def _order(scores: FloatArray, items: IntArray, *, shelf: Shelf, diversity: float, n: int) -> Spread:
    """The best n eligible positions with their finals, both [≤ n]."""
    found = spread(scores[None, :], items[None, :], likeness=shelf.likeness, diversity=diversity, n=n)
    known = found.positions[0] >= 0
    return Spread(found.positions[0][known], found.finals[0][known])


def _explored(
    n_ranked: int, *, wish: Wish, draw: np.random.Generator | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which place of the ranking each slot shows, and the chance that it did.

    The items after the last slot are dealt out to the last slots like cards, so that the slots draw independently: a
    slot shows its own item with 1 − ε, or one of its g cards with ε / g each. A slot without cards is not explored.
    """
    shown = min(wish.n, n_ranked)
    chosen, propensity = np.arange(shown), np.ones(shown)
    slots = min(wish.explored_slots, shown)
    if not wish.exploration or not slots:
        return chosen, propensity
    if draw is None:
        raise ValueError("exploration needs a generator to draw from")
    for number, slot in enumerate(range(shown - slots, shown)):
        cards = np.arange(shown + number, n_ranked, slots)
        if not len(cards):
            continue
        if draw.random() < wish.exploration:
            chosen[slot] = cards[draw.integers(len(cards))]
            propensity[slot] = wish.exploration / len(cards)
        else:
            propensity[slot] = 1 - wish.exploration
    return chosen, propensity
