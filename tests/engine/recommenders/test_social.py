"""Social: a profile completed by those whom the person follows; by hand, and with nothing that tells who they are."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import Queries, TrainingSet
from recommendations.engine.recommenders.ease import Config as EaseConfig
from recommendations.engine.recommenders.ease import Ease
from recommendations.engine.recommenders.social import FEWEST, Config, Social
from recommendations.terms import Reason
from tests.shop import Act, everybody, folded_in, follows, interactions, training_set

LIKE_EASE = {"transform": "binary", "half_life": None, "profile_half_life": None, "ridge": 5.0}


@pytest.fixture
def shop() -> TrainingSet:
    """Four people with baskets of their own, and item 5 that only the last has."""
    acts = [Act(user, item, user) for user, own in enumerate([(0, 1), (1, 2), (2, 3), (4, 5)]) for item in own]
    made = training_set(acts, n_users=4, category_of=[0] * 6)
    return replace(made, links=follows({0: [1]}, n_users=4))


def asking(shop: TrainingSet, followed: list[int], *, acts: tuple[Act, ...] = ()) -> Queries:
    """The query of somebody new who follows these people."""
    histories = interactions(acts, n_users=1, n_items=shop.n_items)
    links = follows({0: [other + 1 for other in followed]}, n_users=shop.n_users + 1)[[0]][:, 1:]
    return Queries(histories=histories, training_rows=np.array([-1], np.int32), links=links.tocsr())


def fitted(shop: TrainingSet) -> tuple[Social, np.ndarray]:
    """The recommender, and the scores that EASE gives each person of the shop."""
    ease = Ease(EaseConfig(**LIKE_EASE)).fit(shop, seed=0)
    return Social(Config(**LIKE_EASE)).fit(shop, seed=0), ease.score(folded_in(everybody(shop)))


def test_who_did_nothing_is_scored_as_the_one_they_follow(shop: TrainingSet) -> None:
    social, scores = fitted(shop)
    np.testing.assert_allclose(social.score(asking(shop, [2]))[0], scores[2], rtol=1e-5, atol=1e-6)


def test_of_several_whom_they_follow_each_counts_alike(shop: TrainingSet) -> None:
    social, scores = fitted(shop)
    mean = scores[[0, 2, 3]].mean(axis=0)
    np.testing.assert_allclose(social.score(asking(shop, [0, 2, 3]))[0], mean, rtol=1e-5, atol=1e-6)


def test_those_of_the_same_taste_count_more(shop: TrainingSet) -> None:
    social, scores = fitted(shop)
    acts = (Act(0, 0, 0), Act(0, 1, 0))
    own = Ease(EaseConfig(**LIKE_EASE)).fit(shop, seed=0).score(asking(shop, [], acts=acts))[0]
    theirs = (1.02 * scores[0] + 0.02 * scores[3]) / 1.04  # one of their taste, and a stranger
    expected = own + theirs / (2 + 1)  # two acts of one's own
    np.testing.assert_allclose(social.score(asking(shop, [0, 3], acts=acts))[0], expected, rtol=1e-4, atol=1e-5)


def test_who_follows_nobody_gets_no_score(shop: TrainingSet) -> None:
    social, _ = fitted(shop)
    scores = social.score(everybody(shop))
    assert np.isfinite(scores[0]).all()
    assert np.isnan(scores[1:]).all()
    assert np.isnan(social.score(replace(everybody(shop), links=None))).all()


def test_a_shop_without_links_learns_nothing_and_says_nothing(shop: TrainingSet) -> None:
    social = Social(Config()).fit(replace(shop, links=None), seed=0)
    assert not hasattr(social, "kernel_")
    assert np.isnan(social.score(everybody(shop))).all()


def test_fewer_than_three_people_are_never_told_of() -> None:
    acts = [Act(user, 0, user) for user in range(FEWEST)] + [Act(3, 1, 3)]
    shop = replace(training_set(acts, n_users=4, category_of=[0, 0]), links=follows({3: [0]}, n_users=4))
    social = Social(Config(**LIKE_EASE)).fit(shop, seed=0)
    (told,) = social.evidence(asking(shop, [0, 1, 2, 3]), 0)
    assert (told.reason, told.facts, told.item) == (Reason.FOLLOWING, {"people": 3.0}, None)
    assert social.evidence(asking(shop, [0, 1, 3]), 0) == []
    assert social.evidence(asking(shop, [0, 1, 2, 3]), 1) == []
