"""Single changes that would bring an item into an answer, found by trying them on the very ``select`` that serves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.rules import STRONGEST, Rule
from recommendations.serving.pipeline import Prepared, prepare, select_candidates
from recommendations.serving.types import ResolvedRequest
from recommendations.simulation.asked_length import asked_length
from recommendations.simulation.diagnosis import Diagnosis, shown_at, with_rules
from recommendations.store.live.change_watch import people_cache
from recommendations.store.live.state import NOTHING
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import AnswerStage, RuleAction

STEPS = 1_000
"""A weight, or the diversity, is moved in thousandths."""

LOOKED_AT = 5
"""Points between a number and its end that are tried first; between two of them the search halves."""

SAMPLE = 32
"""Other customers whose slates are made with a change, to see how much it disturbs them."""

NEW_RULE = 0
"""The key of a rule that was never saved."""


class CounterfactualKind(StrEnum):
    WEIGHT = "weight"
    DIVERSITY = "diversity"
    BOOST = "boost"
    LIMIT = "limit"  # a rule no longer matches the item
    END = "end"  # a rule ends
    PIN = "pin"
    OWN_PIN = "own_pin"  # for this customer only


@dataclass(frozen=True, kw_only=True)
class Counterfactual:
    """A change to try; the fields after ``kind`` belong to some kinds only."""

    kind: CounterfactualKind
    instance: str = ""  # WEIGHT
    weights: Mapping[str, float] | None = None  # WEIGHT: all of them
    diversity: float | None = None
    strength: int = 0  # BOOST
    slot: int = 0  # PIN, OWN_PIN: 1 = first
    rule: int = NEW_RULE  # LIMIT, END

    @property
    def key(self) -> str:
        """Name of the change among those for one item."""
        return f"{self.kind}:{self.instance or self.rule}" if self.instance or self.rule else str(self.kind)


def changes(asked: Prepared, stands: Diagnosis) -> list[Counterfactual]:
    """Changes that each bring the item in by itself; at most one of a kind, but for rules. In no order."""
    row, stage = stands.row, stands.stage
    if row < 0 or stage in (AnswerStage.SHOWN, AnswerStage.ELIGIBILITY):
        return []
    if stands.lost is not None:
        return list(_on_rule(asked, stands)) if stage is AnswerStage.RULES else []
    pin = _pin(asked, row)
    if stage in (AnswerStage.MODEL, AnswerStage.CANDIDATES):
        return pin
    return [
        *_weight(asked, stands),
        *_less_diversity(asked, row),
        *_boost(asked, row),
        *_on_rule(asked, stands),
        *pin,
    ]


def changed(asked: Prepared, change: Counterfactual, row: int) -> Prepared:
    """Put a change in place; ``row`` is the item's in the stock."""
    rules = asked.params.rules
    match change.kind:
        case CounterfactualKind.WEIGHT:
            return replace(asked, chosen=replace(asked.chosen, weights=change.weights or {}))
        case CounterfactualKind.DIVERSITY:
            return replace(asked, params=replace(asked.params, diversity=change.diversity or 0.0))
        case CounterfactualKind.LIMIT:
            limited = [_without(rule, row) if rule.key == change.rule else rule for rule in rules]
            return with_rules(asked, limited)
        case CounterfactualKind.END:
            return with_rules(asked, [rule for rule in rules if rule.key != change.rule])
    items = _only(asked, row)
    if change.kind is CounterfactualKind.BOOST:
        added = Rule(key=NEW_RULE, action=RuleAction.BOOST, items=items, strength=change.strength)
    else:
        added = Rule(key=NEW_RULE, action=RuleAction.PIN, items=items, slot=change.slot)
    return with_rules(asked, [*rules, added])


