import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon

from recommendations.engine.evaluation.shift import js, psi

AMOUNTS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=12)


def amounts(*values: float) -> NDArray[np.float64]:
    return np.array(values)


def test_shifts_by_hand() -> None:
    """From half and half to three quarters and a quarter."""
    before, now = amounts(2, 2), amounts(3, 1)
    assert psi(before, now) == pytest.approx(0.25 * math.log(1.5) + 0.25 * math.log(2))
    expected = (0.5 * math.log2(0.5 / 0.625) + 0.5 * math.log2(0.5 / 0.375)) / 2
    expected += (0.75 * math.log2(0.75 / 0.625) + 0.25 * math.log2(0.25 / 0.375)) / 2
    assert js(before, now) == pytest.approx(expected)


def test_nothing_in_common_is_one_bit() -> None:
    assert js(amounts(1, 0), amounts(0, 7)) == pytest.approx(1)


def test_an_empty_share_counts_for_a_hundredth_of_an_even_one() -> None:
    """Of two parts: .005. One that is empty before and after changes nothing but that number."""
    assert psi(amounts(1, 1), amounts(1, 0)) == pytest.approx(0.5 * math.log(2) + 0.495 * math.log(100))
    floor = 0.01 / 3
    expected = 0.5 * math.log(2) + (0.5 - floor) * math.log(0.5 / floor)
    assert psi(amounts(1, 1, 0), amounts(1, 0, 0)) == pytest.approx(expected)


def test_a_long_tail_is_not_swallowed_by_the_floor() -> None:
    """Ten thousand items, of which the even ones double: 2/3 against 1/3 of every pair, for .5 and .5."""
    before, now = np.ones(10_000), np.tile([2.0, 1.0], 5_000)
    expected = (2 / 3 - 1 / 2) * math.log(4 / 3) + (1 / 3 - 1 / 2) * math.log(2 / 3)
    assert psi(before, now) == pytest.approx(expected)


def test_a_side_without_anything_is_unknown() -> None:
    for measure in (psi, js):
        assert math.isnan(measure(amounts(0, 0), amounts(1, 2)))
        assert math.isnan(measure(amounts(), amounts()))


def test_amounts_below_zero_or_of_other_parts_are_refused() -> None:
    for measure in (psi, js):
        for p, q in ((amounts(1, -1), amounts(1, 1)), (amounts(1, 1), amounts(1))):
            with pytest.raises(ValueError, match="same parts"):
                measure(p, q)


@given(AMOUNTS)
def test_a_shift_has_no_direction_no_unit_and_is_never_below_zero(sides: list[tuple[float, float]]) -> None:
    p, q = (np.array(side) + 1e-3 for side in zip(*sides, strict=True))
    for measure in (psi, js):
        assert measure(p, q) == pytest.approx(measure(q, p))
        assert measure(p, q) == pytest.approx(measure(3 * p, 0.1 * q))
        assert measure(p, 2 * p) == pytest.approx(0, abs=1e-12)
        assert measure(p, q) >= -1e-12


@given(AMOUNTS)
def test_divergence_equals_that_of_scipy(sides: list[tuple[float, float]]) -> None:
    p, q = (np.round(side, 3) for side in zip(*sides, strict=True))
    p[0], q[0] = p[0] + 1, q[0] + 1
    assert js(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
