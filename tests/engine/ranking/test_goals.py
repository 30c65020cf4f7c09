"""Goals beside accuracy, worked out by hand, and what they may never change."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.frames import TrainingSet
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.goals import goal_lifts, margin_share, weeks_of_cover
from recommendations.engine.ranking.selection import CatalogueState, SelectionParams, select
from recommendations.terms import Lift
from tests.shop import Act, training_set

NAN = np.nan


def shop(**columns: list[float]) -> TrainingSet:
    """Five items: item 0 was bought three times and item 1 once, this week; item 2 once, nine weeks ago."""
    ages = [(0, 1.0), (0, 2.0), (0, 3.0), (1, 1.0), (2, 63.0)]
    acts = [Act(user=0, item=item, basket=number, age=age) for number, (item, age) in enumerate(ages)]
    told = training_set(acts, n_users=1, category_of=[0] * 5)
    arrays = {name: np.array(values, np.float32) for name, values in columns.items()}
    return replace(told, catalogue=replace(told.catalogue, **arrays))


def test_prices_count_against_the_usual_purchase_from_half_to_twice() -> None:
    lifts = goal_lifts(shop(price=[2, 3, 100, 0.1, NAN]))
    assert lifts.keys() == {Lift.REVENUE}
    assert lifts[Lift.REVENUE].tolist() == [1, 1.5, 2, 0.5, 1]  # the usual of 2, 2, 2, 3, 100 is 2


def test_margins_are_money_and_what_has_no_cost_stays() -> None:
    told = shop(price=[2, 3, 10, 2, 2], cost=[1, 1.5, 2, 3, NAN])
    assert goal_lifts(told)[Lift.MARGIN].tolist() == [1, 1.5, 2, 0.5, 1]  # margins 1, 1.5, 8, −1; the usual is 1
    share = margin_share(told.catalogue.price, told.catalogue.cost)
    assert share is not None
    assert share.tolist() == pytest.approx([0.5, 0.5, 0.8, -0.5, NAN], nan_ok=True)
    assert margin_share(told.catalogue.price, None) is None
    assert margin_share(told.catalogue.price, np.full(5, NAN, np.float32)) is None


def test_stock_counts_by_the_weeks_that_it_lasts() -> None:
    """Item 0 sells 3 in 8 weeks, the others 1 or fewer, which counts as 1; 12 weeks are enough."""
    told = shop(stock=[9, 3, 1, 2, NAN], listed_age=[365, 365, 365, 27, 365])
    cover = weeks_of_cover(told)
    assert cover is not None
    assert cover.tolist() == pytest.approx([24, 24, 8, NAN, NAN], nan_ok=True)
    assert goal_lifts(told)[Lift.CLEARANCE].tolist() == [2, 2, 1, 1, 1]
    assert goal_lifts(shop(stock=[900, 2, 1, 1, 1]))[Lift.CLEARANCE].tolist() == pytest.approx([2, 4 / 3, 1, 1, 1])


@pytest.mark.parametrize(
    ("columns", "known"),
    [
        ({"price": [NAN] * 5}, set()),
        ({"cost": [NAN] * 5, "stock": [NAN] * 5}, {Lift.REVENUE}),
        ({"cost": [3.0] * 5}, {Lift.REVENUE}),  # sold below cost: nothing tells what the usual margin is
        ({"cost": [1.0] * 5, "stock": [0.0] * 5}, {Lift.REVENUE, Lift.MARGIN, Lift.CLEARANCE}),
    ],
)
def test_a_goal_without_data_has_no_lift(columns: dict[str, list[float]], known: set[Lift]) -> None:
    assert goal_lifts(shop(**columns)).keys() == known


def test_nothing_was_ever_bought() -> None:
    told = training_set([Act(user=0, item=0, basket=0, bought=False)], n_users=1, category_of=[0, 0])
    assert goal_lifts(told) == {}


@given(st.integers(0, 10_000))
def test_with_every_goal_at_0_nothing_changes_to_the_last_bit(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items = np.sort(draw.choice(50, 30, replace=False)).astype(np.int32)
    z, weights = draw.standard_normal((3, 30)).astype(np.float16), draw.dirichlet(np.ones(3)).astype(np.float32)
    lifts = {name: np.exp(draw.normal(size=50)).astype(np.float32) for name in Lift}
    plain = CatalogueState(
        sellable=draw.random(50) < 0.8, likeness=Likeness(traits=draw.integers(-1, 3, (50, 1)).astype(np.int32)),
        lifts={Lift.PROMOTION: lifts[Lift.PROMOTION]},
    )  # fmt: skip
    params = SelectionParams(n=12, diversity=float(draw.choice([0, 0.4])), exponents={Lift.PROMOTION: 0.5})
    goals = replace(params, exponents={**dict.fromkeys(Lift, 0.0), Lift.PROMOTION: 0.5})
    before = select(items, z, weights, catalogue=plain, params=params)
    after = select(items, z, weights, catalogue=replace(plain, lifts=lifts), params=goals)
    for name in ("items", "score", "final", "contributions", "diversity"):
        assert getattr(after, name).tobytes() == getattr(before, name).tobytes()
    assert after.lifted.keys() == before.lifted.keys() == {Lift.PROMOTION}
    record = Candidates(instances=("a", "b", "c"), items=items[None], z=z[None], own=items[None, None, :3].repeat(3, 1))
    named = dict(zip("abc", weights.tolist(), strict=True))
    plan, zero = {Lift.PROMOTION: 0.5}, goals.exponents
    ranked = record.ranked(named, 12, lifts=lifts, exponents=zero)
    assert ranked.tobytes() == record.ranked(named, 12, lifts=plain.lifts, exponents=plan).tobytes()


def test_lifts_multiply_a_score_and_their_terms_add_up() -> None:
    """Item 1 scores 2: the plan makes 4 of it, revenue (√4) 8, margin (½) 4; item 0 is below the average and stays."""
    shelf = CatalogueState(
        sellable=np.ones(2, np.bool_), likeness=Likeness(traits=np.zeros((2, 1), np.int32)),
        lifts={
            name: np.array([9, value], np.float32)
            for name, value in ((Lift.MARGIN, 0.5), (Lift.REVENUE, 4), (Lift.PROMOTION, 2), (Lift.CLEARANCE, 2))
        },
    )  # fmt: skip
    params = SelectionParams(n=2, exponents={Lift.PROMOTION: 1, Lift.REVENUE: 0.5, Lift.MARGIN: 1})
    z, rows = np.array([[-1, 2]], np.float16), np.array([0, 1], np.int32)
    slate = select(rows, z, np.ones(1, np.float32), catalogue=shelf, params=params)
    assert slate.items.tolist() == [1, 0]
    assert {name: added.tolist() for name, added in slate.lifted.items()} == {
        Lift.PROMOTION: [2, 0], Lift.REVENUE: [4, 0], Lift.MARGIN: [-4, 0],
    }  # fmt: skip
    assert slate.score.tolist() == slate.final.tolist() == [4, -1]
