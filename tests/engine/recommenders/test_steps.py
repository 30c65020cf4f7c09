"""The contract of every recommender: its steps over many parts, through files, learn what ``fit`` learns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders import (
    also_bought,
    ease,
    item_knn,
    next_item,
    recent_neighbours,
    registry,
    repurchase,
    session_knn,
    social,
    spectral,
    user_knn,
)
from recommendations.engine.recommenders.protocol import Recommender, restored
from recommendations.engine.recommenders.transformer import Transformer
from recommendations.engine.steps import Arrays, Over, join_parts, parts_of, run_part
from tests.engine.recommenders.step_shop import ITEMS, KINDS, NEAR, SEED, assert_alike, shop
from tests.lengths import cases
from tests.shop import in_view

PARTS = (1, 2, 7, 64)
LIMITED: dict[str, tuple[type[Any], Any]] = {
    "spectral": (spectral.Spectral, spectral.Config(factors=8)),
    "ease, of items": (ease.Ease, ease.Config(dual_users=0)),
    "ease, of few items": (ease.Ease, ease.Config(dual_users=0, primal_items=40, most_pairs=8_000)),
    "ease, of users": (ease.Ease, ease.Config(primal_items=10)),
    "ease, by rarity": (ease.Ease, ease.Config(transform="bm25", dual_users=0)),
    "social, by rarity": (social.Social, social.Config(transform="tfidf", dual_users=0)),
    "item_knn, short": (item_knn.ItemKnn, item_knn.Config(longest_history=8, neighbours=5, stored=3_000)),
    "also_bought, of anybody": (also_bought.AlsoBought, also_bought.Config(people=1, min_together=2, rules=5)),
    "user_knn, of few": (user_knn.UserKnn, user_knn.Config(base_users=90)),
    "recent_neighbours, of few": (recent_neighbours.RecentNeighbours, recent_neighbours.Config(base_users=90)),
    "session_knn, of few": (session_knn.SessionKnn, session_knn.Config(sessions=200, longest=3, half_life=30.0)),
    "repurchase, of few": (repurchase.Repurchase, repurchase.Config(most_rows=3_000, windows=3)),
    "next_item, of few": (next_item.NextItem, next_item.Config(most=3_000)),
}
"""The same where a limit on sizes, or another way of solving, is reached."""


def in_parts(kind: type[Any], config: Any, training: TrainingSet, *, parts: int, folder: Path) -> Recommender:
    """The recommender whose steps were done part by part, with files between them that are mapped."""

    def through_files(arrays: Arrays, place: str) -> Arrays:
        for name, array in arrays.items():
            np.save(folder / f"{place} {name}.npy", array, allow_pickle=False)
        return {name: np.load(folder / f"{place} {name}.npy", mmap_mode="r") for name in arrays}

    arrays: Arrays = {}
    borders = [training.n_users * number // parts for number in range(parts + 1)]
    for step in kind.STEPS:
        cut = parts_of(step, arrays, training, seed=SEED, borders=borders, ranges=parts)
        left = [
            through_files(run_part(step, config, arrays, part), f"{step.name} {number}")
            for number, part in enumerate(cut)
        ]
        arrays = through_files(join_parts(step, arrays, left), step.name)
    return restored(kind, config, {name: array for name, array in arrays.items() if name.split(".")[0].endswith("_")})


def assert_same_lists(one: Recommender, other: Recommender, training: TrainingSet) -> None:
    """The twenty best are the same of 999 customers in 1,000; those of the others tie."""
    asked = np.arange(training.n_users)
    views = in_view([[int(user) % ITEMS, int(7 * user) % ITEMS] for user in asked], n_items=ITEMS)
    queries = training.queries(asked, context=views)
    scores, others = (np.nan_to_num(made.score(queries), nan=-1e9) for made in (one, other))
    lists, theirs = (np.argsort(-made, axis=1, kind="stable")[:, :20] for made in (scores, others))
    differ = (lists != theirs).any(axis=1)
    assert differ.mean() <= 0.001
    mine, yours = (np.take_along_axis(scores[differ], those[differ], axis=1) for those in (lists, theirs))
    np.testing.assert_allclose(yours, mine, rtol=NEAR)


@pytest.mark.timeout(cases(short=120, full=3_600))
@pytest.mark.parametrize("name", [*KINDS, *LIMITED])
def test_parts_learn_what_the_whole_learns(name: str, tmp_path: Path) -> None:
    kind, config = (KINDS | LIMITED)[name]
    whole = kind(config).fit(shop(), seed=SEED)
    for parts in PARTS:
        parted = in_parts(kind, config, shop(), parts=parts, folder=tmp_path)
        same = assert_alike(whole, parted)
        assert same or parts > 1
        if not same:
            assert_same_lists(whole, parted, shop())


def test_every_recommender_says_its_steps() -> None:
    """Who reads what customers did reads it part by part; what needs all of it has the compact form of all parts."""
    for kind in {one.kind for one in registry.EVERY}:
        assert kind.STEPS
        assert kind.STEPS[-1].over is Over.ONCE
        assert kind is Transformer or kind.STEPS[0].over is Over.CUSTOMERS
        assert all(all(step.product) == (step.over is Over.ITEMS) for step in kind.STEPS)


def test_sessions_out_of_order_are_put_into_order(tmp_path: Path) -> None:
    """Baskets may have any numbers: those of a customer need not stand between those of their neighbours."""
    training = shop()
    shuffled = np.random.default_rng(1).permutation(int(training.interactions.basket.max()) + 1).astype(np.int32)
    acts = replace(training.interactions, basket=shuffled[training.interactions.basket])
    training = replace(training, interactions=acts)
    kind, config = LIMITED["session_knn, of few"]
    whole = kind(config).fit(training, seed=SEED)
    assert assert_alike(whole, in_parts(kind, config, training, parts=7, folder=tmp_path))
