"""Slices by hand and against the metrics of the slice alone."""

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.accuracy import judge, ndcg, recall
from recommendations.engine.evaluation.backtest import TableRow
from recommendations.engine.evaluation.breadth import Assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.measures import COVERAGE, MAIN, covered_share, per_user_table, summary
from recommendations.engine.evaluation.slices import Groups, Slice, activity, new_items, slices
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.evaluation.table import table
from recommendations.terms import Activity, MeasuredKind, SliceKind
from tests.shop import Act, training_set

N_USERS, N_ITEMS = 120, 40
SHOP = Assortment(surprise=np.zeros(N_ITEMS, np.float32), categories=sparse.csr_matrix((N_ITEMS, 1), dtype=np.float32))
DEPARTMENTS = ["dairy", "bakery"]


def row(name: str, ranked: np.ndarray, truth: Truth, drawn: np.ndarray) -> TableRow:
    figures = per_user_table(ranked, judge(ranked, truth.per_user), SHOP)
    metrics = summary(figures, covered_share(ranked, SHOP), drawn)
    return TableRow(name=name, kind=MeasuredKind.RECOMMENDER, metrics=metrics, per_user=figures, ranked=ranked)


@pytest.fixture(scope="module")
def scene() -> tuple[list[TableRow], Truth, Groups, np.ndarray]:
    """Even items are dairy, odd ones bakery, the last four no department; items 0 – 3 are new."""
    draw = np.random.default_rng(0)
    bought = draw.random((N_USERS, N_ITEMS)) < 0.15
    bought[:, 0] |= ~bought.any(axis=1)
    truth = Truth(spent=sparse.csr_matrix(bought, dtype=np.float32))
    drawn = resamples(N_USERS, seed=1)
    lists = [draw.permuted(np.tile(np.arange(N_ITEMS, dtype=np.int32), (N_USERS, 1)), axis=1)[:, :20] for _ in range(2)]
    lists[1][:30, 5:] = -1
    department = (np.arange(N_ITEMS) % 2).astype(np.int32)
    department[-4:] = -1
    groups = Groups(
        activity=np.repeat([0, 1, 2], [10, 60, 50]).astype(np.int32),
        segment=np.where(np.arange(N_USERS) < 30, 7, -1).astype(np.int32),
        department=department,
        departments=DEPARTMENTS,
        new=np.arange(N_ITEMS) < 4,
    )
    return [row(name, ranked, truth, drawn) for name, ranked in zip("ab", lists, strict=True)], truth, groups, drawn


def named(found: list[Slice], kind: SliceKind, key: str) -> Slice:
    (one,) = [each for each in found if (each.kind, each.key) == (kind, key)]
    return one


def test_groups_of_customers_are_means_over_their_members(scene: tuple) -> None:
    rows, truth, groups, drawn = scene
    parts = slices(rows, truth, groups=groups, drawn=drawn)
    warm = named(parts[1], SliceKind.ACTIVITY, Activity.WARM)
    assert warm.users == 60
    assert warm.metrics[MAIN].value == pytest.approx(rows[1].per_user[10:70, 0].mean())
    assert warm.metrics[MAIN].low < warm.metrics[MAIN].value < warm.metrics[MAIN].high
    assert named(parts[0], SliceKind.SEGMENT, "7").users == 30
    kinds = {(each.kind, each.key) for each in parts[0]}
    assert (SliceKind.ACTIVITY, Activity.COLD) not in kinds  # ten customers are too few


@pytest.mark.parametrize(("kind", "key"), [(SliceKind.DEPARTMENT, "bakery"), (SliceKind.NEW_ITEMS, "new")])
def test_parts_of_the_truth_equal_an_evaluation_of_that_truth_alone(scene: tuple, kind: SliceKind, key: str) -> None:
    rows, truth, groups, drawn = scene
    inside = groups.new if kind is SliceKind.NEW_ITEMS else groups.department == DEPARTMENTS.index(key)
    part = Truth(spent=sparse.csr_matrix(truth.spent.toarray() * inside))
    part.spent.eliminate_zeros()
    parts = slices(rows, truth, groups=groups, drawn=drawn)
    for number, each in enumerate(rows):
        lists = judge(each.ranked[part.users], part.per_user)
        one = named(parts[number], kind, key)
        assert one.users == len(part.users) < N_USERS
        assert one.metrics[MAIN].value == pytest.approx(ndcg(lists, 10).mean())
        assert one.metrics["recall@10"].value == pytest.approx(recall(lists, 10).mean())
        assert one.metrics["hit_rate@10"].value == pytest.approx((recall(lists, 10) > 0).mean())


def test_activity_by_baskets() -> None:
    """Four baskets are cold; of the others (5, 6, 7, 20) three quarters have at most 10.25, so 20 is heavy."""
    baskets = [4, 5, 6, 7, 20]
    acts = [
        Act(user, 0, 100 * user + number, age=number) for user, count in enumerate(baskets) for number in range(count)
    ]
    acts += [Act(0, 0, 900 + number, bought=False) for number in range(9)]  # visits are no baskets
    levels = activity(training_set(acts, n_users=5, category_of=[0]), np.arange(5))
    assert [list(Activity)[place] for place in levels] == ["cold", "warm", "warm", "warm", "heavy"]
    alike = [Act(user, 0, 10 * user + number) for user in range(3) for number in range(6)]
    equals = activity(training_set(alike, n_users=3, category_of=[0]), np.arange(3))
    assert [list(Activity)[place] for place in equals] == ["warm"] * 3


def test_new_items_are_those_first_sold_in_the_last_28_days() -> None:
    acts = [Act(0, 0, 0, age=28), Act(1, 0, 1, age=1), Act(0, 1, 2, age=29), Act(1, 1, 3, age=1)]
    acts += [Act(0, 2, 4, age=2, bought=False)]  # never sold
    assert new_items(training_set(acts, n_users=2, category_of=[0] * 4)).tolist() == [True, False, False, False]


def test_the_table_compares_with_the_reference_paired_by_user(scene: tuple) -> None:
    rows, truth, groups, drawn = scene
    quality = table(rows, truth, groups=groups, drawn=drawn, reference="a")
    assert quality.lines[0].against == {}
    difference = quality.lines[1].against[MAIN]
    assert difference.value == pytest.approx(rows[1].metrics[MAIN].value - rows[0].metrics[MAIN].value)
    assert difference.low < difference.value < difference.high
    coverage = rows[1].metrics[COVERAGE].value - rows[0].metrics[COVERAGE].value
    assert quality.lines[1].against[COVERAGE] == (coverage, coverage, coverage)
    np.testing.assert_allclose(quality.lines[1].ndcg, rows[1].per_user[:, 0], rtol=1e-6)
    assert quality.overlap.shape == (2, 2)
    assert table(rows, truth, groups=groups, drawn=drawn).lines[1].against == {}
