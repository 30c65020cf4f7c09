"""The benches of noise and of adaptivity: what they plant, and how they count."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from bench.robustness import adaptivity, noise
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.recommenders.registry import INSTANCES


def lines(n: int) -> pd.DataFrame:
    place = np.arange(n)
    return pd.DataFrame({
        "user": place % 7, "item": place % 3, "basket": place % 11, "at": place / 10, "quantity": np.float32(2),
        "price": (place % 3).astype(np.float32) + 1, "amount": np.float32(9),
    })  # fmt: skip


def test_noise_joins_baskets_that_are_there_with_the_price_of_its_item() -> None:
    past = lines(400)
    noisy = noise.with_noise(past, 0.05, np.random.default_rng(0))
    assert len(noisy) == 420
    assert noisy["at"].is_monotonic_increasing
    invented = noisy[noisy["quantity"] == 1]
    assert len(invented) == 20
    assert (invented["amount"] == invented["item"] + 1).all()
    real = past[["user", "basket", "at"]].drop_duplicates()
    assert len(invented.merge(real)) == 20


def test_a_loss_is_of_those_who_have_truth_in_any_draw_and_paired() -> None:
    """Two draws of before and after: .5 → .4 in one household, nothing changes in another, the last was never asked."""
    draws = np.array([[[0.5, 0.25, np.nan], [0.4, 0.25, np.nan]], [[0.5, np.nan, np.nan], [0.4, np.nan, np.nan]]])
    loss = noise._loss("home", 0.05, draws, seed=0)
    assert loss.before == pytest.approx(0.375)
    assert loss.percent.value == pytest.approx(100 * 0.05 / 0.375)


def test_what_the_noise_says_of_is_in_neither_list() -> None:
    lists = np.array([[4, 2, 0, 1], [3, 0, -1, -1]], np.int32)
    out = sparse.csr_matrix(([1, 1, 1], ([0, 0, 1], [4, 0, 1])), shape=(2, 5), dtype=np.float32)
    assert noise.others_of(lists, out).tolist() == [[2, 1, -1, -1], [3, 0, -1, -1]]


def test_half_of_the_list_has_followed_half_of_the_way() -> None:
    steps = [(after, np.full(5, share)) for after, share in ((0, 0.1), (1, 0.3), (2, 0.5), (3, 0.9))]
    figures = list(adaptivity.readings("a way", steps, always=np.full(5, 0.9), seed=0, ndcg=Measure(0.4, 0.3, 0.5)))
    assert [one.part for one in figures] == pytest.approx([0, 0.25, 0.5, 1])
    assert adaptivity.needed(figures) == 2
    assert adaptivity.needed(figures[:2]) == float("inf")
    assert [one.ndcg is None for one in figures] == [False, True, True, True]


@pytest.mark.parametrize("name", ["ease_home", "user_knn", "buy_again"])
def test_every_half_life_of_a_recommender_is_halved_and_nothing_else(name: str) -> None:
    instance = next(one for one in INSTANCES if one.name == name)
    shipped, halved = asdict(instance.config), asdict(adaptivity.under(instance, 0.5).config)
    lives = {key for key, value in shipped.items() if "half_life" in key and value is not None}
    assert lives
    assert halved == {**shipped, **{key: shipped[key] / 2 for key in lives}}
