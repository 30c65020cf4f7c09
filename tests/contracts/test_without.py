"""What every recommender keeps of people who are taken out: nothing, or what it says it keeps."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.frames import Queries, TrainingSet
from recommendations.engine.recommenders import ease, recent_neighbours, session_knn, social, spectral, user_knn
from recommendations.engine.recommenders.protocol import Configured, learned, restored
from recommendations.engine.recommenders.registry import EVERY, Instance
from tests.shop import Act, everybody, folded_in, follows, in_view, training_set, with_net

USERS, ITEMS, CATEGORIES = 53, 83, 5  # numbers that nothing else is counted by
SIGNED = 5  # who alone has bought the last item, and looked at it
GONE = np.array([17, SIGNED, 52], np.int32)

INSTANCES = (*EVERY, Instance(name="spectral", kind=spectral.Spectral, config=spectral.Config(factors=8)))
KEEPS_NOTHING = {ease.Ease, social.Social, user_knn.UserKnn, recent_neighbours.RecentNeighbours, session_knn.SessionKnn}


@pytest.fixture(params=INSTANCES, ids=lambda instance: instance.name)
def instance(request: pytest.FixtureRequest) -> Instance:
    return request.param


@pytest.fixture(scope="module")
def shop() -> TrainingSet:
    """People who buy, look and take back by two tastes; a few acts teach nobody, and some follow others."""
    draw = np.random.default_rng(3)
    acts = [Act(SIGNED, ITEMS - 1, 5_000, 3.0), Act(SIGNED, ITEMS - 1, 5_001, 2.0, 0.2, False)]
    for user in range(USERS):
        for basket in range(int(draw.integers(2, 7))):
            items = draw.choice(np.arange(user % 2, ITEMS - 1, 2), int(draw.integers(3, 9)), replace=False)
            age, kind = float(draw.uniform(0, 90)), draw.choice(3, p=[0.7, 0.25, 0.05])
            strength = (1.0, 0.2, -1.0)[kind]
            acts += [Act(user, int(item), 50 * user + basket, age, strength, kind == 0) for item in items]
    made = training_set(acts, n_users=USERS, category_of=[item % CATEGORIES for item in range(ITEMS)])
    followed = sparse.random(USERS, CATEGORIES, 0.2, format="csr", dtype=np.float32, rng=draw)
    links = follows({user: range((user + 1) % 3, USERS, 9) for user in range(0, USERS, 2)}, n_users=USERS)
    return with_net(replace(made, teaches=draw.random(len(acts)) > 0.03, links=links, followed=followed))


def fitted(instance: Instance, shop: TrainingSet) -> Configured[Any]:
    recommender = instance.build().fit(shop, seed=7)
    assert isinstance(recommender, Configured)
    return recommender


def asked(shop: TrainingSet) -> Queries:
    """Everybody, with three items in view."""
    rows = [[user % 82, (user * 7 + 3) % 82, 82] for user in range(shop.n_users)]
    return everybody(shop, context=in_view([sorted(set(row)) for row in rows], n_items=ITEMS))


def attributes(recommender: Configured[Any]) -> dict[str, Any]:
    return {name: value for name, value in vars(recommender).items() if name.endswith("_") and not name.startswith("_")}


def dense(value: Any) -> np.ndarray:
    return value.toarray() if sparse.issparse(value) else np.asarray(value)


def assert_same_learned(one: Configured[Any], other: Configured[Any], *, within: float = 1e-5) -> None:
    here, there = attributes(one), attributes(other)
    assert here.keys() == there.keys()
    for name in here:
        a, b = dense(here[name]), dense(there[name])
        assert a.dtype == b.dtype, name
        scale = max(float(np.abs(b).max(initial=0)), 1e-30)
        np.testing.assert_allclose(a / scale, b / scale, rtol=0, atol=within, err_msg=name)


def assert_same_scores(one: Configured[Any], other: Configured[Any], queries: Queries) -> None:
    here, there = one.score(queries), other.score(queries)
    largest = max(float(np.nanmax(np.abs(there), initial=0)), 1e-30)
    np.testing.assert_allclose(here / largest, there / largest, rtol=0, atol=1e-5)


def test_those_who_stay_are_answered_as_if_the_others_had_never_taught(instance: Instance, shop: TrainingSet) -> None:
    left, never = fitted(instance, shop).without(GONE), fitted(instance, others := shop.without(GONE))
    shapes = {name: value.shape for name, value in attributes(left).items()}
    assert shapes == {name: value.shape for name, value in attributes(never).items()}
    assert left.exact_without == (instance.kind in KEEPS_NOTHING)
    if left.exact_without:
        assert_same_learned(left, never)
        assert_same_scores(left, never, asked(others))
        assert not left.known_[ITEMS - 1]  # nobody else has it


def test_rows_of_those_who_go_are_in_no_array_and_the_rest_is_as_it_was(instance: Instance, shop: TrainingSet) -> None:
    recommender = fitted(instance, shop)
    before = {name: dense(value).copy() for name, value in attributes(recommender).items()}
    left = recommender.without(GONE)
    for name, value in attributes(recommender).items():
        np.testing.assert_array_equal(dense(value), before[name], err_msg=name)
    assert left is not recommender
    assert left.config == recommender.config
    for name, value in attributes(left).items():
        assert (dense(value).shape != before[name].shape) == (name in recommender.PEOPLE), name
        if not left.exact_without and name not in recommender.PEOPLE:
            np.testing.assert_array_equal(dense(value), before[name], err_msg=name)


def test_whatever_counts_people_is_declared(instance: Instance, shop: TrainingSet) -> None:
    recommender, taught = fitted(instance, shop), shop.teaching
    visits = len(np.unique(taught.basket[taught.strength > 0]))
    assert len({USERS, ITEMS, CATEGORIES, visits}) == 4
    of_people = {
        name: axes
        for name, value in attributes(recommender).items()
        if (axes := tuple(axis for axis, size in enumerate(value.shape) if size in {USERS, visits}))
    }
    assert of_people == dict(recommender.PEOPLE)


def test_one_after_another_is_all_at_once(instance: Instance, shop: TrainingSet) -> None:
    recommender = fitted(instance, shop)
    at_once, queries = recommender.without(GONE), asked(shop.without(GONE))
    one_by_one = recommender.without(np.array([52], np.int32)).without(np.array([SIGNED], np.int32))
    one_by_one = one_by_one.without(np.array([16], np.int32))  # 17 moved up when 5 went
    assert_same_learned(one_by_one, at_once)
    assert_same_scores(one_by_one, at_once, queries)


def test_without_nobody_is_the_same(instance: Instance, shop: TrainingSet) -> None:
    recommender = fitted(instance, shop)
    assert_same_learned(recommender.without(np.empty(0, np.int32)), recommender, within=1e-7)


def test_without_everybody_there_is_nothing_to_say_of_people(instance: Instance, shop: TrainingSet) -> None:
    left = fitted(instance, shop).without(np.arange(USERS, dtype=np.int32))
    scores = left.score(replace(folded_in(asked(shop)), links=None))
    assert scores.shape == (USERS, ITEMS)
    if left.exact_without:
        assert np.isnan(scores).all()


def test_arrays_of_files_are_not_written_to(instance: Instance, shop: TrainingSet, tmp_path: Path) -> None:
    recommender = fitted(instance, shop)
    arrays = {}
    for name, array in learned(recommender).items():
        np.save(tmp_path / f"{name}.npy", array)
        arrays[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r" if array.size else None)
    mapped = restored(instance.kind, instance.config, arrays)
    assert isinstance(mapped, Configured)
    left = mapped.without(GONE)
    assert_same_learned(left, recommender.without(GONE), within=1e-7)
    again = restored(instance.kind, instance.config, learned(left))
    queries = asked(shop.without(GONE))
    np.testing.assert_array_equal(again.score(queries), left.score(queries))


def test_who_learns_the_same_is_taught_by_what_is_left(shop: TrainingSet) -> None:
    pairs = [(one, other) for one in EVERY for other in EVERY if one.name < other.name and one.learns_as(other)]
    assert len({one.kind for one, _ in pairs}) >= 2
    others = shop.without(GONE)
    for one, other in pairs:
        taught = other.taught_by(fitted(one, shop).without(GONE))
        assert isinstance(taught, Configured)
        assert_same_scores(taught, other.taught_by(fitted(one, shop)).without(GONE), asked(others))


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (user_knn.UserKnn, user_knn.Config(base_users=20)),
        (recent_neighbours.RecentNeighbours, recent_neighbours.Config(base_users=20)),
    ],
)
def test_of_limited_neighbours_those_who_stay_are_left(shop: TrainingSet, kind: Any, config: Any) -> None:
    """As if those had taught who are compared with, but for those who go: nobody comes in for them."""
    recommender = kind(config).fit(shop, seed=0)
    compared, gone = recommender.base_, recommender.base_[[2, 3, 11]]
    outside, stay = np.setdiff1d(np.arange(USERS), compared), np.setdiff1d(compared, gone)
    left = recommender.without(np.append(gone, outside[:2]))
    np.testing.assert_array_equal(np.setdiff1d(np.arange(USERS), [*gone, *outside[:2]])[left.base_], stay)
    never = kind(config).fit(shop.without(np.setdiff1d(np.arange(USERS), stay)), seed=0)
    left.base_ = never.base_  # the numbers alone differ
    assert_same_learned(left, never)


def test_visits_of_before_it_was_known_whose_they_are_stay(shop: TrainingSet) -> None:
    arrays = learned(session_knn.SessionKnn(session_knn.Config()).fit(shop, seed=0))
    del arrays["person_"]
    old = restored(session_knn.SessionKnn, session_knn.Config(), arrays)
    assert not old.exact_without
    assert_same_learned(old.without(GONE), old, within=0)


def test_what_a_regression_of_items_or_of_all_has_learned_stays(shop: TrainingSet) -> None:
    primal = ease.Ease(ease.Config(dual_users=10)).fit(shop, seed=0)
    assert not primal.exact_without
    assert_same_learned(primal.without(GONE), primal, within=0)
    assert not ease.Ease(ease.Config(transform="tfidf")).fit(shop, seed=0).exact_without


def test_who_follows_nobody_leaves_nothing(shop: TrainingSet) -> None:
    silent = social.Social(social.Config()).fit(replace(shop, links=None), seed=0)
    assert silent.exact_without
    assert silent.without(GONE).tastes_.shape == (USERS - len(GONE), ITEMS)
