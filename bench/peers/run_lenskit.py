"""LensKit's scorers; runs on the peer's own Python."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from lenskit.als import ImplicitMFScorer
from lenskit.basic.candidates import TrainingItemsCandidateConfig, TrainingItemsCandidateSelector
from lenskit.batch import recommend
from lenskit.data import Dataset, from_interactions_df
from lenskit.knn import EASEScorer, ItemKNNScorer, SLIMScorer, UserKNNScorer
from lenskit.pipeline import RecPipelineBuilder

from bench.peers.exchange import Matrix, Question, Rows, answer

HIDDEN = 400  # more places are asked for where the model does not see everything that a list has to leave out

MODELS: Mapping[str, Callable] = {
    "als": ImplicitMFScorer,
    "ease": EASEScorer,
    "item_knn": ItemKNNScorer,
    "slim": SLIMScorer,
    "user_knn": UserKNNScorer,
}


def dataset(matrix: Matrix) -> Dataset:
    weights = matrix.weights.tocoo()
    frame = pd.DataFrame({"user_id": weights.row, "item_id": matrix.items[weights.col], "rating": weights.data})
    return from_interactions_df(frame)


def fit(question: Question) -> Callable[[], Rows]:
    places = question.k + (HIDDEN if question.exclude_seen and "days" in question.data_settings else 0)
    builder = RecPipelineBuilder()
    builder.scorer(MODELS[question.model], question.model_settings)
    builder.ranker(n=places)
    builder.candidate_selector(
        TrainingItemsCandidateSelector,
        TrainingItemsCandidateConfig(exclude="query" if question.exclude_seen else None),
    )
    pipeline = builder.build()
    pipeline.train(dataset(question.matrix()))

    def lists() -> Iterator[tuple[int, Rows]]:
        for key, items in recommend(pipeline, question.users.tolist(), n=places, n_jobs=1).items():
            yield int(key.user_id), np.asarray(items.ids(), np.int32)

    return lambda: question.kept(lists())


if __name__ == "__main__":
    answer(fit)
