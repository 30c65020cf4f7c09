import numpy as np
import pytest

from bench.files.parts import pairs_of
from bench.ranking.judging import MOST_RESAMPLED, Entry, Judge
from bench.ranking.report import TaskResult, as_json, table
from recommendations.engine.evaluation.split import Truth

LOG = np.log2


def judge(ks: tuple[int, ...]) -> Judge:
    """User 0 wants items 1 and 4, user 2 item 3 and one that nobody can know; user 1 wants nothing."""
    truth = Truth(spent=pairs_of(np.array([0, 0, 2, 2]), np.array([1, 4, 3, 6]), shape=(3, 7)))
    return Judge(truth=truth, ks=ks, n_items=6, seed=0)


LISTS = np.array([[1, 2, 4], [0, 1, 2], [5, 3, -1]], np.int32)


def test_metrics_at_each_k_by_hand() -> None:
    metrics = judge((1, 2, 3)).line(Entry(name="ours", kind="hybrid", ranked=LISTS)).metrics
    best = 1 + 1 / LOG(3)
    expected = {
        "ndcg@1": (1 + 0) / 2,
        "ndcg@2": (1 / best + (1 / LOG(3)) / best) / 2,
        "ndcg@3": ((1 + 1 / LOG(4)) / best + (1 / LOG(3)) / best) / 2,
        "recall@1": 0.25,
        "recall@2": 0.5,
        "recall@3": 0.75,
        "hit_rate@1": 0.5,
        "hit_rate@2": 1.0,
        "map@1": 0.5,
        "map@2": (1 / 2 + (1 / 2) / 2) / 2,
        "map@3": ((1 + 2 / 3) / 2 + (1 / 2) / 2) / 2,
        "mrr@1": 0.5,
        "mrr@3": (1 + 1 / 2) / 2,
        "coverage@1": 2 / 6,
        "coverage@3": 5 / 6,
    }
    assert {name: metrics[name].value for name in expected} == pytest.approx(expected)
    assert all(measure.low <= measure.value <= measure.high for measure in metrics.values())


def test_intervals_of_many_users_are_normal() -> None:
    n_users = MOST_RESAMPLED + 1
    truth = Truth(spent=pairs_of(np.arange(n_users), np.zeros(n_users, np.int64), shape=(n_users, 2)))
    ranked = np.where(np.arange(n_users)[:, None] % 2, 0, 1).astype(np.int32)
    line = Judge(truth=truth, ks=(1,), n_items=2, seed=0).line(Entry(name="half", kind="hybrid", ranked=ranked))
    value, low, high = line.metrics["hit_rate@1"]
    reach = 1.96 * 0.5 / np.sqrt(n_users)
    assert (value - low, high - value) == pytest.approx((reach, reach), rel=1e-3)


def test_the_hybrid_leads_the_table_and_differences_are_paired() -> None:
    on = judge((2,))
    lines = [
        on.line(Entry(name="other", kind="recommender", ranked=LISTS[:, ::-1].copy())),
        on.line(Entry(name="hybrid", kind="hybrid", ranked=LISTS, fit_s=1.25)),
    ]
    result = TaskResult(task="home", judge=on, lines=lines)
    content = as_json({"use": "test"}, [result])
    assert [row["name"] for row in content["tasks"]["home"]["rows"]] == ["hybrid", "other"]
    ahead = content["protocol"]["hybrid_minus_others"]["home"]["other"]["recall@2"]
    assert ahead["value"] == pytest.approx(lines[1].metrics["recall@2"].value - lines[0].metrics["recall@2"].value)
    text = table(result).splitlines()
    assert text[3].startswith("hybrid")
    assert len({len(line) for line in text[1:3]}) == 1
