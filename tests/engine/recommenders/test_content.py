"""The content recommender: likeness of descriptions, new items, items in view."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import Queries, TrainingSet
from recommendations.engine.recommenders.content import Config, Content
from recommendations.terms import Reason
from tests.shop import Act, everybody, in_view, stranger, training_set

SHELVES = [0, 0, 1, 1, 0]  # each item is described by its shelf and by itself


def shop() -> TrainingSet:
    return training_set([Act(0, 0, 0), Act(1, 2, 1), Act(1, 3, 2)], n_users=2, category_of=SHELVES)


def plain(**changes: object) -> Content:
    return Content(Config(**{"popularity_power": 0.0, "transform": "binary", **changes}))


def test_the_likeness_is_the_cosine_of_the_descriptions() -> None:
    n = len(SHELVES)
    shelf, own = np.log((1 + n) / (1 + 3)) + 1, np.log((1 + n) / (1 + 1)) + 1
    alike = shelf**2 / (shelf**2 + own**2)
    scores = plain().fit(shop(), seed=0).score(everybody(shop()))
    np.testing.assert_allclose(scores[0], [1, alike, 0, 0, alike], rtol=1e-5, atol=1e-7)


def test_popular_items_score_higher() -> None:
    training = training_set([Act(0, 0, 0), *[Act(1 + n, 1, 1 + n) for n in range(9)]], n_users=10, category_of=SHELVES)
    alike = plain().fit(training, seed=0).score(everybody(training))[0]
    pulled = plain(popularity_power=2.0, popularity_half_life=None).fit(training, seed=0).score(everybody(training))[0]
    np.testing.assert_allclose(pulled[1] / alike[1], (np.log(1001) + 1e-3) ** 2, rtol=1e-5)
    np.testing.assert_allclose(pulled[0] / alike[0], (np.log(1 + 1000 / 9) + 1e-3) ** 2, rtol=1e-5)


def test_a_new_item_is_served_an_old_unsold_one_is_not() -> None:
    training = shop()
    ages = np.asarray([365, 365, 365, 365, 2], np.float32)
    training = replace(training, catalogue=replace(training.catalogue, listed_age=ages))
    scores = plain(popularity_power=1.0).fit(training, seed=0).score(everybody(training))[0]
    assert scores[4] > 100 * scores[1] > 0  # items 1 and 4 are described alike and have no sales


def test_items_in_view_are_the_profile() -> None:
    model = plain(profile="context").fit(shop(), seed=0)
    query = replace(stranger(5), context=in_view([[2]], n_items=5))
    scores = model.score(query)[0]
    assert scores.argmax() == 2
    assert np.argsort(-scores)[1] == 3
    (term,) = model.evidence(query, 3)
    assert (term.reason, term.item, term.share) == (Reason.SIMILAR_ITEM, 2, 1.0)
    assert np.isnan(model.score(stranger(5))).all()


def test_evidence_from_the_history() -> None:
    model = plain().fit(shop(), seed=0)
    first, second = model.evidence(everybody_row(shop(), 1), 2)
    assert (first.reason, first.item) == (Reason.BOUGHT_BEFORE, 2)
    assert (second.reason, second.item) == (Reason.SIMILAR_ITEM, 3)
    assert first.share + second.share == pytest.approx(1)


def everybody_row(training: TrainingSet, row: int) -> Queries:
    return training.queries(np.asarray([row]))


def test_an_item_without_a_description_cannot_be_known() -> None:
    training = shop()
    terms = training.catalogue.terms.tolil()
    terms[4] = 0
    training = replace(training, catalogue=replace(training.catalogue, terms=terms.tocsr()))
    scores = plain().fit(training, seed=0).score(everybody(training))
    assert np.isnan(scores[:, 4]).all()
    assert np.isfinite(scores[:, :4]).all()
