"""The clicks bench: clicks that are asked for, from what, and what may teach."""

from pathlib import Path

import numpy as np

from bench.clicks import TASK, question
from bench.ranking.readings import in_view
from bench.tests.files import HEADER, acts

ROWS = [
    ("a", "x", 1, "s"), ("a", "y", 2, "s"), ("b", "y", 4, "t"), ("b", "z", 5, "t"),
    ("c", "x", 7, "u"), ("c", "z", 8, "u"), ("c", "x", 9, "u"), ("c", "y", 10, "u"),
]  # fmt: skip
X, Y, Z = range(3)


def test_every_new_item_of_a_later_session_is_asked_for(tmp_path: Path) -> None:
    clicks, _ = acts(tmp_path, ROWS, header=f"{HEADER},session_id")
    end = np.full(int(clicks.basket.max()) + 1, -np.inf)
    np.maximum.at(end, clicks.basket, clicks.at)
    cut = float(np.sort(end)[-1])  # the last session is asked about
    part = question(clicks, end, known=cut, until=np.inf, seed=0)
    assert part.training.n_users == 2  # a session is a history
    assert sorted(np.bincount(part.training.interactions.user).tolist()) == [2, 2]
    histories = part.queries.histories
    before = [histories.item[histories.user == row].tolist() for row in range(len(part.queries))]
    truth = part.truths[TASK].spent
    wanted = [truth.indices[truth.indptr[row] : truth.indptr[row + 1]].tolist() for row in range(len(before))]
    assert list(zip(before, wanted, strict=True)) == [([X], [Z]), ([X, Z], [Y])]  # x came again: it is the newest


def test_the_history_in_view_fades(tmp_path: Path) -> None:
    clicks, n_users = acts(tmp_path, ROWS[:4], header=f"{HEADER},session_id")
    histories = clicks.interactions(cut=400.0, n_users=n_users, n_items=3)
    np.testing.assert_allclose(in_view(histories, fading=0.5).toarray(), [[0.5, 1, 0], [0, 0.5, 1]])
    assert in_view(histories, fading=0.0).nnz == 2  # the newest of each
