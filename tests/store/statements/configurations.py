"""Configurations of a shop drawn at random, and what a statement of each has to say, found in another way."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from recommendations.models import Blend, BlendWeights, Experiment, NewItemPromise, Placement
from recommendations.models.experiments import BUCKETS
from recommendations.statement_terms import KINDS
from recommendations.store.statements.parameters import LiveConfiguration
from recommendations.terms import BlendName, CatalogueScope, ExperimentKind, Repeat, RuleAction

NAMES = ["home", "discover", "buy_again", "item", "cart", "trending", "search", "new", "email", "shelf_of_staff"]


def drawn_configuration(seed: int) -> LiveConfiguration:
    draw = random.Random(seed)
    blends = [Blend(pk=key, name=name) for key, name in enumerate(BlendName, 1)]
    names = draw.sample(NAMES, draw.randint(1, len(NAMES)))
    placements = [_placement(draw, key, name, blends) for key, name in enumerate(names, 1)]
    weights = [_weights(draw, blend, None) for blend in blends if draw.random() < 0.8]
    weights += [_weights(draw, blend, group) for blend in blends for group in range(1, draw.choice([1, 1, 2, 4]))]
    return LiveConfiguration(
        placements=placements,
        weights=weights,
        rules=[_rule(draw) for _ in range(draw.choice([0, 1, 3, 12]))],
        promises=[_promise(draw, each) for each in placements if draw.random() < 0.3],
        experiments=[_experiment(draw) for _ in range(draw.choice([0, 0, 1, 3]))],
    )


def shares_by_kind(weights: Mapping[str, float]) -> dict[str, float]:
    kinds: dict[str, float] = defaultdict(float)
    for name, weight in weights.items():
        if weight:
            kinds[str(KINDS[name])] += weight / sum(weights.values())
    return dict(kinds)


def named_kinds(weights: Mapping[str, float]) -> dict[str, int]:
    """Kinds that have to be named, each with its percentage."""
    shares = shares_by_kind(weights)
    named = [kind for kind in shares if shares[kind] >= 0.1]
    if not named:
        named = sorted(shares, key=lambda kind: (-shares[kind], kind))[:3]
    return {kind: round(100 * shares[kind]) for kind in named}


def numbers_of_weights(row: BlendWeights, placement: Placement | None) -> list[float]:
    """Numbers that sentences about weights hold, where a placement serves them."""
    named = named_kinds(row.weights)
    numbers: list[float] = [*named.values(), len(shares_by_kind(row.weights)) - len(named)]
    numbers += [round(row.exponents[lift], 2) for lift in row.exponents]
    own = placement.diversity if placement is not None else None
    numbers.append(round(100 * (row.diversity if own is None else own)))
    if placement is None or placement.explores:
        numbers += [round(100 * row.exploration), round(100 * row.cards)]
    return [number for number in numbers if number]


def numbers_of_settings(placement: Placement, promises: Sequence[NewItemPromise]) -> list[float]:
    numbers: list[float] = [round(100 * placement.cool_down)]
    for promise in promises:
        if promise.placement_id == placement.pk and promise.gives and placement.blend_id:
            numbers += [promise.impressions, promise.days, round(100 * promise.highest_share)]
    return [number for number in numbers if number]


def _placement(draw: random.Random, key: int, name: str, blends: Sequence[Blend]) -> Placement:
    return Placement(
        pk=key, name=name, blend=draw.choice([None, *blends]), repeat=draw.choice(list(Repeat)),
        scope=draw.choice(list(CatalogueScope)), cool_down=draw.choice([0, 0, 0.25]), fatigue=draw.choice([0, 0.5]),
        diversity=draw.choice([None, None, 0, 0.35]), explores=draw.random() < 0.7,
    )  # fmt: skip


def _weights(draw: random.Random, blend: Blend, group: int | None) -> BlendWeights:
    """Weights of many parts, so that now and then none is notable, or of few."""
    names = draw.sample(sorted(KINDS), draw.choice([1, 2, 4, 7, 16, len(KINDS)]))
    raw = {
        name: draw.choice([0, 1, 1, 1, draw.random() * 8]) if len(names) < 16 else 1 + draw.random() for name in names
    }
    raw[names[0]] = raw[names[0]] or 1
    return BlendWeights(
        blend=blend, segment_id=group, weights={name: weight / sum(raw.values()) for name, weight in raw.items()},
        diversity=draw.choice([0, 0.2, 0.47]), exploration=draw.choice([0, 0.05]), cards=draw.choice([0, 0.12]),
        promotion=draw.choice([0, 0.5]), revenue=draw.choice([0, 0.25]), margin=draw.choice([0, 1.5]),
        clearance=draw.choice([0, 0.75]),
    )  # fmt: skip


def _rule(draw: random.Random) -> Mapping[str, Any]:
    action = draw.choice(list(RuleAction))
    return {"action": action, "strength": draw.choice([-40, 30]) if action == RuleAction.BOOST else None}


def _promise(draw: random.Random, placement: Placement) -> NewItemPromise:
    return NewItemPromise(
        placement=placement, impressions=draw.randint(1, 90), days=draw.randint(1, 60), gives=draw.random() < 0.8,
        highest_share=draw.choice([0.1, 0.35]),
    )  # fmt: skip


def _experiment(draw: random.Random) -> tuple[Experiment, list[Mapping[str, Any]]]:
    kind = draw.choice([ExperimentKind.AB, ExperimentKind.BANDIT])
    changes = draw.choice([{"weights": {"home": 4}}, {"rules": 7, "placements": {"home": {"n": 6}}}])
    return Experiment(kind=kind, range_from=0, range_to=draw.choice([BUCKETS, BUCKETS // 4])), [changes, {}]
