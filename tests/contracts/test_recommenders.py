"""Contracts that every registered instance keeps, whatever is inside (``engine/recommenders/protocol.py``)."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import numpy as np
import pytest

from recommendations.engine.frames import Catalogue, Queries, TrainingSet
from recommendations.engine.recommenders import buy_again, popularity, spectral, transformer
from recommendations.engine.recommenders.protocol import Recommender, learned, restored
from recommendations.engine.recommenders.registry import EVERY, SEEDED, Instance, instances_of
from recommendations.terms import BlendName, Reason
from tests.shop import (
    Act,
    checkerboard,
    everybody,
    folded_in,
    in_view,
    interactions,
    stranger,
    training_set,
    with_net,
    worked_example,
)

CONTRACTED = (
    *EVERY,
    Instance(name="popular", kind=popularity.Popularity, config=popularity.Config(half_life=None)),
    Instance(name="spectral", kind=spectral.Spectral, config=spectral.Config()),
    Instance(name="spectral_context", kind=spectral.Spectral, config=spectral.Config(profile="context")),
    Instance(name="personal_frequency", kind=buy_again.BuyAgain, config=buy_again.Config(half_life=None, prior=1e-4)),
)
LEAVES_ONESELF_OUT = {"user_knn", "user_knn_discover", "recent_neighbours_home", "recent_neighbours_discover"}
RANDOM_START = {"als", "als_discover"}  # another order of items is another start, hence other factors
SAME_FOR_ALL = {"popularity_home", "popularity_discover", "popular"}
ONLY_OLD = {"buy_again", "repurchase", "personal_frequency"}  # what was never bought is there only by its popularity


@pytest.fixture(params=CONTRACTED, ids=lambda instance: instance.name)
def instance(request: pytest.FixtureRequest) -> Instance:
    return request.param


@pytest.fixture
def board() -> TrainingSet:
    return checkerboard(20)


def asked(training: TrainingSet) -> Queries:
    """Queries of everybody, with the items of their history in view, so that either kind of profile can answer."""
    histories = training.interactions
    bought = [np.unique(histories.item[histories.user == user]).tolist() for user in range(training.n_users)]
    return everybody(training, context=in_view(bought, n_items=training.n_items))


def fitted(instance: Instance, training: TrainingSet, *, seed: int = 7) -> Recommender:
    if instance.kind is transformer.Transformer:
        training = with_net(training)
    return instance.build().fit(training, seed=seed)


def tiny_shops() -> dict[str, TrainingSet]:
    return {
        "one customer, one item": training_set([Act(0, 0, 0)], n_users=1, category_of=[0]),
        "nobody and nothing": training_set([], n_users=0, category_of=[]),
        "customers and items, no acts": training_set([], n_users=3, category_of=[0, 0, 1]),
        "items without categories": TrainingSet(
            interactions=interactions([Act(0, 0, 0), Act(1, 1, 1)], n_users=2, n_items=2),
            catalogue=replace(
                training_set([], n_users=0, category_of=[0, 0]).catalogue, categories=in_view([[], []], n_items=0)
            ),
        ),
        "only views": training_set(
            [Act(0, 0, 0, 1.0, 0.2, False), Act(1, 1, 1, 2.0, 0.2, False)], n_users=2, category_of=[0, 1]
        ),
        "all taken back": training_set(
            [Act(0, 0, 0, 3.0), Act(0, 0, 1, 1.0, -1.0, False)], n_users=1, category_of=[0, 0]
        ),
        "more taken back than bought": training_set(
            [Act(0, 0, 0, 3.0), Act(0, 0, 1, 1.0, -1.0, False), Act(0, 0, 2, 0.5, -1.0, False), Act(0, 1, 0, 3.0)],
            n_users=1,
            category_of=[0, 0],
        ),
        "worked example": worked_example(),
    }


def test_names_are_unique_and_every_blend_has_instances() -> None:
    assert len({instance.name for instance in CONTRACTED}) == len(CONTRACTED)
    assert all(instance.blends for instance in EVERY)
    assert all(len(instances_of(blend)) >= 3 for blend in BlendName)


def test_the_configuration_is_data(instance: Instance) -> None:
    data = json.loads(json.dumps(asdict(instance.config)))
    assert type(instance.config)(**data) == instance.config


def test_scores_have_the_shape_of_queries_and_items(instance: Instance, board: TrainingSet) -> None:
    scores = fitted(instance, board).score(asked(board))
    assert scores.shape == (20, 20)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", tiny_shops())
def test_tiny_shops_raise_no_error(instance: Instance, name: str) -> None:
    training = tiny_shops()[name]
    recommender = fitted(instance, training)
    queries = asked(training)
    scores = recommender.score(queries)
    assert scores.shape == (training.n_users, training.n_items)
    assert scores.dtype == np.float32
    assert not np.isinf(scores).any()
    for user in range(min(training.n_users, 3)):
        for item in range(min(training.n_items, 9)):
            terms = recommender.evidence(_one(queries, user), item)
            assert all(0 < term.share <= 1 + 1e-6 for term in terms)


def test_the_same_seed_gives_the_same_scores(instance: Instance, board: TrainingSet) -> None:
    first, again = (fitted(instance, board, seed=3).score(asked(board)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_what_is_not_seeded_is_the_same_under_any_seed(instance: Instance, board: TrainingSet) -> None:
    first, other = (fitted(instance, board, seed=seed).score(asked(board)) for seed in (3, 4))
    if instance.name in RANDOM_START:
        assert instance.kind in SEEDED
        assert not np.allclose(first, other, rtol=1e-7, atol=0)
    elif instance.kind not in SEEDED:
        np.testing.assert_array_equal(first, other)


def test_fitting_and_scoring_do_not_change_the_training_data(instance: Instance) -> None:
    board, untouched = checkerboard(10), checkerboard(10)
    recommender = fitted(instance, board)
    recommender.score(asked(board))
    recommender.evidence(_one(asked(board), 0), 1)
    for name in ("item", "age", "strength"):
        np.testing.assert_array_equal(getattr(board.interactions, name), getattr(untouched.interactions, name))
    for name in ("categories", "terms"):
        here, there = getattr(board.catalogue, name), getattr(untouched.catalogue, name)
        np.testing.assert_array_equal(here.toarray(), there.toarray())


def test_a_folded_in_history_is_scored_as_in_training(instance: Instance, board: TrainingSet) -> None:
    queries = asked(board)
    if instance.name in LEAVES_ONESELF_OUT:
        others = _without(board, user=4)
        inside = fitted(instance, board).score(_one(queries, 4))
        new = fitted(instance, others).score(folded_in(_one(queries, 4)))
    else:
        recommender = fitted(instance, board)
        inside, new = recommender.score(queries), recommender.score(folded_in(queries))
    np.testing.assert_allclose(new, inside, rtol=1e-5, atol=1e-7)


def test_a_block_is_scored_as_its_queries_one_by_one(instance: Instance, board: TrainingSet) -> None:
    recommender, queries = fitted(instance, board), asked(board)
    alone = np.concatenate([recommender.score(_one(queries, user)) for user in range(20)])
    np.testing.assert_allclose(recommender.score(queries), alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*tiny_shops(), "board"])
def test_a_row_has_the_scores_of_its_query(instance: Instance, name: str) -> None:
    training = tiny_shops().get(name) or checkerboard(20)
    recommender, queries, every = fitted(instance, training), asked(training), np.arange(training.n_items)
    for user in range(training.n_users):
        row, scores = recommender.row(_one(queries, user)), recommender.score(_one(queries, user))[0]
        np.testing.assert_allclose(row.at(every), scores, rtol=1e-5, atol=1e-7)
        for n, but in ((1, []), (5, [0, 3]), (50, [1])):
            closed = np.array([item for item in but if item < training.n_items], np.int32)
            best, open_ = row.best(n, but=closed), np.setdiff1d(np.flatnonzero(~np.isnan(scores)), closed)
            assert len(set(best.tolist())) == len(best) == min(n, len(open_))
            assert set(best.tolist()) <= set(open_.tolist())
            highest = np.sort(scores[open_])[::-1][:n]
            np.testing.assert_allclose(np.sort(scores[best])[::-1], highest, rtol=1e-5, atol=1e-7)


def test_a_stranger_gets_an_answer_or_silence(instance: Instance, board: TrainingSet) -> None:
    recommender, query = fitted(instance, board), stranger(20)
    scores = recommender.score(query)
    assert scores.shape == (1, 20)
    assert np.isfinite(scores).all() or np.isnan(scores).all()
    silent = not (instance.name in SAME_FOR_ALL or instance.name.startswith("segments"))
    assert np.isnan(scores).all() == silent
    if silent:
        assert not any(recommender.evidence(query, item) for item in range(20))


def test_a_context_profile_is_silent_without_items_in_view(board: TrainingSet) -> None:
    for instance in EVERY:
        if getattr(instance.config, "profile", "history") == "context":
            assert np.isnan(fitted(instance, board).score(everybody(board))).all(), instance.name


def test_permuted_items_give_permuted_scores(instance: Instance, board: TrainingSet) -> None:
    if instance.name in RANDOM_START:
        pytest.skip("another order of items is another random start")
    order = np.random.default_rng(5).permutation(20)  # new row n holds the old item order[n]
    here = fitted(instance, board).score(asked(board))
    mixed = _reordered(board, order)
    there = fitted(instance, mixed).score(asked(mixed))
    np.testing.assert_allclose(there, here[:, order], rtol=1e-4, atol=1e-5)


def test_the_held_out_item_wins(instance: Instance, board: TrainingSet) -> None:
    queries = asked(board)
    scores = fitted(instance, board).score(queries)
    new = queries.histories.matrix().toarray() == 0
    if instance.name in SAME_FOR_ALL | ONLY_OLD:
        popularity = np.full(20, 9)  # every item has nine buyers: nothing to choose by
        assert np.ptp(np.where(new, scores, scores[0, 1])[0][popularity > 0]) < 1e-6 or instance.name in ONLY_OLD
        return
    best = np.where(new, scores, -np.inf).argmax(axis=1)
    np.testing.assert_array_equal(best, np.arange(20))


def test_bought_items_win_where_old_items_count(board: TrainingSet) -> None:
    for instance in EVERY:
        if instance.name in ONLY_OLD:
            scores = fitted(instance, board).score(asked(board))
            bought = board.interactions.matrix().toarray() > 0
            assert scores[bought].min() > scores[~bought].max(), instance.name


def test_a_restored_recommender_scores_the_same_bits(instance: Instance, board: TrainingSet) -> None:
    recommender = fitted(instance, board)
    arrays = {name: np.ascontiguousarray(array) for name, array in learned(recommender).items()}
    assert all(array.dtype.kind in "fiub" for array in arrays.values())
    for array in arrays.values():
        array.flags.writeable = False  # as memory-mapped files are
    again = restored(instance.kind, instance.config, arrays)
    np.testing.assert_array_equal(again.score(asked(board)), recommender.score(asked(board)))
    assert again.evidence(_one(asked(board), 2), 2) == recommender.evidence(_one(asked(board), 2), 2)


def test_evidence_names_items_and_categories_that_exist(instance: Instance, board: TrainingSet) -> None:
    recommender, queries = fitted(instance, board), asked(board)
    for user in (0, 7):
        query = _one(queries, user)
        item = 2 + user % 2 if instance.name in ONLY_OLD else user
        history = set(query.histories.item.tolist())
        terms = recommender.evidence(query, item)
        assert terms
        assert [term.share for term in terms] == sorted((term.share for term in terms), reverse=True)
        assert 0 < sum(term.share for term in terms) <= 1 + 1e-5
        for term in terms:
            assert term.item is None or term.item in history
            assert term.category is None or term.category == item % 2
            assert all(np.isfinite(number) for number in term.facts.values())


FACTS = {
    Reason.BOUGHT_BEFORE: {"times", "days_since", "every_days"},
    Reason.BOUGHT_TOGETHER: {"lift", "confidence"},
    Reason.YOU_BUY_TOGETHER: {"lift", "confidence"},
    Reason.SIMILAR_CUSTOMERS: {"neighbours", "of"},
    Reason.INTEREST: {"share"},
    Reason.SEGMENT: {"segment", "share"},
    Reason.POPULAR: {"buyers", "days"},
    Reason.FOLLOWING: {"people"},
}


def test_evidence_has_the_facts_that_its_sentence_needs(instance: Instance, board: TrainingSet) -> None:
    recommender, queries = fitted(instance, board), asked(board)
    for item in (0, 2):
        for term in recommender.evidence(_one(queries, 0), item):
            assert set(term.facts) == FACTS.get(term.reason, set())
            names_an_item = {
                Reason.BECAUSE_YOU_BOUGHT, Reason.BECAUSE_YOU_VIEWED, Reason.BOUGHT_TOGETHER, Reason.YOU_BUY_TOGETHER,
                Reason.BOUGHT_NEXT, Reason.SIMILAR_ITEM,
            }  # fmt: skip
            assert (term.item is not None) == (term.reason in names_an_item | {Reason.BOUGHT_BEFORE})
            assert (term.category is not None) == (term.reason is Reason.INTEREST)


def test_scores_from_many_threads_are_the_same(instance: Instance, board: TrainingSet) -> None:
    recommender, queries = fitted(instance, board), asked(board)
    blocks = [queries if n % 2 else _one(queries, n) for n in range(16)]
    serial = [recommender.score(block) for block in blocks]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(recommender.score, blocks))
    for one, other in zip(serial, parallel, strict=True):
        np.testing.assert_array_equal(one, other)


def _one(queries: Queries, row: int) -> Queries:
    return Queries(
        histories=queries.histories.of_users(np.asarray([row])),
        training_rows=queries.training_rows[[row]],
        context=None if queries.context is None else queries.context[[row]],
        links=None if queries.links is None else queries.links[[row]],
    )


def _without(training: TrainingSet, *, user: int) -> TrainingSet:
    acts = training.interactions
    return replace(training, interactions=acts.where(acts.user != user))


def _reordered(training: TrainingSet, order: np.ndarray) -> TrainingSet:
    catalogue = training.catalogue
    return TrainingSet(
        interactions=replace(
            training.interactions, item=np.argsort(order)[training.interactions.item].astype(np.int32)
        ),
        catalogue=Catalogue(
            categories=catalogue.categories[order],
            terms=catalogue.terms[order],
            price=catalogue.price[order],
            listed_age=catalogue.listed_age[order],
            vectors=None if catalogue.vectors is None else catalogue.vectors[order],
        ),
        links=training.links,
    )
