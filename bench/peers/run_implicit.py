"""implicit's models; runs on the peer's own Python."""

from collections.abc import Callable, Mapping

from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.lmf import LogisticMatrixFactorization
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from threadpoolctl import threadpool_limits

from bench.peers.exchange import Question, Rows, answer

MODELS: Mapping[str, Callable] = {
    "als": AlternatingLeastSquares,
    "bpr": BayesianPersonalizedRanking,
    "logistic_mf": LogisticMatrixFactorization,
    "bm25": BM25Recommender,
    "cosine": CosineRecommender,
    "tfidf": TFIDFRecommender,
}
FACTORS = {"als", "bpr", "logistic_mf"}


def fit(question: Question) -> Callable[[], Rows]:
    threadpool_limits(1, "blas")  # implicit has threads of its own and asks for this
    seeded = {"random_state": question.seed} if question.model in FACTORS else {}
    model = MODELS[question.model](num_threads=2, **seeded, **question.model_settings)
    matrix = question.matrix()
    model.fit(matrix.weights, show_progress=False)

    def rank() -> Rows:
        columns, _ = model.recommend(
            question.users,
            matrix.profiles[question.users],
            N=question.k,
            filter_already_liked_items=question.exclude_seen,
        )
        return matrix.named(columns)

    return rank


if __name__ == "__main__":
    answer(fit)
