"""Graduation: an unsold item is ordered by what it is, a known one by what people do, and in between by both."""

import numpy as np

from recommendations.engine.ranking.graduation import graduated, graduation

BEHAVIOUR, CONTENT = np.array([0, 2, 4], np.float32), np.array([30, 20, 10], np.float32)
Z = np.sqrt(1.5)  # of the outer of three even steps


def test_half_of_it_is_behaviour_at_eight_acts() -> None:
    np.testing.assert_allclose(graduation(np.array([0, 2, 8, 24, 792])), [0, 0.2, 0.5, 0.75, 0.99])


def test_without_acts_it_is_content_and_each_item_grows_by_its_own() -> None:
    np.testing.assert_allclose(graduated(BEHAVIOUR, CONTENT, np.zeros(3, int)), [Z, 0, -Z], rtol=1e-6)
    np.testing.assert_allclose(graduated(BEHAVIOUR, CONTENT, np.full(3, 8)), [0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(
        graduated(BEHAVIOUR, CONTENT, np.array([0, 0, 24])), [Z, 0, 0.75 * Z - 0.25 * Z], rtol=1e-6
    )


def test_who_cannot_say_counts_as_the_average() -> None:
    silent = np.full(3, np.nan, np.float32)
    np.testing.assert_allclose(graduated(silent, CONTENT, np.array([0, 8, 24])), [Z, 0, -0.25 * Z], rtol=1e-6)
    some = np.array([30, np.nan, 10], np.float32)
    np.testing.assert_allclose(graduated(silent, some, np.zeros(3, int)), [1, np.nan, -1])
    assert np.isnan(graduated(silent, silent, np.array([5, 5, 5]))).all()
    assert not graduated(np.ones(3, np.float32), np.ones(3, np.float32), np.array([0, 8, 24])).any()
    assert not len(graduated(silent[:0], silent[:0], np.zeros(0, int)))
