"""Suggestions within limits, on views of one truth whose lists are known to reach far or not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.panel import Panel
from recommendations.engine.feedback.suggestion import Aim, suggested
from recommendations.engine.feedback.tuning import SearchConfig
from recommendations.engine.ranking.diversity import Likeness
from recommendations.terms import Lift
from tests.engine.feedback.test_tuning import N_ITEMS, scene

QUICK = SearchConfig(draws=10, climbs=1, rounds=2)
START = {"r0": 0.8, "r1": 0.2}


def with_a_bestseller_list(what_if: Panel) -> Panel:
    """The third view says the same of everybody, one kind of item after the other; there are ten kinds of eight."""
    planes, kinds = what_if.planes.copy(), np.arange(N_ITEMS, dtype=np.int32) // 8
    planes[2] = np.linspace(2, -2, N_ITEMS, dtype=np.float32)
    shop = replace(what_if.shop, categories=sparse.csr_matrix(np.eye(10, dtype=np.float32)[kinds]))
    return replace(what_if, planes=planes, shop=shop, likeness=Likeness(traits=kinds[:, None]))


def test_a_suggestion_without_limits_is_as_good_as_the_tuner() -> None:
    what_if = scene((0.5, 0.5, 5.0))
    result = suggested(what_if, start={"r2": 1.0}, exponents={}, mmr=0.0, aim=Aim(), seed=1, search=QUICK)
    assert not result.stays
    assert result.best.accuracy > result.start.accuracy + 0.2
    assert result.best.accuracy == pytest.approx(
        float(what_if.measure(result.weights).per_user[:, 0].mean()), abs=1e-12
    )  # fmt: skip
    assert sum(result.weights.values()) == pytest.approx(1, abs=1e-6)
    assert result.best.mmr == 0


def test_weights_that_are_as_good_already_stay() -> None:
    what_if = scene((0.5, 0.5, 9.0))
    result = suggested(what_if, start={"r0": 1, "r1": 1}, exponents={}, mmr=0.0, aim=Aim(), seed=1, search=QUICK)
    assert result.stays
    assert result.weights == {"r0": 0.5, "r1": 0.5, "r2": 0.0}


def test_a_locked_share_stays_to_the_last_bit() -> None:
    what_if = scene((0.5, 0.5, 5.0))
    limits = Aim(locked=frozenset({"r2"}))
    start = {"r0": 0.0, "r1": 0.6667, "r2": 0.3333}
    result = suggested(what_if, start=start, exponents={}, mmr=0.0, aim=limits, seed=1, search=QUICK)
    assert not result.stays
    assert result.best.weights[2] == result.start.weights[2] == np.float32(0.3333)
    assert result.weights["r0"] > 0.2
    assert result.weights["r0"] + result.weights["r1"] == pytest.approx(0.6667, abs=1e-6)
    everything = Aim(locked=frozenset({"r0", "r1", "r2"}))
    assert suggested(what_if, start=start, exponents={}, mmr=0.0, aim=everything, seed=1, search=QUICK).stays


def test_the_least_coverage_is_reached_where_it_can_be() -> None:
    what_if = with_a_bestseller_list(scene((2.0, 2.0, 0.5)))
    start = {"r2": 1.0}
    narrow = what_if.measure(start).coverage
    assert narrow == 10 / N_ITEMS
    limits = Aim(coverage=0.6)
    result = suggested(what_if, start=start, exponents={}, mmr=0.0, aim=limits, seed=1, search=QUICK)
    assert result.start.shortfall == pytest.approx((0.6 - narrow) / 0.6)
    assert result.best.shortfall == 0
    assert result.best.coverage == what_if.measure(result.weights, diversity=result.best.mmr).coverage >= 0.6
    assert result.most_coverage >= result.best.coverage


def test_where_no_weights_are_within_the_limits_the_nearest_are_suggested() -> None:
    """Five lists of ten hold 50 of the 80 items at most."""
    what_if = with_a_bestseller_list(scene((2.0, 2.0, 0.5))).of(np.arange(5))
    limits = Aim(coverage=1.0, mmr_locked=True)
    result = suggested(what_if, start={"r2": 1.0}, exponents={}, mmr=0.0, aim=limits, seed=1, search=QUICK)
    assert 0 < result.best.shortfall == 1 - result.best.coverage < result.start.shortfall
    assert result.best.coverage == result.most_coverage <= 50 / N_ITEMS
    assert result.best.mmr == 0
    assert result.best.value == -result.best.shortfall


def test_a_more_mixed_order_is_tried_where_weights_alone_do_not_reach() -> None:
    """All weights lead to the same list: eight of a kind and two of the next. Only the order can mix in more."""
    what_if = with_a_bestseller_list(scene((0.5, 0.5, 0.5)))
    same = replace(what_if, planes=np.repeat(what_if.planes[2:], 3, axis=0))
    limits = Aim(diversity=0.9)
    result = suggested(same, start={"r0": 1.0}, exponents={}, mmr=0.0, aim=limits, seed=1, search=QUICK)
    assert result.start.diversity == pytest.approx(1 - (8 * 7 + 2) / 90)
    assert result.best.diversity >= 0.9
    assert result.best.mmr > 0
    locked = replace(limits, mmr_locked=True)
    still = suggested(same, start={"r0": 1.0}, exponents={}, mmr=0.0, aim=locked, seed=1, search=QUICK)
    assert still.best.shortfall == still.start.shortfall > 0


def test_the_same_seed_gives_the_same_suggestion_and_progress_may_stop_the_search() -> None:
    what_if, heard = scene((0.5, 0.7, 1.0)), []
    one, other = (
        suggested(what_if, start=START, exponents={}, mmr=0.0, aim=Aim(), seed=7, search=QUICK, progress=heard.append)
        for _ in range(2)
    )
    assert one.weights == other.weights
    assert max(heard) == heard[-1] == 1

    def stop(share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        suggested(what_if, start=START, exponents={}, mmr=0.0, aim=Aim(), seed=7, search=QUICK, progress=stop)


def test_without_weight_or_users_there_is_nothing_to_search_on() -> None:
    what_if = scene((0.5, 0.7))
    for panel, start in ((what_if, {"gone": 1.0}), (what_if.of(np.arange(0)), START)):
        with pytest.raises(ValueError, match="nothing to search"):
            suggested(panel, start=start, exponents={}, mmr=0.0, aim=Aim(), seed=1, search=QUICK)


def with_goals(what_if: Panel) -> Panel:
    """Of every third item there is too much; items leave 10 % of their price, or 90 %."""
    rows = np.maximum(what_if.items, 0)
    plenty, margin = np.arange(N_ITEMS) % 3 == 0, np.where(np.arange(N_ITEMS) % 2, 0.9, 0.1).astype(np.float32)
    lifts = {
        Lift.CLEARANCE: np.where(plenty, 2, 1).astype(np.float32)[rows],
        Lift.MARGIN: np.where(margin > 0.5, 2, 0.5).astype(np.float32)[rows],
    }
    return replace(what_if, lifts=lifts, shop=replace(what_if.shop, plenty=plenty, margin=margin))


@pytest.mark.parametrize("goal", ["clearance", "margin"])
def test_a_goal_is_reached_as_far_as_accuracy_may_be_lost(goal: str) -> None:
    what_if = with_goals(scene((0.5, 0.7)))
    accurate = suggested(what_if, start=START, exponents={}, mmr=0.0, aim=Aim(), seed=1, search=QUICK).best.accuracy
    found = {
        kept: suggested(
            what_if, start=START, exponents={Lift.PROMOTION: 0.5}, mmr=0.0,
            aim=Aim(goal=goal, accuracy=kept * accurate), seed=1, search=QUICK,
        )
        for kept in (0.0, 0.97)
    }  # fmt: skip
    for kept, result in found.items():
        assert result.best.accuracy >= kept * accurate
        assert result.best.reached > result.start.reached
        measured = what_if.measure(result.weights, exponents=result.exponents)
        assert measured.of(goal).mean() == pytest.approx(result.best.reached)
        assert result.exponents[Lift(goal)] > 0
        assert result.exponents[Lift.PROMOTION] == 0.5
    assert found[0.0].best.reached > found[0.97].best.reached
    assert found[0.0].best.accuracy < found[0.97].best.accuracy


def test_a_locked_goal_keeps_its_exponent() -> None:
    what_if = with_goals(scene((0.5, 0.7)))
    aim = Aim(goal="clearance", locked=frozenset({"clearance"}))
    result = suggested(what_if, start=START, exponents={Lift.CLEARANCE: 0.2}, mmr=0.0, aim=aim, seed=1, search=QUICK)
    assert result.exponents == {Lift.CLEARANCE: 0.2}
