"""Search of settings on values that are known beforehand: which are tried, which is chosen, and what is fitted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.files.parts import pairs_of, part, undescribed
from bench.ranking.axes import Shape
from bench.ranking.choice import Search
from bench.ranking.grids import grids
from bench.ranking.readings import ReadConfig
from bench.ranking.trials import Grid, Setting
from bench.tests.files import acts
from recommendations.engine.frames import Queries, TrainingSet
from recommendations.engine.recommenders import popularity
from recommendations.terms import Task

ROWS = [("a", "x", 1), ("a", "y", 2), ("b", "y", 4), ("b", "z", 5)]


def setting(half_life: float | None, *, trend: float = 0.0) -> Setting:
    config = popularity.Config(half_life=half_life)
    return Setting(read=ReadConfig(kind=popularity.Popularity, config=config), trend=trend)


def search(folder: Path, *, most: int = 40, budget: float = np.inf) -> Search:
    """The second half-life and the second exponent are best together; each alone is better than the start."""
    coded, n_users = acts(folder, ROWS)
    interactions = coded.interactions(cut=400.0, n_users=n_users, n_items=3)
    training = TrainingSet(interactions=interactions, catalogue=undescribed(3))
    queries = Queries(histories=interactions, training_rows=np.arange(n_users, dtype=np.int32))
    pairs = pairs_of(np.array([0, 1]), np.array([2, 0]), shape=(n_users, 3))
    plain, trended = {None: 0.1, 8.0: 0.2, 30.0: 0.15}, {None: 0.0, 8.0: 0.3, 30.0: 0.0}
    measured = {setting(half_life): value for half_life, value in plain.items()}
    measured |= {setting(half_life, trend=0.5): value for half_life, value in trended.items()}
    measured[setting(8.0, trend=1.0)] = 0.3000001
    asked = part(training, queries, pairs, tasks=(Task.DISCOVER,), repeats=False)
    return Search(part=asked, task=Task.DISCOVER, trend=None, seed=0, budget=budget, most=most, measured=measured)


GRID = Grid(
    name="popularity",
    start=setting(None),
    axes=[
        [{"half_life": None}, {"half_life": 8.0}, {"half_life": 30.0}],
        [{"trend": 0.0}, {"trend": 0.5}, {"trend": 1.0}],
    ],
)


@pytest.mark.parametrize(
    ("most", "best", "value"),
    [(1, setting(None), 0.1), (2, setting(8.0), 0.2), (4, setting(8.0, trend=0.5), 0.3)],
)
def test_no_more_settings_are_tried_than_may_be(tmp_path: Path, most: int, best: Setting, value: float) -> None:
    chosen = search(tmp_path, most=most).best(GRID)
    assert (chosen.setting, chosen.ndcg, chosen.tried) == (best, value, most)


def test_axes_are_climbed_again_until_a_round_brings_nothing(tmp_path: Path) -> None:
    """A gain below 1e-5 is none, and a change that changes nothing is no trial."""
    looked = search(tmp_path)
    chosen = looked.best(GRID)
    assert (chosen.name, chosen.setting, chosen.ndcg) == ("popularity", setting(8.0, trend=0.5), 0.3)
    assert chosen.tried == 1 + (2 + 2) + (2 + 2)
    assert looked.model is None  # all was measured before


def test_a_search_without_time_stays_at_its_start(tmp_path: Path) -> None:
    chosen = search(tmp_path, budget=-1.0).best(GRID)
    assert (chosen.setting, chosen.tried) == (setting(None), 1)


def test_what_was_left_small_for_the_search_can_be_grown(tmp_path: Path) -> None:
    grid = Grid(name="popularity", start=setting(8.0), axes=[], final={"half_life": 90.0})
    chosen = search(tmp_path).best(grid)
    assert (chosen.setting, chosen.ndcg, chosen.tried) == (setting(8.0), 0.2, 1)
    assert (chosen.grown().setting, chosen.grown().whole) == (setting(90.0), None)
    plain = replace(chosen, whole=None)
    assert plain.grown() == plain


def test_a_setting_is_measured_by_the_lists_of_its_model(tmp_path: Path) -> None:
    """Of the two users b has not seen x, and a has not seen z: each wants the only item that is left."""
    looked = search(tmp_path)
    looked.measured.clear()
    assert looked.best(Grid(name="popularity", start=setting(None), axes=[])).ndcg == 1
    assert looked.measured == {setting(None): 1.0}
    assert looked.model is not None


@pytest.mark.parametrize("together", [True, False])
def test_sessions_of_one_act_each_are_asked_for_no_neighbours(*, together: bool) -> None:
    shape = Shape(
        n_acts=900, n_users=300, n_items=30, span=30.0, median_history=3.0, sessions=False, folded=False,
        described=False, repeats=False, trended=False, together=together,
    )  # fmt: skip
    assert ("session_knn" in [grid.name for grid in grids(shape, Task.DISCOVER)]) is together
