import numpy as np
import pytest

from recommendations.engine.evaluation.gate import gate_result
from recommendations.terms import GateOutcome

NOISE = np.random.default_rng(0).random(400)


def test_worse_beyond_chance_is_closed_and_says_against_what() -> None:
    found = gate_result(NOISE - 0.02, {"live": NOISE, "popular": NOISE - 0.5, "recent": NOISE + 0.1}, seed=1)
    assert (found.outcome, found.passed, found.users) == (GateOutcome.WORSE, False, 400)
    assert found.worse_than == ("recent", "live")  # the largest loss first
    assert found.against["live"] == pytest.approx((-0.02, -0.02, -0.02), abs=1e-6)
    assert found.candidate.value == pytest.approx(NOISE.mean() - 0.02)


def test_worse_within_chance_passes() -> None:
    other = NOISE + 0.001 + np.random.default_rng(1).normal(0, 0.1, 400)
    found = gate_result(NOISE, {"live": other}, seed=1)
    assert found.passed
    assert found.against["live"].low < 0 < found.against["live"].high


def test_the_same_again_passes() -> None:
    assert gate_result(NOISE, {"live": NOISE.copy()}, seed=1).passed
    assert gate_result(NOISE, {}, seed=1).passed


def test_nobody_to_measure_on_is_no_pass() -> None:
    found = gate_result(np.empty(0), {"live": np.empty(0)}, seed=1)
    assert (found.outcome, found.passed) == (GateOutcome.UNMEASURED, False)
