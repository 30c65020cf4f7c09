"""RecTools' models; runs on the peer's own Python."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel, ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel, PureSVDModel
from rectools.models.base import ModelBase
from threadpoolctl import threadpool_limits

from bench.peers.exchange import Matrix, Question, Rows, answer

HIDDEN = 400  # more places are asked for where the model does not see everything that a list has to leave out

NEIGHBOURS = {"bm25": BM25Recommender, "cosine": CosineRecommender, "tfidf": TFIDFRecommender}


def made(question: Question) -> ModelBase:
    settings, seed = question.model_settings, question.seed
    if question.model == "pure_svd":
        return PureSVDModel(random_state=seed, recommend_n_threads=2, **settings)
    if question.model == "ease":
        return EASEModel(recommend_n_threads=2, **settings)
    if question.model == "als":
        return ImplicitALSWrapperModel(AlternatingLeastSquares(random_state=seed, num_threads=2, **settings))
    return ImplicitItemKNNWrapperModel(NEIGHBOURS[question.model](num_threads=2, **settings))


def dataset(matrix: Matrix) -> Dataset:
    weights = matrix.weights.tocoo()
    frame = pd.DataFrame(
        {
            Columns.User: weights.row,
            Columns.Item: matrix.items[weights.col],
            Columns.Weight: weights.data,
            Columns.Datetime: pd.Timestamp("2000-01-01"),  # asked for; none of these models reads it
        }
    )
    return Dataset.construct(frame)


def fit(question: Question) -> Callable[[], Rows]:
    if question.model != "ease":
        threadpool_limits(1, "blas")
    model = made(question)
    data = dataset(question.matrix())
    model.fit(data)
    places = question.k + (HIDDEN if question.exclude_seen and "days" in question.data_settings else 0)

    def lists() -> Iterator[tuple[int, Rows]]:
        users = np.intersect1d(question.users, data.user_id_map.external_ids)
        table = model.recommend(users, data, k=places, filter_viewed=question.exclude_seen)
        for user, group in table.groupby(Columns.User, sort=False):
            yield int(user), group[Columns.Item].to_numpy(np.int32)

    return lambda: question.kept(lists())


if __name__ == "__main__":
    answer(fit)
