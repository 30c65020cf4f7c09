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
    known = BasketDataset.build(list(lines), fmt="UBIT")
    if question.model == "upcf":
        similaripy.asymmetric_cosine = as_matrix(similaripy.asymmetric_cosine)
    model = NEXT_BASKET[question.model](**question.model_settings)
    model.fit(known)
    chosen = known.uir_tuple[1]

    def scores() -> Scores:
        baskets = {user: numbers for user, (numbers, *_) in known.chrono_user_basket_data.items()}
        for user in question.users.tolist():
            if user in known.uid_map:
                number = known.uid_map[user]
                history = [chosen[known.baskets[basket]].tolist() for basket in baskets[number]]
                made = model.score(number, history, history_bids=baskets[number], baskets=known.baskets)
                yield user, np.asarray(made)[: len(known.item_ids)]

    return scores(), np.asarray(known.item_ids, np.int32)


def as_matrix(similarity: Callable) -> Callable:
    """UPCF takes a row of the result and counts on two dimensions; similaripy's arrays would drop one."""
    return lambda *arguments, **settings: csr_matrix(similarity(*arguments, **settings))


def from_ratings(question: Question) -> tuple[Scores, Rows]:
    matrix = question.matrix()
    weights = matrix.weights.tocoo()
    lines = zip(weights.row.tolist(), matrix.items[weights.col].tolist(), weights.data.tolist(), strict=True)
    known = Dataset.build(list(lines), seed=question.seed)
    model = MODELS[question.model](**question.model_settings)
    model.fit(known)

    def scores() -> Scores:
        for user in question.users.tolist():
            if user in known.uid_map:
                yield user, np.asarray(model.score(known.uid_map[user])).ravel()

    return scores(), np.asarray(list(known.item_ids), np.int32)


if __name__ == "__main__":
    answer(fit)
