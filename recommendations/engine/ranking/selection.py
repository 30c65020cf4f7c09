"""Selection of a slate from one customer's candidates: eligibility, diversity, exploration, and a trace of each step.

One pure function, so that preview is the real thing (``maths.md`` §5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.contenders import Contenders, with_boosts
from recommendations.engine.ranking.diversity import Likeness, spread
from recommendations.engine.ranking.exploration import EXPLORED_FROM, EXPLORED_SLOTS, explored
from recommendations.engine.ranking.fatigue import IgnoredItems
from recommendations.engine.ranking.pins import may_lack, pinned
from recommendations.engine.ranking.rules import Rule, left_in, of_kind, unit
from recommendations.engine.ranking.scores import Exponents, Lifts, Standardised, blend, contributions, lifted
from recommendations.engine.ranking.slots import SlotRows, placed
from recommendations.engine.ranking.variants import best_of_each
from recommendations.terms import Lift, Repeat, RuleAction, Way

OF_SLOTS = frozenset({RuleAction.PIN, RuleAction.CAP, RuleAction.MINIMUM_SHARE})
"""Actions that say which slot shows what; the other kinds act before the slots are filled."""

NOTHING: IntArray = np.empty(0, np.int32)


class IneligibleReason(StrEnum):
    """Why a candidate may not be shown; it counts under the first reason that applies."""

    UNSELLABLE = "unsellable"  # out of stock, retired, not yet or no longer available
    EXCLUDED = "excluded"  # by the request or a dislike, as the context itself, or for another slot of the page
    FILTERED = "filtered"  # outside the filter of the request
    BOUGHT = "bought"  # the placement shows only what is new to the customer
    NOT_BOUGHT = "not_bought"  # the placement shows only what the customer knows
    RESTING = "resting"  # bought so lately that it is not due again
    VARIANT = "variant"  # another variant of the product ranks higher, or is pinned
    RULED_OUT = "ruled_out"  # by a rule that excludes it, or that includes only others


@dataclass(frozen=True, kw_only=True)
class CatalogueState:
    """The shop at the moment of the answer, by item row."""

    sellable: BoolArray
    likeness: Likeness
    lifts: Lifts = field(default_factory=dict)
    families: IntArray | None = None  # which product an item is, where of each there is one tile


@dataclass(frozen=True, kw_only=True)
class SelectionParams:
    """Parameters of a selection. Arrays of item rows ascend."""

    n: int
    repeat: Repeat = Repeat.ALLOW
    exponents: Exponents = field(default_factory=dict)  # of the lifts
    diversity: float = 0.0  # 0 = by score alone … 1 = by unlikeness alone
    exploration: float = 0.0  # chance that neighbours in the answer change places
    cards: float = 0.0  # chance that one of the last slots shows something from further down, where they do not
    explored_slots: int = EXPLORED_SLOTS
    bought: IntArray = field(default_factory=lambda: NOTHING)
    resting: IntArray = field(default_factory=lambda: NOTHING)
    excluded: IntArray = field(default_factory=lambda: NOTHING)
    allowed: BoolArray | None = None  # by item row: the filter of the request
    ignored: IgnoredItems | None = None  # what the customer was shown and did not click, where that counts
    rules: tuple[Rule, ...] = ()  # that apply, in the order of the book


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Counts of the candidates that each step left."""

    candidates: int
    eligible: int
    lost: Mapping[IneligibleReason, int]  # candidates − eligible, by reason
    diversified: int  # how many of those shown are there thanks to diversity
    tired: int  # how many of the eligible go down because they were shown before and not clicked
    explored: int  # how many slots show another item than the ranking has there
    shown: int
    ruled: Mapping[int, int]  # key of the rule → candidates that it took out or held back, boosted, pinned, brought in


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The items that are shown, in order. Pins and caps move an item; they are no term of its final."""

    items: IntArray  # [shown] item rows
    slots: NDArray[np.int64]  # [shown], 0 = first; there is a gap only before a pin, when there is nothing else to show
    score: NDArray[np.float64]  # [shown]: the sum of the contributions and of what the lifts add
    final: NDArray[np.float64]  # [shown]: score + fatigue + boosts + diversity
    contributions: NDArray[np.float64]  # [instances, shown]
    lifted: Mapping[Lift, NDArray[np.float64]]  # [shown]: what each lift that counts adds
    fatigue: NDArray[np.float64]  # [shown]: what was shown before and not clicked loses; else 0
    boosts: Mapping[int, NDArray[np.float64]]  # key of the rule → [shown]: what it adds
    diversity: NDArray[np.float64]  # [shown]: what diversity takes at the item's turn; 0 where none is asked for
    touched: Mapping[int, BoolArray]  # key of the rule → [shown]: was the item boosted, pinned or brought in by it?
    propensity: NDArray[np.float64]  # [shown]: chance that this item stood in this slot
    places: NDArray[np.int16]  # [shown]: place of the item in the ranking, 0 = first, before anything was explored
    ranking: IntArray  # [ranked] item rows: those of the first n places, and those behind that exploration may draw
    fixed: tuple[int, ...]  # places that rules hold, among those shown
    way: Way
    trace: Trace
    promised: int | None = None  # place of a new item that stands there because it was promised


def select(
    items: IntArray,
    z: Standardised,
    weights: FloatArray,
    *,
    catalogue: CatalogueState,
    params: SelectionParams,
    draw: np.random.Generator | None = None,
) -> Selection:
    """Select from ``items`` [candidates], −1 after the last, by ``z`` [instances, candidates], ``weights`` [instances].

    ``draw`` is needed where the parameters explore.
    """
    count = int(np.count_nonzero(items >= 0))
    items, z = items[:count], z[:, :count]
    eligible, lost, took = _judged(items, catalogue=catalogue, params=params)
    blended, tired = _blended(items, z, weights, eligible, catalogue=catalogue, params=params)
    contenders = Contenders(items=items, z=z, scores=np.where(eligible, blended, -np.inf).astype(np.float32))
    contenders, lost = _steered(contenders, catalogue=catalogue, params=params, lost=lost, count=count)
    order = _order(contenders, catalogue=catalogue, params=params, diversity=params.diversity)
    chosen, propensity, way = explored(
        order.fixed, n=params.n, slots=params.explored_slots, cards=params.cards, shuffled=params.exploration, draw=draw
    )
    positions = order.positions[chosen]
    parts = contributions(contenders.z[:, positions], weights)
    score = parts.sum(axis=0)
    lifting = lifted(score, _lifts_of(contenders.items[positions], catalogue, params), params.exponents)
    score = sum(lifting.values(), score)
    boosted = {key: own for key, values in contenders.boosts.items() if (own := values[positions]).any()}
    worn = np.append(tired, np.zeros(len(contenders.items) - len(tired)))[positions]
    whole = score + worn + sum(boosted.values())
    final = order.finals[chosen].astype(np.float64) if params.diversity else whole
    boosts = {key: values != 0 for key, values in boosted.items()}
    return Selection(
        items=contenders.items[positions],
        slots=order.slots[: len(chosen)],
        score=score,
        final=final,
        contributions=parts,
        lifted=lifting,
        fatigue=worn,
        boosts=boosted,
        diversity=final - whole,
        touched={key: values[chosen] for key, values in order.touched.items()} | boosts,
        propensity=propensity,
        places=chosen.astype(np.int16),
        ranking=contenders.items[order.positions],
        fixed=tuple(np.flatnonzero(order.fixed[: len(chosen)]).tolist()),
        way=way,
        trace=Trace(
            candidates=count,
            eligible=int(np.count_nonzero(eligible)) - lost.get(IneligibleReason.VARIANT, 0),
            lost=lost,
            ruled=_acted(took, contenders, order) if params.rules else {},
            diversified=_diversified(contenders, order, catalogue=catalogue, params=params),
            tired=int(np.count_nonzero(tired[eligible])) if params.ignored else 0,
            explored=int(np.count_nonzero(chosen != np.arange(len(chosen)))),
            shown=len(chosen),
        ),
    )


def _steered(
    contenders: Contenders,
    *,
    catalogue: CatalogueState,
    params: SelectionParams,
    lost: dict[IneligibleReason, int],
    count: int,
) -> tuple[Contenders, dict[IneligibleReason, int]]:
    """The contenders under the rules, one of each product, and what was lost so far with the others of the pool."""
    if params.rules:
        contenders = _ruled(contenders, catalogue=catalogue, params=params)
    if catalogue.families is None:
        return contenders, lost
    fewer = best_of_each(contenders, catalogue.families)
    folded = np.count_nonzero((contenders.scores[:count] > -np.inf) & (fewer.scores[:count] == -np.inf))
    return fewer, {**lost, IneligibleReason.VARIANT: int(folded)} if folded else lost


def _blended(
    items: IntArray,
    z: Standardised,
    weights: FloatArray,
    eligible: BoolArray,
    *,
    catalogue: CatalogueState,
    params: SelectionParams,
) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Scores of the candidates before any rule, and what fatigue is of them; empty where nothing was ignored."""
    blended = blend(z, weights)
    for more in lifted(blended, _lifts_of(items, catalogue, params), params.exponents).values():
        blended += more
    if params.ignored is None:
        return blended, np.zeros(0)
    tired = params.ignored.terms(items, blended[eligible])
    return blended + tired, tired


