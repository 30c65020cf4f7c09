"""Random rules keep what always holds of a selection, and idle ones change nothing."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.ranking.diversity import Likeness, spread
from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.scores import blend, lifted
from recommendations.engine.ranking.selection import (
    CatalogueState,
    IneligibleReason,
    Selection,
    SelectionParams,
    eligibility,
    select,
)
from recommendations.terms import Lift, Repeat, RuleAction
from tests.engine.ranking.test_rules import N_ITEMS, assert_adds_up, rule


def shop(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, CatalogueState]:
    """Candidates, z, weights and a catalogue state at random."""
    count = int(draw.integers(0, 35))
    items = np.sort(draw.choice(N_ITEMS, count, replace=False)).astype(np.int32)
    z = (draw.standard_normal((3, count)) * 3).astype(np.float16)
    z[:, draw.random(count) < 0.2] = np.nan
    shelf = CatalogueState(
        sellable=draw.random(N_ITEMS) < 0.9,
        likeness=Likeness(traits=draw.integers(-1, 3, (N_ITEMS, 2)).astype(np.int32)),
        lifts={name: np.exp(draw.normal(size=N_ITEMS)).astype(np.float32) for name in Lift if draw.random() < 0.5},
    )
    return items, z, draw.dirichlet(np.ones(3)).astype(np.float32), shelf


def some_rules(draw: np.random.Generator, n: int) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            key=key,
            action=list(RuleAction)[draw.integers(6)],
            items=draw.random(N_ITEMS) < draw.choice([0.05, 0.3, 0.9]),
            slot=int(draw.integers(1, n + 3)),
            strength=int(draw.integers(-100, 101)),
            most=int(draw.integers(0, 4)),
            groups=draw.integers(-1, 4, N_ITEMS).astype(np.int32) if draw.random() < 0.7 else None,
            share=float(draw.choice([0, 0.2, 0.5, 1])),
        )
        for key in range(1, int(draw.integers(1, 9)))
    )


def some_wish(draw: np.random.Generator, **fields: Any) -> SelectionParams:
    bought = np.sort(draw.choice(N_ITEMS, 6, replace=False)).astype(np.int32)
    return SelectionParams(
        n=int(draw.integers(1, 25)), repeat=list(Repeat)[draw.integers(3)],
        exponents={name: float(draw.choice([0, 0.5, 1.5])) for name in Lift},
        diversity=float(draw.choice([0, 0.3, 1])), exploration=float(draw.choice([0, 0.3])),
        cards=float(draw.choice([0, 0.4])), bought=bought, excluded=bought[:2], **fields,
    )  # fmt: skip


def test_every_final_is_the_sum_of_its_terms_on_ten_thousand_items() -> None:
    looked_at = 0
    for seed in range(4_000):
        draw = np.random.default_rng(seed)
        items, z, weights, shelf = shop(draw)
        wish = some_wish(draw)
        slate = select(
            items, z, weights, catalogue=shelf, params=replace(wish, rules=some_rules(draw, wish.n)), draw=draw
        )
        assert_adds_up(slate)
        np.testing.assert_allclose(
            slate.contributions.sum(axis=0) + sum(slate.lifted.values()), slate.score, rtol=0, atol=1e-6
        )
        looked_at += len(slate.items)
        if looked_at >= 10_000:
            break
    assert looked_at >= 10_000


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_random_rules_keep_the_invariants(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    wish = some_wish(draw)
    wish = replace(wish, rules=some_rules(draw, wish.n))
    slate = select(items, z, weights, catalogue=shelf, params=wish, draw=draw)
    every = np.arange(N_ITEMS, dtype=np.int32)
    eligible, _ = eligibility(every, catalogue=shelf, params=wish)
    assert eligible[slate.items].all()
    assert len(set(slate.items.tolist())) == len(slate.items) == slate.trace.shown <= wish.n
    assert (np.diff(slate.slots) > 0).all()
    assert ((slate.slots >= 0) & (slate.slots < wish.n)).all()
    assert np.isfinite(slate.final).all()
    assert ((slate.propensity > 0) & (slate.propensity <= 1)).all()
    assert slate.trace.candidates == slate.trace.eligible + sum(slate.trace.lost.values())
    assert sum(slate.trace.ruled.get(one.key, 0) for one in wish.rules if one.action in OUT) == slate.trace.lost.get(
        IneligibleReason.RULED_OUT, 0
    )
    pinned = [one.key for one in wish.rules if one.action is RuleAction.PIN and one.key in slate.touched]
    assert all(slate.touched[key].sum() == 1 for key in pinned)
    assert (slate.propensity[np.any([slate.touched[key] for key in pinned], axis=0)] == 1).all() if pinned else True
    assert_caps_hold(slate, wish)


OUT = (RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY)


def assert_caps_hold(found: Selection, wish: SelectionParams) -> None:
    """Assert no more of a group than the cap, or than what is pinned of it."""
    pinned = np.zeros(len(found.items), np.bool_)
    for one in wish.rules:
        if one.action is RuleAction.PIN and one.key in found.touched:
            pinned |= found.touched[one.key]
    for one in wish.rules:
        if one.action is not RuleAction.CAP:
            continue
        groups = np.zeros(N_ITEMS, np.int32) if one.groups is None else one.groups
        codes = np.where(one.items, groups, -1)[found.items]
        fixed = Counter(codes[pinned].tolist())
        for group, times in Counter(codes.tolist()).items():
            assert group < 0 or times <= max(one.most, fixed[group])


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_rules_without_items_or_effect_change_nothing(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    wish = some_wish(draw)
    idle = (
        rule(1, RuleAction.EXCLUDE, []), rule(2, RuleAction.INCLUDE_ONLY), rule(3, RuleAction.PIN, [], slot=1),
        rule(4, RuleAction.BOOST, [], strength=50), rule(5, RuleAction.BOOST), rule(6, RuleAction.CAP, most=N_ITEMS),
        rule(7, RuleAction.MINIMUM_SHARE),
    )  # fmt: skip
    plain = select(items, z, weights, catalogue=shelf, params=wish, draw=np.random.default_rng(seed))
    for rules in (idle[:2], idle[3:5], idle):
        slate = select(
            items, z, weights, catalogue=shelf, params=replace(wish, rules=rules), draw=np.random.default_rng(seed)
        )
        for name in ("items", "slots", "score", "final", "contributions", "propensity", "diversity"):
            np.testing.assert_array_equal(getattr(slate, name), getattr(plain, name))
        assert not slate.touched
        assert not any(slate.trace.ruled.values())
        assert replace(slate.trace, ruled={}, diversified=0) == replace(plain.trace, ruled={}, diversified=0)


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_without_rules_the_list_is_what_panel_and_evaluator_rank(seed: int) -> None:
    """The lists are equal to the last bit: the blend of the eligible candidates, spread."""
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    wish = replace(some_wish(draw), exploration=0.0, cards=0.0)
    slate = select(items, z, weights, catalogue=shelf, params=wish)
    eligible, _ = eligibility(items, catalogue=shelf, params=wish)
    scores = blend(z, weights)
    for added in lifted(scores, {name: lift[items] for name, lift in shelf.lifts.items()}, wish.exponents).values():
        scores += added
    scores = np.where(eligible, scores, -np.inf).astype(np.float32)
    order = spread(scores[None], items[None], likeness=shelf.likeness, diversity=wish.diversity, n=wish.n)
    taken = order.positions[0] >= 0
    np.testing.assert_array_equal(slate.items, items[order.positions[0][taken]])
    if wish.diversity:
        np.testing.assert_array_equal(slate.final.astype(np.float32), order.finals[0][taken])
    else:
        np.testing.assert_array_equal(slate.final, slate.score)