def side_effect(asked: Prepared, change: Counterfactual, row: int) -> float:
    """Share of the slots of other customers, in the same placement, that would show another item: 0 … 1.

    As in a price tag, items that only move up or down count. Measured on some customers of the model, evenly spread
    over its rows, as if they had done nothing since. Customers with other weights (of their segment) are not touched by
    a change of these.
    """
    if change.kind is CounterfactualKind.OWN_PIN:
        return 0.0
    others = _others(asked.snapshot, asked.request.placement, asked.request.context_items, asked.params.n)
    of_weights = change.kind in (CounterfactualKind.WEIGHT, CounterfactualKind.DIVERSITY)
    moved = slots = 0
    for other, before in others:
        if other.request.customer == asked.request.customer:
            continue
        slots += int(np.count_nonzero(before >= 0))
        if of_weights and other.chosen.served != asked.chosen.served:
            continue
        moved += int(np.count_nonzero(before != _by_slot(changed(other, change, row))))
    return moved / slots if slots else 0.0


@people_cache(2)
def _others(snapshot: Snapshot, placement: str, context: tuple[int, ...], n: int) -> list[tuple[Prepared, IntArray]]:
    """Sampled customers, with what each is shown of the pool, by slot."""
    if snapshot.model is None:
        return []
    users = snapshot.model.users.ids
    spread = np.unique(np.linspace(0, len(users) - 1, min(SAMPLE, len(users))).astype(np.int64))
    sampled = []
    for customer in users[spread].tolist():
        request = ResolvedRequest(placement=placement, customer=customer, context_items=context, n=n, explore=False)
        other = prepare(request, snapshot=snapshot, state=NOTHING, now=snapshot.read_at)
        if ((before := _by_slot(other)) >= 0).any():
            sampled.append((other, before))
    return sampled


def _by_slot(asked: Prepared) -> IntArray:
    """Rows of the stock that are chosen of the pool, by slot; −1 where something else fills it up."""
    rows, chosen = np.full(asked.params.n, -1, np.int32), select_candidates(asked)
    if chosen is not None:
        rows[chosen.slots] = chosen.items
    return rows


def _weight(asked: Prepared, stands: Diagnosis) -> list[Counterfactual]:
    """Change of the instance of which the smallest part of all weights has to move, up or down."""
    pool = asked.chosen.pool
    if asked.chosen.served is None or (pool is not None and pool.visiting):
        return []  # no weights of staff made this answer, or not they alone
    best, least = None, STEPS + 1  # of the steps that a weight moves
    for name, difference in _levers(asked, stands):
        now = round(asked.chosen.weights.get(name, 0.0) * STEPS)
        make = partial(_reweighted, asked, name)
        end = min(STEPS, now + least - 1) if difference > 0 else max(0, now - least + 1)
        steps = _least(asked, make, stands.row, start=now, end=end)
        if steps is not None:
            best, least = make(steps), abs(steps - now)
    return [best] if best else []


def _levers(asked: Prepared, stands: Diagnosis) -> Iterator[tuple[str, float]]:
    """Instances that tell the item from the last one shown, with what more weight does for it; weightless ones, too."""
    pool = asked.chosen.pool
    chosen = select_candidates(asked)
    if pool is None or chosen is None or not len(chosen.items):
        return
    rows = asked.snapshot.stock_rows[pool.items]
    own, last = (np.flatnonzero(rows == row)[:1] for row in (stands.row, int(chosen.items[-1])))
    if not len(own) or not len(last):
        return
    z = np.nan_to_num(np.asarray(pool.z, np.float64))
    for name, difference in zip(pool.instances, (z[:, own[0]] - z[:, last[0]]).tolist(), strict=True):
        if difference > 0 or (difference < 0 and asked.chosen.weights.get(name, 0.0) > 0):
            yield name, difference


