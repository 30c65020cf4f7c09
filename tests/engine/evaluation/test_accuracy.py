"""Accuracy metrics by hand, against a loop over the definitions, and against scikit-learn where those agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import ndcg_score

from recommendations.engine.evaluation.accuracy import (
    hit_rate,
    judge,
    mean_average_precision,
    ndcg,
    recall,
    reciprocal_rank,
    revenue_ndcg,
)

METRICS = {
    "recall": recall, "hit_rate": hit_rate, "ndcg": ndcg, "map": mean_average_precision, "mrr": reciprocal_rank,
    "revenue_ndcg": revenue_ndcg,
}  # fmt: skip


def truth_of(*rows: dict[int, float], n_items: int = 30) -> sparse.csr_matrix:
    starts = np.cumsum([0, *map(len, rows)])
    items = [item for row in rows for item in sorted(row)]
    money = [row[item] for row in rows for item in sorted(row)]
    return sparse.csr_matrix((np.array(money, np.float32), items, starts), shape=(len(rows), n_items))


def naive(ranked: list[int], money: dict[int, float], k: int) -> dict[str, float]:
    hits = [place for place, item in enumerate(ranked[:k]) if item in money]
    gain = lambda place: 1 / np.log2(place + 2)  # noqa: E731
    dearest = sorted(money.values(), reverse=True)[:k]
    best_money = sum(value * gain(place) for place, value in enumerate(dearest))
    return {
        "recall": len(hits) / len(money),
        "hit_rate": float(bool(hits)),
        "ndcg": sum(map(gain, hits)) / sum(gain(place) for place in range(min(k, len(money)))),
        "map": sum((n + 1) / (place + 1) for n, place in enumerate(hits)) / min(k, len(money)),
        "mrr": 1 / (hits[0] + 1) if hits else 0.0,
        "revenue_ndcg": sum(money[ranked[place]] * gain(place) for place in hits) / best_money if best_money else 0.0,
    }


def test_metrics_by_hand() -> None:
    """Hits on places 1 and 3 of 4; three bought: NDCG = (1 + ½) / (1 + .6309 + ½)."""
    lists = judge(np.array([[7, 1, 9, 2]], np.int32), truth_of({7: 4.0, 9: 1.0, 20: 10.0}))
    assert recall(lists, 4)[0] == pytest.approx(2 / 3)
    assert hit_rate(lists, 4)[0] == 1
    assert ndcg(lists, 4)[0] == pytest.approx(1.5 / (1.5 + 1 / np.log2(3)))
    assert ndcg(lists, 1)[0] == 1
    assert mean_average_precision(lists, 4)[0] == pytest.approx((1 + 2 / 3) / 3)
    assert reciprocal_rank(lists, 4)[0] == 1
    assert revenue_ndcg(lists, 4)[0] == pytest.approx((4 + 0.5) / (10 + 4 / np.log2(3) + 0.5))


def test_a_miss_everywhere_is_zero_everywhere() -> None:
    lists = judge(np.array([[1, 2, -1, -1]], np.int32), truth_of({7: 4.0}))
    assert all(metric(lists, 4)[0] == 0 for metric in METRICS.values())


def test_a_free_item_is_relevant_and_has_no_gain() -> None:
    lists = judge(np.array([[7, 8]], np.int32), truth_of({7: 0.0}))
    assert ndcg(lists, 2)[0] == recall(lists, 2)[0] == 1
    assert revenue_ndcg(lists, 2)[0] == 0


def test_a_list_shorter_than_k() -> None:
    lists = judge(np.array([[7, 3]], np.int32), truth_of({7: 1.0, 8: 1.0}))
    assert ndcg(lists, 10)[0] == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert mean_average_precision(lists, 10)[0] == 0.5


def test_metrics_of_no_users_are_empty() -> None:
    lists = judge(np.empty((0, 20), np.int32), truth_of())
    assert all(metric(lists, 10).shape == (0,) for metric in METRICS.values())


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_metrics_equal_a_loop_over_the_definitions(seed: int, k: int) -> None:
    draw = np.random.default_rng(seed)
    rows, ranked = [], np.full((5, 20), -1, np.int32)
    for user in range(5):
        bought = draw.choice(30, draw.integers(1, 25), replace=False)
        rows.append({int(item): float(draw.integers(0, 4)) for item in bought})
        length = int(draw.integers(0, 21))
        ranked[user, :length] = draw.choice(30, length, replace=False)
    lists = judge(ranked, truth_of(*rows))
    for user, money in enumerate(rows):
        expected = naive(ranked[user].tolist(), money, k)
        for name, metric in METRICS.items():
            assert metric(lists, k)[user] == pytest.approx(expected[name], abs=1e-6), name


@given(st.integers(0, 2**32 - 1), st.sampled_from([5, 10, 20]))
def test_ndcg_equals_scikit_learn(seed: int, k: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.permuted(np.tile(np.arange(30.0), (4, 1)), axis=1)
    money = draw.integers(0, 5, (4, 30)) * (draw.random((4, 30)) < 0.4).astype(float)
    money[:, 0] = 1
    ranked = np.argsort(-scores, axis=1)[:, :20].astype(np.int32)
    lists = judge(ranked, sparse.csr_matrix(money, dtype=np.float32))
    assert ndcg(lists, k).mean() == pytest.approx(ndcg_score((money > 0).astype(float), scores, k=k))
    assert revenue_ndcg(lists, k).mean() == pytest.approx(ndcg_score(money, scores, k=k))
