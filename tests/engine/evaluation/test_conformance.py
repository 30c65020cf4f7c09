"""The metrics against trec_eval, the reference of the field, through its independent Python bindings.

Where the definitions part, the test converts: trec_eval's MAP divides by |GT| and ours by min(k, |GT|) (a list of k can
hold no more); its reciprocal rank looks at the whole list, so it is given k places. Success is our hit rate.
"""

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine.evaluation.accuracy import (
    hit_rate,
    judge,
    mean_average_precision,
    ndcg,
    recall,
    reciprocal_rank,
)

N_ITEMS = 60
USERS = 6
NAMES = {"ndcg_cut", "recall", "map_cut", "recip_rank", "success"}


def scene(seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Ranked lists, some short and some empty, and what each user bought: from one item to more than a list holds."""
    draw = np.random.default_rng(seed)
    bought = [np.sort(draw.choice(N_ITEMS, draw.integers(1, 41), replace=False)) for _ in range(USERS)]
    ranked = np.full((USERS, 20), -1, np.int32)
    for user in range(USERS):
        length = int(draw.integers(0, 21))
        ranked[user, :length] = draw.choice(N_ITEMS, length, replace=False)
    return ranked, bought


def by_trec_eval(ranked: np.ndarray, bought: list[np.ndarray], k: int) -> dict[str, np.ndarray]:
    truth = {f"u{user}": {f"i{item}": 1 for item in items} for user, items in enumerate(bought)}
    run = {
        f"u{user}": {f"i{item}": float(-place) for place, item in enumerate(row[:k]) if item >= 0}
        for user, row in enumerate(ranked)
    }
    metrics = {f"{name}.{k}" for name in NAMES - {"recip_rank"}} | {"recip_rank"}
    values = pytrec_eval.RelevanceEvaluator(truth, metrics).evaluate(run)
    column = lambda name: np.array([values.get(f"u{user}", {}).get(name, 0.0) for user in range(USERS)])  # noqa: E731
    sizes = np.array([len(items) for items in bought])
    return {
        "ndcg": column(f"ndcg_cut_{k}"),
        "recall": column(f"recall_{k}"),
        "map": column(f"map_cut_{k}") * sizes / np.minimum(sizes, k),
        "mrr": column("recip_rank"),
        "hit_rate": column(f"success_{k}"),
    }


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 5, 10, 20]))
def test_metrics_equal_those_of_trec_eval(seed: int, k: int) -> None:
    ranked, bought = scene(seed)
    starts = np.cumsum([0, *map(len, bought)])
    items = np.concatenate(bought)
    lists = judge(ranked, sparse.csr_matrix((np.ones(len(items), np.float32), items, starts), shape=(USERS, N_ITEMS)))
    ours = {"ndcg": ndcg, "recall": recall, "map": mean_average_precision, "mrr": reciprocal_rank, "hit_rate": hit_rate}
    for name, theirs in by_trec_eval(ranked, bought, k).items():
        np.testing.assert_allclose(ours[name](lists, k), theirs, rtol=0, atol=1e-9, err_msg=f"{name}@{k}")


def test_the_reference_would_notice_another_ideal() -> None:
    """Two bought, k = 1, a hit: perfect by min(k, |GT|); against the ideal over |GT| it would be .61."""
    truth = {"u": {"i1": 1, "i2": 1}}
    values = pytrec_eval.RelevanceEvaluator(truth, {"ndcg_cut.1"}).evaluate({"u": {"i1": 1.0}})
    assert values["u"]["ndcg_cut_1"] == pytest.approx(1)
