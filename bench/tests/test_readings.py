from pathlib import Path

import numpy as np

from bench.files.parts import undescribed
from bench.ranking.readings import Read, ReadConfig, Reading
from bench.tests.files import HEADER, acts
from recommendations.engine.frames import Queries, TrainingSet
from recommendations.engine.recommenders import item_knn, sequence

ROWS = [("a", "x", 1, "s"), ("a", "y", 2, "s"), ("a", "z", 9, "t"), ("b", "x", 4, "u"), ("b", "z", 5, "u")]


def training(folder: Path) -> TrainingSet:
    coded, n_users = acts(folder, ROWS, header=f"{HEADER},session_id")
    return TrainingSet(interactions=coded.interactions(cut=400.0, n_users=n_users, n_items=3), catalogue=undescribed(3))


def test_the_rank_and_share_clocks_age_by_place_in_the_history(tmp_path: Path) -> None:
    """Rows are newest first."""
    data = training(tmp_path)
    assert Reading(clock="rank").training(data).interactions.age.tolist() == [0, 1, 2, 0, 1]
    share = Reading(clock="share").training(data).interactions.age
    np.testing.assert_allclose(share, [0, 100 / 3, 200 / 3, 0, 50], rtol=1e-6)
    assert Reading().training(data) is data


def test_a_reading_makes_every_act_a_basket(tmp_path: Path) -> None:
    ranks = Reading(basket="act").training(training(tmp_path)).interactions.basket_rank
    assert ranks.tolist() == [0, 1, 2, 0, 1]


def test_a_reading_takes_sessions_as_histories(tmp_path: Path) -> None:
    """Three sessions teach; the newest of each asked user asks, and nobody is the person in training."""
    data = training(tmp_path)
    taught = Reading(history="session").training(data).interactions
    assert taught.n_users == 3
    assert sorted(np.bincount(taught.user).tolist()) == [1, 2, 2]
    queries = Reading(history="session").queries(data.queries(np.array([0, 1])))
    assert queries.histories.user.tolist() == [0, 1, 1]
    assert queries.training_rows.tolist() == [-1, -1]


def test_settings_of_the_scores_alone_need_no_new_fit(tmp_path: Path) -> None:
    data = training(tmp_path)
    config = ReadConfig(kind=item_knn.ItemKnn, config=item_knn.Config(transform="binary", threads=1))
    decayed = ReadConfig(
        kind=item_knn.ItemKnn,
        config=item_knn.Config(transform="binary", threads=1, profile_half_life=2.0),
        reading=Reading(clock="rank"),
    )
    queries = data.queries(np.array([0, 1]))
    fresh = Read(decayed).fit(data, seed=0).score(queries)
    again = Read(config).fit(data, seed=0).reconfigured(decayed).score(queries)
    np.testing.assert_array_equal(fresh, again)
    assert (fresh != Read(config).fit(data, seed=0).score(queries)).any()


def test_a_folded_in_history_is_read_as_one_in_training(tmp_path: Path) -> None:
    data = training(tmp_path)
    config = sequence.Config(min_together=1)
    model = Read(ReadConfig(kind=sequence.Transitions, config=config, reading=Reading(basket="act"))).fit(data, seed=0)
    inside = data.queries(np.array([1]))
    folded = Queries(histories=inside.histories, training_rows=np.array([-1], np.int32))
    np.testing.assert_array_equal(model.score(inside), model.score(folded))
