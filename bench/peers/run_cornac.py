"""Cornac's models, those of next-basket recommendation among them; runs on the peer's own Python."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import similaripy
from cornac.data import BasketDataset, Dataset
from cornac.models import EASE, TIFUKNN, UPCF, GPTop, ItemKNN
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bench.peers.exchange import Question, Rows, answer

NEXT_BASKET: Mapping[str, Callable] = {"gp_top": GPTop, "tifu_knn": TIFUKNN, "upcf": UPCF}
MODELS: Mapping[str, Callable] = {
    "ease": lambda **settings: EASE(verbose=False, **settings),
    "item_knn": lambda **settings: ItemKNN(verbose=False, num_threads=2, **settings),
}

type Scores = Iterator[tuple[int, NDArray[np.floating]]]


def fit(question: Question) -> Callable[[], Rows]:
    fitted = next_basket if question.model in NEXT_BASKET else from_ratings
    scores, items = fitted(question)
    return lambda: question.best(scores, items)


def next_basket(question: Question) -> tuple[Scores, Rows]:
    rows = question.visible
    order = np.lexsort((rows.item, rows.basket, rows.day, rows.user))
    columns = (rows.user, rows.basket, rows.item, (rows.day * 86_400).astype(np.int64))
    lines = zip(*(column[order].tolist() for column in columns), strict=True)
    data = BasketDataset.build(list(lines), fmt="UBIT")
    if question.model == "upcf":
        similaripy.asymmetric_cosine = as_matrix(similaripy.asymmetric_cosine)
    model = NEXT_BASKET[question.model](**question.model_settings)
    model.fit(data)
    chosen = data.uir_tuple[1]

    def scores() -> Scores:
        baskets = {user: numbers for user, (numbers, *_) in data.chrono_user_basket_data.items()}
        for user in question.users.tolist():
            if user in data.uid_map:
                number = data.uid_map[user]
                history = [chosen[data.baskets[basket]].tolist() for basket in baskets[number]]
                values = model.score(number, history, history_bids=baskets[number], baskets=data.baskets)
                yield user, np.asarray(values)[: len(data.item_ids)]

    return scores(), np.asarray(data.item_ids, np.int32)


def as_matrix(similarity: Callable) -> Callable:
    """Wrap a likeness to return a matrix: UPCF counts on two dimensions, and similaripy's arrays would drop one."""
    return lambda *arguments, **settings: csr_matrix(similarity(*arguments, **settings))


def from_ratings(question: Question) -> tuple[Scores, Rows]:
    matrix = question.matrix()
    weights = matrix.weights.tocoo()
    lines = zip(weights.row.tolist(), matrix.items[weights.col].tolist(), weights.data.tolist(), strict=True)
    data = Dataset.build(list(lines), seed=question.seed)
    model = MODELS[question.model](**question.model_settings)
    model.fit(data)

    def scores() -> Scores:
        for user in question.users.tolist():
            if user in data.uid_map:
                yield user, np.asarray(model.score(data.uid_map[user])).ravel()

    return scores(), np.asarray(list(data.item_ids), np.int32)


if __name__ == "__main__":
    answer(fit)
