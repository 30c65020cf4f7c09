import numpy as np
import pytest

from recommendations.engine.evaluation.gate import gate_result
from recommendations.terms import GateOutcome

NOISE = np.random.default_rng(0).random(400)


def test_a_candidate_worse_beyond_chance_fails_and_names_the_references() -> None:
    result = gate_result(NOISE - 0.02, {"live": NOISE, "popular": NOISE - 0.5, "recent": NOISE + 0.1}, seed=1)
    assert (result.outcome, result.passed, result.users) == (GateOutcome.WORSE, False, 400)
    assert result.worse_than == ("recent", "live")  # the largest loss first
    assert result.against["live"] == pytest.approx((-0.02, -0.02, -0.02), abs=1e-6)
    assert result.candidate.value == pytest.approx(NOISE.mean() - 0.02)


def test_a_candidate_worse_within_chance_passes() -> None:
    other = NOISE + 0.001 + np.random.default_rng(1).normal(0, 0.1, 400)
    result = gate_result(NOISE, {"live": other}, seed=1)
    assert result.passed
    assert result.against["live"].low < 0 < result.against["live"].high


def test_a_candidate_equal_to_the_live_one_passes() -> None:
    assert gate_result(NOISE, {"live": NOISE.copy()}, seed=1).passed
    assert gate_result(NOISE, {}, seed=1).passed


def test_without_users_the_gate_is_unmeasured() -> None:
    result = gate_result(np.empty(0), {"live": np.empty(0)}, seed=1)
    assert (result.outcome, result.passed) == (GateOutcome.UNMEASURED, False)


@pytest.mark.parametrize(("lost", "outcome"), [(0.0045, GateOutcome.PASSED), (0.0055, GateOutcome.WORSE)])
def test_a_certain_loss_counts_from_half_a_percent_on(lost: float, outcome: GateOutcome) -> None:
    result = gate_result(NOISE * (1 - lost), {"live": NOISE}, seed=1)
    assert result.against["live"].high < 0  # certain, either way
    assert result.outcome is outcome
    assert result.reached["live"] == pytest.approx(NOISE.mean())


def test_a_candidate_that_earns_less_fails_however_accurate() -> None:
    result = gate_result(NOISE + 0.1, {"live": NOISE}, seed=1, revenue=(NOISE * 0.99, NOISE))
    assert (result.outcome, result.worse_than, result.earns_less) == (GateOutcome.WORSE, (), "revenue")
    assert result.revenue
    assert result.revenue.value == pytest.approx(-0.01 * NOISE.mean())
    assert gate_result(NOISE, {"live": NOISE}, seed=1, revenue=(NOISE * 0.996, NOISE)).passed


def test_revenue_of_nobody_is_not_compared() -> None:
    result = gate_result(np.empty(0), {}, seed=1, revenue=(np.empty(0), np.empty(0)))
    assert (result.outcome, result.revenue, result.earns_less) == (GateOutcome.UNMEASURED, None, "")


def test_a_candidate_that_leaves_less_margin_fails_where_costs_are_known() -> None:
    money = NOISE * 3
    result = gate_result(NOISE, {"live": NOISE}, seed=1, revenue=(NOISE, NOISE), margin=(money * 0.98, money), length=6)
    assert (result.outcome, result.earns_less, result.length) == (GateOutcome.WORSE, "margin", 6)
    assert result.margin
    assert result.margin.value == pytest.approx(-0.02 * result.margin_reached)
    assert gate_result(NOISE, {"live": NOISE}, seed=1, revenue=(NOISE, NOISE), margin=(money, money)).passed