def _reweighted(asked: Prepared, name: str, steps: int) -> Counterfactual:
    """Weights of which the instance has ``steps`` thousandths, and the others share the rest as they did."""
    share, weights = steps / STEPS, asked.chosen.weights
    total = sum(weights.values())
    others = {other: weight for other, weight in weights.items() if other != name and weight > 0}
    rest = sum(others.values())
    scaled = {other: weight * (1 - share) * total / rest for other, weight in others.items()} if rest else {}
    return Counterfactual(kind=CounterfactualKind.WEIGHT, instance=name, weights={**scaled, name: share * total})


def _less_diversity(asked: Prepared, row: int) -> list[Counterfactual]:
    def make(steps: int) -> Counterfactual:
        return Counterfactual(kind=CounterfactualKind.DIVERSITY, diversity=steps / STEPS)

    now = round(asked.params.diversity * STEPS)
    if not now or asked.chosen.served is None:
        return []
    steps = _least(asked, make, row, start=now, end=0)
    return [] if steps is None else [make(steps)]


def _boost(asked: Prepared, row: int) -> list[Counterfactual]:
    def make(strength: int) -> Counterfactual:
        return Counterfactual(kind=CounterfactualKind.BOOST, strength=strength)

    strength = _least(asked, make, row, start=0, end=STRONGEST)
    return [] if strength is None else [make(strength)]


def _pin(asked: Prepared, row: int) -> list[Counterfactual]:
    """A pin, for everybody or for this customer, at the last slot free for the item that the shop shows."""
    placement = asked.snapshot.placements[asked.request.placement]
    last = min(asked.params.n, asked_length(placement))
    slots = (Counterfactual(kind=CounterfactualKind.PIN, slot=slot) for slot in range(last, 0, -1))
    pin = next((change for change in slots if shown_at(changed(asked, change, row), row)), None)
    return [pin, replace(pin, kind=CounterfactualKind.OWN_PIN)] if pin else []


def _on_rule(asked: Prepared, stands: Diagnosis) -> Iterator[Counterfactual]:
    """The rule that takes the item out no longer matches it; or, where that is not enough, ends."""
    if stands.rule is None:
        return
    for kind in (CounterfactualKind.LIMIT, CounterfactualKind.END):
        change = Counterfactual(kind=kind, rule=stands.rule)
        if kind is CounterfactualKind.LIMIT and not _limits(asked, stands):
            continue
        if shown_at(changed(asked, change, stands.row), stands.row):
            yield change
            return


def _limits(asked: Prepared, stands: Diagnosis) -> bool:
    """Whether the rule acts on this very item, so that it helps to leave the item out of it."""
    rule = next(rule for rule in asked.params.rules if rule.key == stands.rule)
    harmful = rule.action in (RuleAction.EXCLUDE, RuleAction.CAP) or (
        rule.action is RuleAction.BOOST and rule.strength < 0
    )
    return harmful and bool(rule.items[stands.row])


def _least(asked: Prepared, make: Callable[[int], Counterfactual], row: int, *, start: int, end: int) -> int | None:
    """The number nearest to ``start``, towards ``end``, at which the change brings the row in.

    A few points are tried, and the span between the last that fails and the first that works is halved: where the
    item comes and goes more than once in between, a later number may be found, but never one that fails.
    """

    def works(number: int) -> bool:
        return shown_at(changed(asked, make(number), row), row) is not None

    before = start
    for number in _points(start, end):
        if works(number):
            break
        before = number
    else:
        return None
    while abs(number - before) > 1:
        middle = (number + before) // 2
        number, before = (middle, before) if works(middle) else (number, middle)
    return number


def _points(start: int, end: int) -> Sequence[int]:
    spread = np.linspace(start, end, LOOKED_AT + 1).round().astype(int).tolist()
    return [number for number in dict.fromkeys(spread) if number != start]


def _only(asked: Prepared, row: int) -> BoolArray:
    mask = np.zeros(len(asked.snapshot.stock), np.bool_)
    mask[row] = True
    return mask


def _without(rule: Rule, row: int) -> Rule:
    items = rule.items.copy()
    items[row] = False
    return replace(rule, items=items)