def _lifts_of(items: IntArray, catalogue: CatalogueState, params: SelectionParams) -> Lifts:
    return {name: lift[items] for name, lift in catalogue.lifts.items() if params.exponents.get(name)}


def eligibility(
    items: IntArray, *, catalogue: CatalogueState, params: SelectionParams
) -> tuple[BoolArray, dict[IneligibleReason, int]]:
    """Check which candidates may be shown, and count how many fell for each reason."""
    eligible, lost, _ = _judged(items, catalogue=catalogue, params=params)
    return eligible, lost


def _judged(
    items: IntArray, *, catalogue: CatalogueState, params: SelectionParams
) -> tuple[BoolArray, dict[IneligibleReason, int], dict[int, int]]:
    """Compute ``eligibility``, and how many candidates each rule took out."""
    eligible = np.ones(len(items), np.bool_)
    lost: dict[IneligibleReason, int] = {}
    for reason, barred in _bars(items, catalogue=catalogue, params=params):
        fell = int(np.count_nonzero(eligible & barred))
        if fell:
            lost[reason] = fell
            eligible &= ~barred
    if not params.rules:
        return eligible, lost, {}
    eligible, took = left_in(items, eligible, params.rules)
    if fell := sum(took.values()):
        lost[IneligibleReason.RULED_OUT] = fell
    return eligible, lost, took


