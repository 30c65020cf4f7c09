"""Pooling against a naive loop, with scorers whose answers are a table."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.frames import FloatArray, Queries, TrainingSet
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, Limits, candidate_blocks, candidates
from recommendations.engine.recommenders.protocol import Evidence
from tests.shop import Act, checkerboard, everybody, stranger, training_set

SMALL = Limits(nominated=6, kept=9, own=2, threads=2, lane_bytes=2_000)


@dataclass
class Table:
    """Scores by training row, read from a table; a stranger gets NaN."""

    scores: FloatArray
    config: Any = None
    asked: list[int] = field(default_factory=list)

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        return self

    def score(self, queries: Queries) -> FloatArray:
        self.asked.append(len(queries))
        scores = self.scores[queries.training_rows].copy()
        scores[queries.training_rows < 0] = np.nan
        scores.setflags(write=False)  # a recommender may answer with memory that is not ours to change
        return scores

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        return []


def tables(n_users: int, n_items: int, n: int, seed: int = 0) -> list[Table]:
    draw = np.random.default_rng(seed)
    scorers = []
    for _ in range(n):
        scores = draw.integers(-3, 12, (n_users, n_items)).astype(np.float32)
        scores[draw.random(scores.shape) < 0.3] = np.nan
        scorers.append(Table(scores))
    scorers[0].scores[1] = np.nan
    scorers[1].scores[2] = 4
    return scorers


def expected_record(
    scores: Sequence[np.ndarray], barred: set[int], weights: Sequence[float], limits: Limits
) -> tuple[list[int], np.ndarray, list[list[int]]]:
    """The rules of ``maths.md`` §4, one query, one Python loop."""
    ranked = [
        sorted((i for i in range(len(row)) if i not in barred and not np.isnan(row[i])), key=lambda i: (-row[i], i))
        for row in scores
    ]
    pool = sorted({i for order in ranked for i in order[: limits.nominated]})
    z = np.full((len(scores), len(pool)), np.nan)
    for m, row in enumerate(scores):
        values = [float(row[i]) for i in pool if not np.isnan(row[i])]
        sd = np.std(values) if values else 0
        for at, i in enumerate(pool):
            if not np.isnan(row[i]):
                z[m, at] = (row[i] - np.mean(values)) / sd if sd > 1e-9 else 0
    z16 = z.astype(np.float32).astype(np.float16)
    blend = (np.nan_to_num(z16.astype(np.float32)) * np.array(weights, np.float32)[:, None]).sum(axis=0)
    own = [order[: limits.own] for order in ranked]
    first_place = {i: min(order.index(i) for order in own if i in order) for order in own for i in order}
    best = sorted(range(len(pool)), key=lambda at: (first_place.get(pool[at], 99), -blend[at], pool[at]))
    best = sorted(best[: limits.kept])
    return [pool[at] for at in best], z16[:, best], own


def assert_equals_the_rules(found: Candidates, stacks: Sequence[np.ndarray], plan: BlendPlan, limits: Limits) -> None:
    excluded = plan.excluded
    for q in range(len(found)):
        barred = set() if excluded is None else set(excluded[q].indices.tolist())
        weights = [plan.weights.get(name, 0.0) for name in plan.instances]
        items, z, own = expected_record([stack[q] for stack in stacks], barred, weights, limits)
        assert found.items[q].tolist() == items + [-1] * (limits.kept - len(items))
        np.testing.assert_allclose(found.z[q][:, : len(items)].astype(float), z.astype(float), atol=2e-3)
        np.testing.assert_array_equal(np.isnan(found.z[q][:, : len(items)]), np.isnan(z))
        assert np.isnan(found.z[q][:, len(items) :]).all()
        for m, best in enumerate(own):
            assert found.own[q, m].tolist() == best + [-1] * (limits.own - len(best))


def test_records_of_two_blends_at_once_equal_the_naive_loop() -> None:
    shop = checkerboard(30)
    a, b, c = tables(30, 30, 3)
    fitted = [FittedInstance(name=name, recommender=t) for name, t in zip("abc", (a, b, c), strict=True)]
    bought = shop.interactions.matrix()
    plans = {
        "discover": BlendPlan(weights={"b": 0.5, "c": 0.5}, instances=("b", "c"), excluded=bought),
        "home": BlendPlan(weights={"a": 0.6, "b": 0.3, "c": 0.1}, instances=("a", "b", "c")),
    }
    records = candidates(fitted, everybody(shop), plans=plans, limits=SMALL)
    assert records["home"].instances == ("a", "b", "c")
    assert_equals_the_rules(records["home"], [a.scores, b.scores, c.scores], plans["home"], SMALL)
    assert_equals_the_rules(records["discover"], [b.scores, c.scores], plans["discover"], SMALL)
    held = [set(row.tolist()) for row in records["discover"].items]
    assert not any(held[u] & set(bought[u].indices.tolist()) for u in range(30))
    assert sum(a.asked) == sum(b.asked) == 30  # scored once though two blends weigh it
    assert len(a.asked) > 2  # in several blocks


@pytest.mark.parametrize(
    "limits", [replace(SMALL, threads=1), replace(SMALL, lane_bytes=10**9), replace(SMALL, block_rows=1)]
)
def test_blocks_and_threads_do_not_change_the_records(limits: Limits) -> None:
    shop = checkerboard(20)
    fitted = [FittedInstance(name=f"r{n}", recommender=t) for n, t in enumerate(tables(20, 20, 3))]
    plans = {"home": BlendPlan(weights={"r0": 1}, instances=("r0", "r1", "r2"))}
    reference = candidates(fitted, everybody(shop), plans=plans, limits=SMALL)["home"]
    other = candidates(fitted, everybody(shop), plans=plans, limits=limits)["home"]
    for part in ("items", "z", "own"):
        assert getattr(reference, part).tobytes() == getattr(other, part).tobytes()


def test_trend_multiplies_the_positive_part_and_twins_are_scored_once() -> None:
    shop = checkerboard(8)
    table = Table(np.tile(np.array([-4, 1, 2, 3, np.nan, 1, 1, 1], np.float32), (8, 1)))
    fitted = [
        FittedInstance(name="plain", recommender=table),
        FittedInstance(name="trending", recommender=table, trend_exponent=0.5),
    ]
    trend = np.array([100, 16, 4, 1, 1, 1, 1, 1], np.float32)
    plans = {"b": BlendPlan(weights={}, instances=("plain", "trending"))}
    limits = Limits(own=3)
    records = candidates(fitted, everybody(shop), plans=plans, trend=trend, limits=limits)["b"]
    assert records.own[0].tolist() == [[3, 2, 1], [1, 2, 3]]  # 4 = 1 · √16, 4 = 2 · √4, 3; the tie to the lower item
    assert records.items[0, :8].tolist() == [0, 1, 2, 3, 5, 6, 7, -1]  # what both cannot know is not pooled
    assert sum(table.asked) == 8
    worth = np.array([0, 4, 4, 3, 1, 1, 1])
    np.testing.assert_allclose(records.z[0, 1, :7].astype(float), (worth - worth.mean()) / worth.std(), atol=2e-3)


def test_a_trend_that_is_not_given_is_refused() -> None:
    fitted = [FittedInstance(name="a", recommender=tables(8, 8, 2)[0], trend_exponent=0.5)]
    with pytest.raises(ValueError, match="a has a trend exponent"):
        candidates(fitted, everybody(checkerboard(8)), plans={"b": BlendPlan(weights={}, instances=("a",))})


def test_each_instances_own_best_are_kept_even_when_they_exceed_the_places() -> None:
    """Twelve instances with two favourites each, nine places: best places first, then the blend."""
    shop = checkerboard(30)
    many = tables(30, 30, 12, seed=3)
    fitted = [FittedInstance(name=f"r{n}", recommender=t) for n, t in enumerate(many)]
    plan = BlendPlan(weights={"r3": 0.5, "r7": 0.5}, instances=tuple(f"r{n}" for n in range(12)))
    records = candidates(fitted, everybody(shop), plans={"home": plan}, limits=SMALL)["home"]
    assert_equals_the_rules(records, [t.scores for t in many], plan, SMALL)


def test_records_of_a_wide_catalogue_equal_the_naive_loop() -> None:
    """Wide enough for the bound by groups."""
    n_items = 2500
    shop = training_set([Act(u, u, u) for u in range(3)], n_users=3, category_of=[0] * n_items)
    three = tables(3, n_items, 3, seed=5)
    fitted = [FittedInstance(name=f"r{n}", recommender=t) for n, t in enumerate(three)]
    plan = BlendPlan(weights={"r0": 0.5, "r2": 0.5}, instances=("r0", "r1", "r2"), excluded=shop.interactions.matrix())
    limits = Limits(nominated=50, kept=60, own=20)
    records = candidates(fitted, everybody(shop), plans={"home": plan}, limits=limits)["home"]
    assert_equals_the_rules(records, [t.scores for t in three], plan, limits)


def test_silent_instances_and_strangers_in_the_records() -> None:
    shop = checkerboard(6)
    fitted = [FittedInstance(name="a", recommender=Table(np.full((6, 6), np.nan, np.float32)))]
    plans = {"home": BlendPlan(weights={"a": 1}, instances=("a", "missing"))}
    silent = candidates(fitted, everybody(shop), plans=plans, limits=SMALL)["home"]
    assert silent.instances == ("a",)
    assert (silent.items == -1).all()
    assert np.isnan(silent.z).all()
    assert (silent.ranked({"a": 1.0}, 5) == -1).all()
    alone = candidates(fitted, stranger(6), plans=plans, limits=SMALL)["home"]
    assert np.isnan(alone.z[0]).all()


def test_no_queries_no_items_and_no_instances_keep_the_shapes() -> None:
    shop = checkerboard(6)
    fitted = [FittedInstance(name="a", recommender=Table(np.ones((6, 6), np.float32)))]
    plans = {"home": BlendPlan(weights={"a": 1}, instances=("a",))}
    nobody = candidates(fitted, shop.queries(np.empty(0, np.int64)), plans=plans, limits=SMALL)["home"]
    assert nobody.items.shape == (0, 9)
    assert nobody.z.shape == (0, 1, 9)
    nothing = candidates([], everybody(shop), plans={"home": BlendPlan(weights={}, instances=())}, limits=SMALL)["home"]
    assert (nothing.items == -1).all()
    assert nothing.z.shape == (6, 0, 9)


def test_constant_scores_are_kept_in_item_order_with_z_zero() -> None:
    shop = checkerboard(6)
    fitted = [FittedInstance(name="a", recommender=Table(np.ones((6, 6), np.float32)))]
    records = candidates(fitted, everybody(shop), plans={"home": BlendPlan(weights={"a": 1}, instances=("a",))})["home"]
    assert records.ranked({"a": 1.0}, 3).tolist() == [[0, 1, 2]] * 6
    assert (records.z[:, :, :6] == 0).all()


def test_a_stored_zero_is_excluded_too() -> None:
    shop = checkerboard(6)
    fitted = [FittedInstance(name="a", recommender=Table(np.ones((6, 6), np.float32)))]
    barred = sparse.csr_matrix((np.zeros(2, np.float32), ([0, 0], [1, 2])), shape=(6, 6))
    plan = BlendPlan(weights={"a": 1}, instances=("a",), excluded=barred)
    records = candidates(fitted, everybody(shop), plans={"home": plan}, limits=SMALL)["home"]
    assert records.items[0, :4].tolist() == [0, 3, 4, 5]
    assert records.items[1, :6].tolist() == list(range(6))


def test_progress_rises_to_one_and_may_stop_the_work() -> None:
    shop = checkerboard(20)
    fitted = [FittedInstance(name="a", recommender=Table(np.ones((20, 20), np.float32)))]
    plans = {"home": BlendPlan(weights={"a": 1}, instances=("a",))}
    heard: list[float] = []
    candidates(fitted, everybody(shop), plans=plans, limits=replace(SMALL, block_rows=4), progress=heard.append)
    assert heard == [0.2, 0.4, 0.6, 0.8, 1.0]

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        candidates(fitted, everybody(shop), plans=plans, limits=replace(SMALL, block_rows=1), progress=stop)


def test_blocks_are_made_no_faster_than_they_are_taken() -> None:
    shop, scorer = checkerboard(20), Table(np.ones((20, 20), np.float32))
    fitted = [FittedInstance(name="a", recommender=scorer)]
    plans = {"home": BlendPlan(weights={"a": 1}, instances=("a",))}
    taken = []
    blocks = candidate_blocks(fitted, everybody(shop), plans=plans, limits=replace(SMALL, block_rows=1))
    for number, block in enumerate(blocks, 1):
        taken.append(block["home"])
        time.sleep(0.005)
        assert len(scorer.asked) <= number + SMALL.threads
    whole = candidates(fitted, everybody(shop), plans=plans, limits=SMALL)["home"]
    np.testing.assert_array_equal(np.concatenate([one.items for one in taken]), whole.items)
