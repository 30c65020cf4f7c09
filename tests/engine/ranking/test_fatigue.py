import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.ranking.fatigue import Showings, fatigue, ignored

NOW = 20_000.0
SHOWN = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 10), st.floats(0, 60), st.floats(0, 60)), max_size=30)


def showings(*rows: tuple[int, int, float, float | None]) -> Showings:
    """Showings from (item, slot, days ago, days since the click or purchase)."""
    return Showings(
        item=np.array([row[0] for row in rows], np.int32),
        slot=np.array([row[1] for row in rows], np.int32),
        at=NOW - np.array([row[2] for row in rows], np.float64),
        answered=np.array([-np.inf if row[3] is None else NOW - row[3] for row in rows], np.float64),
    )


def test_ignored_showings_by_hand() -> None:
    """η = ½: slot 4 is half a look, a week ago half as well; what came before a click or purchase is forgiven."""
    seen = showings((7, 1, 0, None), (7, 4, 7, None), (3, 1, 0, 2), (3, 1, 2, 2), (3, 1, 9, 2), (5, 1, 4, 3))
    e = ignored(seen, np.array([3, 9, 7, 5], np.int32), now=NOW, eta=0.5)
    assert e == pytest.approx([1, 0, 1.25, 0])


def test_a_showing_from_the_future_counts_as_one_of_now() -> None:
    assert ignored(showings((1, 1, -3, None)), np.array([1], np.int32), now=NOW, eta=0.6) == pytest.approx([1])


def test_nothing_shown_is_nothing_ignored() -> None:
    assert ignored(showings(), np.array([1, 2], np.int32), now=NOW, eta=0.6).tolist() == [0, 0]
    assert ignored(showings((1, 1, 0, None)), np.empty(0, np.int32), now=NOW, eta=0.6).tolist() == []


@given(SHOWN, st.permutations(range(8)), st.floats(0, 2))
def test_ignored_showings_equal_a_loop(rows: list[tuple[int, int, float, float]], items: list[int], eta: float) -> None:
    expected = [
        sum(
            slot**-eta * 2 ** (-(NOW - (NOW - ago)) / 7)
            for shown, slot, ago, answered in rows
            if shown == item and NOW - ago > NOW - answered
        )
        for item in items
    ]
    e = ignored(showings(*rows), np.array(items, np.int32), now=NOW, eta=eta)
    np.testing.assert_allclose(e, expected, atol=1e-12)


def test_the_term_is_a_unit_less_each_time_that_belief_halves() -> None:
    """κ = 4: belief 1/(1 + e/4) is 1, ½ and ¼ at e = 0, 4, 12."""
    term = fatigue(np.array([0.0, 4.0, 12.0]), kappa=4, beta=0.25, unit=2)
    assert term == pytest.approx([0, -0.5, -1.0])
    assert fatigue(np.array([4.0]), kappa=4, beta=0, unit=2) == pytest.approx([0])