def _bars(
    items: IntArray, *, catalogue: CatalogueState, params: SelectionParams
) -> list[tuple[IneligibleReason, BoolArray]]:
    bars = [(IneligibleReason.UNSELLABLE, ~catalogue.sellable[items])]
    if len(params.excluded):
        bars.append((IneligibleReason.EXCLUDED, among(items, params.excluded)))
    if params.allowed is not None:
        bars.append((IneligibleReason.FILTERED, ~params.allowed[items]))
    match params.repeat:
        case Repeat.EXCLUDE:
            bars.append((IneligibleReason.BOUGHT, among(items, params.bought)))
        case Repeat.ONLY:
            bars.append((IneligibleReason.NOT_BOUGHT, ~among(items, params.bought)))
    if params.repeat is not Repeat.EXCLUDE and len(params.resting):
        bars.append((IneligibleReason.RESTING, among(items, params.resting)))
    return bars


def among(items: IntArray, rows: IntArray) -> BoolArray:
    """Whether each item is one of the rows, which ascend."""
    if not len(rows):
        return np.zeros(len(items), np.bool_)
    at = np.minimum(np.searchsorted(rows, items), len(rows) - 1)
    return np.asarray(rows[at] == items)


def _ruled(pool: Contenders, *, catalogue: CatalogueState, params: SelectionParams) -> Contenders:
    """Apply the rules to the pool: add the boosts, and find a slot for each pin."""
    step = unit(pool.scores[pool.scores > -np.inf])
    boosted = with_boosts(pool, step, params.rules)
    pinning = of_kind(params.rules, RuleAction.PIN)
    if not pinning:
        return boosted
    families = catalogue.families
    lacking = pinning if families is not None else may_lack(pinning, pool.items, boosted.scores)
    others = _others(lacking, but=pool.items, catalogue=catalogue, params=params)
    pins = pinned(pinning, pool.items, boosted.scores, others=others, n=params.n, families=families)
    if not pins.outside:
        return replace(boosted, pins=pins.slots)
    silent = np.full((len(pool.z), len(pins.outside)), np.nan, pool.z.dtype)
    wider = Contenders(
        items=np.append(pool.items, np.array(pins.outside, np.int32)),
        z=np.concatenate([pool.z, silent], axis=1),
        scores=np.append(pool.scores, np.zeros(len(pins.outside), np.float32)),
        pins=pins.slots,
    )
    return with_boosts(wider, step, params.rules)


