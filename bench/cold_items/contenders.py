"""Who ranks cold items: the recommender of vectors, what the product had before it, and simple rules."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from bench.cold_items.sets import ColdSet
from recommendations.engine.frames import FloatArray, IntArray, Queries
from recommendations.engine.preprocess.blocks import dense_product, unit_rows
from recommendations.engine.preprocess.popularity import recent_popularity
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.ranking.scores import top
from recommendations.engine.recommenders import content, content_ridge, interests
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.rng import generator

K = 10
USERS_AT_ONCE = 512
RIDGE = "content_ridge"
RANDOM, POPULAR, SHUFFLED = "random", "popular in the category", "content_ridge, texts shuffled"
WORDS = "content_ridge and words"


def lists(data: ColdSet, *, seed: int) -> Iterator[tuple[str, IntArray]]:
    """Yield (name, ranked items) of each: [people of the truth, places]; −1 after the last.

    Vectors of words stand beside those of texts for one of them, where the extra ``text-vectors`` is installed.
    """
    cold = np.flatnonzero(data.cold)
    people = data.truth.users
    draw = generator(seed, "random lists")
    yield RANDOM, np.array([draw.permutation(cold)[:K] for _ in people], np.int32)
    popular = _of_category(data)[cold]
    yield POPULAR, np.tile(cold[np.argsort(-popular, kind="stable")[:K]], (len(people), 1)).astype(np.int32)
    yield "nearest by words", _ranked(data, lambda queries: _cosine(data, queries))
    for name, recommender in _recommenders().items():
        fitted = recommender.fit(data.training, seed=seed)
        yield name, _ranked(data, fitted.score)
    for name, other in {WORDS: data.with_words(), SHUFFLED: data.shuffled(seed)}.items():
        if other is not None:
            ridge = content_ridge.ContentRidge(content_ridge.Config()).fit(other.training, seed=seed)
            yield name, _ranked(other, ridge.score)


def _recommenders() -> Mapping[str, Recommender]:
    return {
        "interests": interests.Interests(interests.Config()),
        "content": content.Content(content.Config()),
        RIDGE: content_ridge.ContentRidge(content_ridge.Config()),
    }


def _ranked(data: ColdSet, score: Callable[[Queries], FloatArray]) -> IntArray:
    """The ten best cold items of each person of the truth; what cannot be known comes last."""
    cold, parts = np.flatnonzero(data.cold), []
    for start in range(0, len(data.truth.users), USERS_AT_ONCE):
        block = data.queries.of(data.truth.users[start : start + USERS_AT_ONCE])
        scores = score(block)[:, cold]
        places = top(np.where(np.isnan(scores), -np.inf, scores).astype(np.float32), K)
        parts.append(np.where(places >= 0, cold[places], -1))
    return np.concatenate(parts).astype(np.int32)


def _of_category(data: ColdSet) -> FloatArray:
    """How much is sold in the categories of each item."""
    categories = data.training.catalogue.categories
    sold = recent_popularity(data.training.teaching, half_life=None)
    return np.asarray(categories @ (categories.T @ sold), np.float32)


def _cosine(data: ColdSet, queries: Queries) -> FloatArray:
    features = unit_rows(data.training.catalogue.terms)
    profile = transformed(act_weights(queries.histories, half_life=90.0), "log")
    return dense_product(unit_rows(profile @ features).toarray(), features)
