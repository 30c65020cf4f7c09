"""Items of a training set with the vectors of their texts."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.describe.text import CountedTexts, text_space
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.matrix import TrainingSnapshot


def with_vectors(made: TrainingSnapshot, *, texts: CountedTexts, ids: NDArray[np.int64]) -> TrainingSnapshot:
    """Describe the items of a snapshot by their own texts: no other item, and nothing that anybody did, is known.

    ``ids`` are the items that were counted, in their order.
    """
    items = places(ids, made.items)
    vectors = text_space(texts, items).vectors(texts, items)
    catalogue = replace(made.training.catalogue, vectors=vectors)
    return replace(made, training=replace(made.training, catalogue=catalogue))


def places(ids: NDArray[np.int64], items: IdMap) -> NDArray[np.int64]:
    """Where each item stands among ``ids``; −1 where it does not."""
    order = np.argsort(ids, kind="stable")
    at = IdMap(ids=ids[order]).rows(items.ids)
    return np.where(at >= 0, order[at], -1) if len(order) else at.astype(np.int64)