def _others(rules: Sequence[Rule], *, but: IntArray, catalogue: CatalogueState, params: SelectionParams) -> IntArray:
    """Rows of items that the rules match, that may be shown and are no candidates."""
    if not rules:
        return NOTHING
    matched = np.logical_or.reduce([rule.items for rule in rules])
    matched[but] = False
    rows = np.flatnonzero(matched).astype(np.int32)
    eligible, _ = eligibility(rows, catalogue=catalogue, params=params)
    return rows[eligible]


def _order(contenders: Contenders, *, catalogue: CatalogueState, params: SelectionParams, diversity: float) -> SlotRows:
    """Place the candidates in the slots, and those behind them that exploration may draw."""
    further = EXPLORED_FROM if params.exploration or params.cards else 0
    if any(rule.action in OF_SLOTS for rule in params.rules):
        return placed(
            contenders.scores,
            contenders.items,
            pins=contenders.pins,
            rules=params.rules,
            likeness=catalogue.likeness,
            diversity=diversity,
            n=params.n,
            further=further,
        )
    ranked = spread(
        contenders.scores[None, :],
        contenders.items[None, :],
        likeness=catalogue.likeness,
        diversity=diversity,
        n=params.n + further,
    )
    present = ranked.positions[0] >= 0
    count = int(np.count_nonzero(present))
    return SlotRows(
        positions=ranked.positions[0][present],
        slots=np.arange(count),
        finals=ranked.finals[0][present],
        fixed=np.zeros(count, np.bool_),
    )


def _diversified(contenders: Contenders, order: SlotRows, *, catalogue: CatalogueState, params: SelectionParams) -> int:
    """Number of slots that show what would not be shown without diversity."""
    positions = order.positions[: params.n]
    if not params.diversity or not len(positions):
        return 0
    if any(rule.action in OF_SLOTS for rule in params.rules):
        return len(
            np.setdiff1d(
                positions, _order(contenders, catalogue=catalogue, params=params, diversity=0.0).positions[: params.n]
            )
        )
    least = np.sort(contenders.scores)[len(contenders.scores) - len(positions)]
    return int(np.count_nonzero(contenders.scores[positions] < least))


def _acted(took: Mapping[int, int], contenders: Contenders, order: SlotRows) -> dict[int, int]:
    """Count the candidates that each rule took out or held back, boosted, pinned or brought in."""
    open_ = contenders.scores > -np.inf
    boosted = {key: int(np.count_nonzero(values[open_])) for key, values in contenders.boosts.items()}
    brought = {key: int(np.count_nonzero(places)) for key, places in order.touched.items()}
    return {**took, **boosted, **brought, **order.held}
