"""The second stage on an invented shop: it learns from one window and is judged on another of the same kind."""

import numpy as np
import pytest

from bench.growth.synthetic import shop
from bench.ranking.staged import Window, staged
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import SearchConfig
from recommendations.engine.frames import Promotions
from recommendations.engine.ranking.second_stage import NAME, Config
from recommendations.engine.recommenders import buy_again, popularity
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates

SMALL = Config(rounds=5, threads=1)
NOTHING = np.empty(0, np.float32)


def window(seed: int) -> Window:
    data = shop(8_000, seed=seed)
    fitted = [
        FittedInstance(name="again", recommender=buy_again.BuyAgain(buy_again.Config()).fit(data.training, seed=0)),
        FittedInstance(
            name="popular", recommender=popularity.Popularity(popularity.Config()).fit(data.training, seed=0)
        ),
    ]
    truth = Truth(spent=data.spent)
    plan = BlendPlan(weights={"again": 0.5, "popular": 0.5}, instances=("again", "popular"))
    records = candidates(fitted, data.training.queries(truth.users), plans={"home": plan})["home"]
    return Window(training=data.training, records=records, truth=truth)


@pytest.mark.parametrize("n_earlier", [1, 2])
def test_the_plane_is_weighed_on_the_newest_earlier_window(n_earlier: int) -> None:
    pytest.importorskip("lightgbm")
    reported, *earlier = (window(seed) for seed in range(n_earlier + 1))
    plan = Promotions(item=np.empty(0, np.int32), start=NOTHING, display=NOTHING, mailer=NOTHING)
    search = SearchConfig(draws=10, climbs=1, rounds=1)
    weights = {"again": 0.8, "popular": 0.2}
    plans = [plan] * (n_earlier + 1)
    done = staged(reported, earlier, plans, weights=weights, seed=0, k=10, search=search, config=SMALL)
    assert set(done.tuned.weights) == {"again", "popular", NAME}
    assert done.tuned.ndcg >= done.tuned.best_single_ndcg
    assert done.ranked.shape == (len(reported.truth.users), 10)
    assert ((done.ranked >= -1) & (done.ranked < reported.training.n_items)).all()
    assert all(len(set(row[row >= 0].tolist())) == np.count_nonzero(row >= 0) for row in done.ranked)
