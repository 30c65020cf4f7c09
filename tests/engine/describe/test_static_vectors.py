"""The vector of a text is the direction of the mean of its tokens' rows."""

import numpy as np

from recommendations.engine.describe.static_vectors import mean_rows

TABLE = np.array([[3, 4], [0, 1], [0, -1], [1, 0]], np.float16)


def test_it_is_the_mean_of_the_rows_that_a_text_is_made_of() -> None:
    vectors = mean_rows([[0], [1, 3], [3, 3, 1], [], [1, 2]], TABLE)
    expected = [[0.6, 0.8], [0.7071, 0.7071], [0.8944, 0.4472], [0, 0], [0, 0]]
    np.testing.assert_allclose(vectors, expected, atol=1e-3)
    assert mean_rows([], TABLE).shape == (0, 2)
