"""The panel against the batch evaluation: the same lists and figures for every user, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine.evaluation.accuracy import discount, judge
from recommendations.engine.evaluation.backtest import backtest, baselines
from recommendations.engine.evaluation.breadth import Assortment, assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.measures import MAIN, PER_USER, covered_share, per_user_table
from recommendations.engine.evaluation.panel import Panel, panel
from recommendations.engine.evaluation.panel_measures import ACCURACY, COVERAGE, Lists, measured_by, table_at
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.diversity import Likeness, diversified
from recommendations.engine.ranking.exploration import EXPLORED_FROM, explored
from recommendations.engine.ranking.scores import gathered
from recommendations.terms import Lift, MeasuredKind
from tests.shop import Act, checkerboard, training_set

N_ITEMS = 60
NAMES = ("a", "b", "c", "d")


def candidates_of(draw: np.random.Generator, *, n_users: int, kept: int = 25) -> Candidates:
    items = np.full((n_users, kept), -1, np.int32)
    z = np.full((n_users, len(NAMES), kept), np.nan, np.float16)
    own = np.full((n_users, len(NAMES), 20), -1, np.int32)
    for user in range(n_users):
        count = int(draw.integers(0, kept + 1))
        items[user, :count] = np.sort(draw.choice(N_ITEMS, count, replace=False))
        z[user, :, :count] = draw.integers(-3, 4, (len(NAMES), count)) / 2
        z[user, :, :count][draw.random((len(NAMES), count)) < 0.3] = np.nan
        for m in range(len(NAMES)):
            own[user, m, : min(count, 20)] = draw.permutation(items[user, :count])[:20]
    return Candidates(instances=NAMES, items=items, z=z, own=own)


def truth_of(draw: np.random.Generator, *, n_users: int) -> Truth:
    bought = (draw.random((n_users, N_ITEMS)) < 0.15) & (draw.random((n_users, 1)) < 0.8)
    user, item = np.nonzero(bought)
    money = draw.integers(0, 5, len(user)).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(bought.sum(axis=1))])
    return Truth(spent=sparse.csr_matrix((money, item, starts), shape=bought.shape))


def shop(draw: np.random.Generator) -> Assortment:
    categories = np.eye(4, dtype=np.float32)[draw.integers(0, 4, N_ITEMS)]
    return Assortment(surprise=draw.random(N_ITEMS).astype(np.float32), categories=sparse.csr_matrix(categories))


def scene(seed: int, n_users: int = 12) -> tuple[Candidates, Truth, Panel]:
    draw = np.random.default_rng(seed)
    record, truth, goods = candidates_of(draw, n_users=n_users), truth_of(draw, n_users=n_users), shop(draw)
    likeness = Likeness(traits=draw.integers(-1, 3, (N_ITEMS, 2)).astype(np.int32))
    return record, truth, panel(record, truth, shop=goods, likeness=likeness)


def drawn_weights(seed: int) -> dict[str, float]:
    draw = np.random.default_rng(seed)
    return dict(zip(NAMES, draw.dirichlet(np.ones(4)) * (draw.random(4) < 0.7), strict=True))


@given(st.integers(0, 10_000))
def test_the_panel_equals_the_batch_evaluation_for_every_user(seed: int) -> None:
    record, truth, what_if = scene(seed)
    weights = drawn_weights(seed)
    measured = what_if.measure(weights)
    ranked = record.of(truth.users).ranked(weights, 20)
    table = table_at(Lists(ranked, judge(ranked, truth.per_user), what_if.shop), 10)
    assert measured.ranked.tolist() == ranked.tolist()
    assert measured.per_user.tobytes() == table.tobytes()
    assert measured.coverage == covered_share(ranked, what_if.shop)


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 1.0]))
def test_the_panel_with_diversity_equals_each_customer_alone(seed: int, diversity: float) -> None:
    record, truth, what_if = scene(seed)
    weights = drawn_weights(seed)
    measured = what_if.measure(weights, diversity=diversity)
    for row, user in enumerate(truth.users):
        alone = record.of(np.array([user]))
        likeness = what_if.likeness
        positions = diversified(alone.blended(weights), alone.items, likeness=likeness, diversity=diversity, n=20)
        assert measured.ranked[row].tolist() == gathered(alone.items, positions, missing=-1)[0].tolist()


def test_the_objective_of_the_tuner_is_the_main_metric() -> None:
    _, _, what_if = scene(3)
    weights = drawn_weights(3)
    column = what_if.measure(weights).of(ACCURACY)
    np.testing.assert_array_equal(what_if.ndcg(weight_vector(NAMES, weights)), column)


def test_expected_accuracy_under_exploration_is_the_mean_of_its_draws() -> None:
    _, _, what_if = scene(5, n_users=40)
    weights = dict.fromkeys(NAMES, 0.25)
    plain = what_if.explored(weights, shuffled=0.0, cards=0.0)
    np.testing.assert_allclose(plain, what_if.measure(weights).of(ACCURACY), atol=1e-12)
    expected = what_if.explored(weights, shuffled=0.5, cards=0.3)
    record, truth, _ = scene(5, n_users=40)
    draw, total = np.random.default_rng(0), np.zeros(len(plain))
    tries, fixed = 400, np.zeros(what_if.length + EXPLORED_FROM, np.bool_)
    positions = diversified(
        record.of(truth.users).blended(weights), record.of(truth.users).items, likeness=what_if.likeness, diversity=0.0,
        n=len(fixed),
    )  # fmt: skip
    relevant = gathered(what_if.relevant, positions, missing=False)
    best = np.cumsum(discount(what_if.length))[np.minimum(what_if.ideal.n_relevant, what_if.length) - 1]
    wide = np.pad(relevant, ((0, 0), (0, len(fixed) - relevant.shape[1])))
    for _ in range(tries):
        chosen = explored(fixed, n=what_if.length, shuffled=0.5, cards=0.3, draw=draw).chosen
        total += (wide[:, chosen] * discount(what_if.length)).sum(axis=1) / best
    np.testing.assert_allclose(expected, total / tries, atol=0.08)  # five standard errors of the worst user
    assert abs(expected.mean() - (total / tries).mean()) < 0.02


@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.5]))
def test_the_panel_with_a_promotion_plan_equals_the_batch_evaluation(seed: int, exponent: float) -> None:
    record, truth, plain = scene(seed)
    lift = np.exp(np.random.default_rng(seed).normal(size=N_ITEMS)).astype(np.float32)
    what_if = panel(record, truth, shop=plain.shop, likeness=plain.likeness, lifts={Lift.PROMOTION: lift})
    weights, drawn = drawn_weights(seed), resamples(len(truth.users), seed=1)
    rows = backtest(
        record, truth, hybrids={"with": weights, "without": weights}, baselines={}, shop=plain.shop, drawn=drawn,
        lifts={Lift.PROMOTION: lift}, exponents={"with": {Lift.PROMOTION: exponent}},
    )  # fmt: skip
    measured = what_if.measure(weights, exponents={Lift.PROMOTION: exponent})
    assert measured.ranked.tolist() == rows[0].ranked.tolist()
    assert rows[1].ranked.tolist() == plain.measure(weights).ranked.tolist()
    np.testing.assert_array_equal(measured.of(ACCURACY), rows[0].per_user[:, list(PER_USER).index(MAIN)])
    assert what_if.measure(weights).per_user.tobytes() == plain.measure(weights).per_user.tobytes()
    objective = what_if.ndcg(weight_vector(NAMES, weights), exponents={Lift.PROMOTION: exponent})
    np.testing.assert_array_equal(objective, measured.of(ACCURACY))


@given(st.integers(0, 10_000))
def test_a_panel_of_some_users_has_their_figures_of_the_whole_panel(seed: int) -> None:
    _, _, what_if = scene(seed)
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(what_if.users)) < 0.5)
    whole, part = (each.measure(drawn_weights(seed), diversity=0.3) for each in (what_if, what_if.of(rows)))
    assert part.per_user.tobytes() == whole.per_user[rows].tobytes()
    assert part.ranked.tolist() == whole.ranked[rows].tolist()
    assert what_if.of(rows).planes.flags.c_contiguous
    assert what_if.of(np.arange(len(what_if.users))).nbytes == what_if.nbytes


def test_comparison_with_a_reference_is_paired_by_user() -> None:
    _, _, what_if = scene(4, n_users=40)
    drawn = resamples(len(what_if.users), seed=1)
    one, other = what_if.measure({"a": 1.0}), what_if.measure({"b": 1.0})
    difference = one.against(other, drawn)[ACCURACY]
    assert difference.value == pytest.approx(one.summary(drawn)[ACCURACY].value - other.summary(drawn)[ACCURACY].value)
    assert one.against(one, drawn)[ACCURACY] == (0, 0, 0)
    own, against = one.beside(other, drawn)
    for name in one.names:
        assert own[name] == pytest.approx(one.summary(drawn)[name], abs=1e-6)
        assert against[name] == pytest.approx(one.against(other, drawn)[name], abs=1e-6)
    assert own[COVERAGE] == one.summary(drawn)[COVERAGE]
    assert against[COVERAGE].value == one.coverage - other.coverage


@pytest.mark.parametrize("n_users", [0, 1])
def test_a_panel_of_nobody_has_zeros_and_no_nan(n_users: int) -> None:
    record = candidates_of(np.random.default_rng(0), n_users=n_users)
    truth = Truth(spent=sparse.csr_matrix((n_users, N_ITEMS), dtype=np.float32))
    what_if = panel(
        record, truth, shop=shop(np.random.default_rng(0)), likeness=Likeness(traits=np.zeros((N_ITEMS, 1), np.int32))
    )
    summary = what_if.measure({"a": 1.0}, diversity=0.5).summary(resamples(0, seed=1))
    assert list(summary) == [*measured_by(what_if.shop), COVERAGE]
    assert all(measure == (0, 0, 0) for measure in summary.values())


def test_a_backtest_has_a_row_for_each_recommender_and_hybrids_equal_the_panel() -> None:
    record, truth, what_if = scene(7)
    drawn = resamples(len(truth.users), seed=1)
    rows = backtest(
        record, truth, hybrids={"hybrid": {"a": 0.5, "c": 0.5}}, baselines={"popular": what_if.items[:, :20]},
        shop=what_if.shop, drawn=drawn,
    )  # fmt: skip
    assert [(row.name, row.kind) for row in rows] == [
        ("hybrid", MeasuredKind.HYBRID), *((name, MeasuredKind.RECOMMENDER) for name in NAMES),
        ("popular", MeasuredKind.BASELINE),
    ]  # fmt: skip
    measured = what_if.measure({"a": 0.5, "c": 0.5})
    assert rows[0].metrics[MAIN] == measured.summary(drawn)[ACCURACY]
    own = record.of(truth.users).own[:, 1]
    assert rows[2].per_user.tolist() == per_user_table(own, judge(own, truth.per_user), what_if.shop).tolist()
    assert all(np.isfinite(row.per_user).all() for row in rows)
    assert all(row.metrics["coverage@10"].low == row.metrics["coverage@10"].high for row in rows)


def test_the_recent_baseline_breaks_ties_by_earlier_buyers() -> None:
    """Item 1 has three buyers of old; items 2 and 3 have one recent buyer each, and item 3 an old one besides."""
    old = [Act(user, 1, user, age=90) for user in range(3)] + [Act(2, 3, 2, age=90)]
    recent = [Act(0, 2, 10, age=1), Act(1, 3, 11, age=2), Act(2, 0, 12, age=7)]
    shop_of_four = training_set([*old, *recent], n_users=3, category_of=[0] * 4)
    lists = baselines(shop_of_four, np.arange(1), excluded=None)
    assert lists["recent"][0, :4].tolist() == [3, 2, 1, 0]
    assert lists["popular"][0, :4].tolist() == [1, 3, 0, 2]


def test_baselines_by_hand() -> None:
    """Everybody on a checkerboard of six lacks one item of their parity; 3 baskets of each of the two others."""
    board = checkerboard(6)
    users = np.arange(6)
    home = baselines(board, users, excluded=None)
    assert home["popular"][0].tolist() == [0, 1, 2, 3, 4, 5, *[-1] * 14]  # two buyers each: by item
    assert home["recent"][0].tolist() == home["popular"][0].tolist()  # nobody bought in the last seven days
    assert home["personal_frequency"][0].tolist() == [2, 4, 0, 1, 3, 5, *[-1] * 14]
    assert home["personal_frequency"][3].tolist() == [1, 5, 0, 2, 3, 4, *[-1] * 14]
    discover = baselines(board, users, excluded=board.interactions.matrix())
    assert discover["popular"][0].tolist() == [0, 1, 3, 5, *[-1] * 16]
    assert assortment(board).surprise.tolist() == pytest.approx([np.log2(3)] * 6)


def test_goals_are_measured_in_the_first_places_alone() -> None:
    """One customer; the list is 3, 1, 0, 2. Items 0 and 1 were bought for 10 and 4; of 1 and 2 there is too much."""
    record = Candidates(
        instances=("a",), items=np.array([[0, 1, 2, 3]], np.int32), z=np.array([[[2, 3, 1, 4]]], np.float16),
        own=np.full((1, 1, 20), -1, np.int32),
    )  # fmt: skip
    goods = Assortment(
        surprise=np.ones(4, np.float32), categories=sparse.csr_matrix((4, 1), dtype=np.float32),
        margin=np.array([0.3, 0.5, 0.9, np.nan], np.float32), plenty=np.array([False, True, True, False]),
    )  # fmt: skip
    truth = Truth(spent=sparse.csr_matrix(np.array([[10, 4, 0, 0]], np.float32)))
    likeness = Likeness(traits=np.zeros((4, 1), np.int32))
    what_if = panel(record, truth, shop=goods, likeness=likeness)
    for length, money, share in ((1, 0, 0), (2, 2, 1 / 2), (3, 5, 1 / 3), (4, 5, 2 / 4)):
        measured = replace(what_if, length=length).measure({"a": 1.0})
        assert measured.of("margin").tolist() == pytest.approx([money])
        assert measured.of("clearance").tolist() == pytest.approx([share])
        assert measured.coverage == length / 4
    unknown = replace(goods, margin=np.array([np.nan, np.nan, 0.9, 0.9], np.float32), plenty=None)
    bare = panel(record, truth, shop=unknown, likeness=likeness).measure({"a": 1.0})
    assert list(bare.names) == ["accuracy", "revenue", "diversity"]  # no cost is known of what was bought
