"""Relevance as the log tells it: a ridge regression of clicks per attention on what the recommenders say of an item.

It steadies an estimate and is never its ground: where it is wrong, the clicks correct it. It is cross-fitted (Newey and
Robins 2018), so that no customer's clicks speak twice.
"""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray

type Values = NDArray[np.float64]

FOLDS = 5
RIDGE = 1e-3


def relevance_features(z: FloatArray, ranks: NDArray[np.integer]) -> FloatArray:
    """Features of candidates [answers, items, instances + 2]: z, 0 where one is silent, log of the rank, and 1.

    ``z`` is [answers, items, instances], ``ranks`` [answers, items] are those of the weights that answered, 0 = first.
    """
    plain = np.nan_to_num(np.asarray(z, np.float32))
    rank = np.log1p(np.maximum(ranks, 0)).astype(np.float32)[..., None]
    return np.concatenate([plain, rank, np.ones_like(rank)], axis=2)


def relevance(
    features: FloatArray,
    *,
    places: NDArray[np.integer],
    outcomes: Values,
    q: Values,
    customers: NDArray[np.integer],
    most: float = 1.0,
) -> Values:
    """Expected outcome of each item if it is looked at [answers, items], from 0 to ``most``.

    ``places`` [answers, slots] are items that were shown, −1 for none, ``outcomes`` what came of them, ``q`` [slots]
    the attention. Least squares of outcome on q · features, for each fold of customers from the other folds.
    """
    there = places >= 0
    logged = np.take_along_axis(features, np.maximum(places, 0)[..., None], axis=1) * (q * there)[..., None]
    fold = np.unique(customers, return_inverse=True)[1] % FOLDS
    grams, rights = [], []
    for number in range(FOLDS):
        rows = logged[fold == number].reshape(-1, features.shape[2]).astype(np.float64)
        grams.append(rows.T @ rows)
        rights.append(rows.T @ outcomes[fold == number].ravel())
    gram, right = sum(grams), sum(rights)
    ridge = RIDGE * np.eye(features.shape[2])
    slopes = [np.linalg.solve(gram - own + ridge, right - mine) for own, mine in zip(grams, rights, strict=True)]
    fitted = features @ np.stack(slopes, axis=1).astype(np.float32)
    of_fold = np.take_along_axis(fitted, fold[:, None, None], axis=2)[..., 0]
    return np.clip(of_fold.astype(np.float64), 0.0, most)
