"""Main parameters of the recommendations, from the rows that are live: pure, so that a property can be asked of them.

Percentages are whole numbers. Placements with the same order stand together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommendations.models import BlendWeights, Experiment, NewItemPromise, Placement
from recommendations.statement_terms import KINDS, LEAST_NAMED, NOTABLE, Ordering, StatedRule
from recommendations.terms import BlendName, ExperimentKind, Lift, RuleAction

type Parameters = dict[str, Any]

DIGITS = 2
"""Digits of a strength behind the point."""


@dataclass(frozen=True, kw_only=True)
class LiveConfiguration:
    """The rows that recommendations go by now; of experiments those that people are in, each with its arms' changes."""

    placements: Sequence[Placement] = ()
    weights: Sequence[BlendWeights] = ()
    rules: Sequence[Mapping[str, Any]] = ()
    book: int = 0  # number of the book that holds them
    promises: Sequence[NewItemPromise] = ()
    experiments: Sequence[tuple[Experiment, Sequence[Mapping[str, Any]]]] = ()

    def weights_of(self, blend: int | None) -> BlendWeights | None:
        """Everybody's weights of a blend."""
        return next((row for row in self.weights if row.blend_id == blend and _is_for_all(row)), None)

    def weights_of_groups(self, blend: int | None) -> list[BlendWeights]:
        """Weights of single audiences and segments."""
        return [row for row in self.weights if row.blend_id == blend and not _is_for_all(row)]

    def visit_weights(self) -> BlendWeights | None:
        """The weights for those of whom only this visit is known."""
        return next((row for row in self.weights if row.blend.name == BlendName.SESSION and _is_for_all(row)), None)

    def promise_of(self, placement: Placement) -> NewItemPromise | None:
        own = (row for row in self.promises if row.placement_id == placement.pk and row.gives)
        return next(own, None) if placement.blend_id else None


def parameters_of(live: LiveConfiguration) -> Parameters:
    """Main parameters: what counts how much, by placement and for visits; rules by kind, and tests."""
    visit = live.visit_weights()
    return {
        "orders": _together(_of_placement(live, placement) for placement in live.placements),
        "visit": _mix(visit, None) if visit else None,
        "rules": dict(sorted(Counter(map(stated_rule, live.rules)).items())),
        "tests": sorted((_of_test(test, changes) for test, changes in live.experiments), key=repr),
    }


def stated_rule(rule: Mapping[str, Any]) -> StatedRule:
    """What a rule of a book does; a boost of less than nothing buries."""
    if rule["action"] == RuleAction.BOOST and (rule["strength"] or 0) < 0:
        return StatedRule.BURY
    return StatedRule(rule["action"])


def shares_of(weights: Mapping[str, float]) -> dict[str, float]:
    """Share of each kind in weights of instances, the largest first; an instance of no kind stands for itself."""
    whole = sum(weight for weight in weights.values() if weight > 0)
    kinds: dict[str, float] = defaultdict(float)
    for name, weight in weights.items():
        if weight > 0:
            kinds[KINDS.get(name, name)] += weight / whole
    return dict(sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0])))


def percent(share: float) -> int:
    return round(100 * share)


def _is_for_all(row: BlendWeights) -> bool:
    return row.segment_id is None and row.audience_id is None


def _together(placements: Iterable[tuple[str, Parameters, Parameters]]) -> list[Parameters]:
    """Orders of placements, each with the settings of all that have it, in the order of the first of each."""
    orders: list[Parameters] = []
    for name, order, settings in placements:
        same = next((each for each in orders if {**each, "placements": None} == {**order, "placements": None}), None)
        if same is None:
            orders.append({**order, "placements": {name: settings}})
        else:
            same["placements"][name] = settings
    return orders


def _of_placement(live: LiveConfiguration, placement: Placement) -> tuple[str, Parameters, Parameters]:
    """Name of a placement, what sets its order, and what it leaves out, holds back or lets in."""
    weights, promise = live.weights_of(placement.blend_id), live.promise_of(placement)
    kind = Ordering.WEIGHTS if weights else Ordering.UNWEIGHED if placement.blend_id else Ordering.EVERYBODY
    groups = [_mix(row, placement) for row in live.weights_of_groups(placement.blend_id)]
    counted = [{**mix, "groups": groups.count(mix)} for at, mix in enumerate(groups) if mix not in groups[:at]]
    order = {
        "order": kind,
        "by_scope": placement.scope if kind is Ordering.EVERYBODY else None,  # what is begun has an order of its own
        "mix": _mix(weights, placement) if weights else None,
        "groups": sorted(counted, key=repr),
    }
    settings = {
        "scope": placement.scope,
        "repeat": placement.repeat,
        "cool_down": percent(placement.cool_down),
        "fatigue": placement.fatigue > 0,
        "new_items": _of_promise(promise) if promise else None,
    }
    return placement.name, order, settings


def _mix(row: BlendWeights, placement: Placement | None) -> Parameters:
    """What counts how much in weights, where they serve a placement: parts that are named and how many are not; lifts,
    and what is mixed in.
    """
    diversity = placement.diversity if placement else None
    explores = placement.explores if placement else True
    shares = shares_of(row.weights)
    notable = [kind for kind, share in shares.items() if share >= NOTABLE] or list(shares)[:LEAST_NAMED]
    return {
        "parts": [[kind, percent(shares[kind])] for kind in notable],
        "smaller": len(shares) - len(notable),
        "lifts": {lift: round(row.exponents[lift], DIGITS) for lift in Lift if row.exponents[lift] > 0},
        "diversity": percent(row.diversity if diversity is None else diversity),
        "shuffled": percent(row.exploration) if explores else 0,
        "further_down": percent(row.cards) if explores else 0,
    }


def _of_promise(promise: NewItemPromise) -> Parameters:
    return {"impressions": promise.impressions, "days": promise.days, "share": percent(promise.highest_share)}


def _of_test(experiment: Experiment, changes: Sequence[Mapping[str, Any]]) -> Parameters:
    """How many take part in a test, and what it changes for them."""
    return {
        "follows": experiment.kind == ExperimentKind.BANDIT,
        "traffic": percent(experiment.traffic),
        "changes": sorted({name for each in changes for name, value in each.items() if value or name == "rules"}),
    }
