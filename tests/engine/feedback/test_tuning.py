from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.breadth import Assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.panel import Panel, panel
from recommendations.engine.evaluation.panel_measures import ACCURACY
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import Axis, SearchConfig, ablation, ascend, tuned
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.diversity import Likeness
from recommendations.terms import Lift

QUICK = SearchConfig(draws=20, climbs=2, rounds=2)
N_USERS, N_ITEMS = 60, 80


def scene(noise: tuple[float, ...], seed: int = 0) -> Panel:
    """Each instance sees what was bought through its own noise; they are independent, so a mixture sees better."""
    draw = np.random.default_rng(seed)
    bought = draw.random((N_USERS, N_ITEMS)) < 0.1
    bought[:, 0] = True
    seen = [bought + draw.normal(scale=spread, size=bought.shape) for spread in noise]
    z = np.stack([(view - view.mean(1, keepdims=True)) / view.std(1, keepdims=True) for view in seen], axis=1)
    names = tuple(f"r{n}" for n in range(len(noise)))
    records = Candidates(
        instances=names,
        items=np.tile(np.arange(N_ITEMS, dtype=np.int32), (N_USERS, 1)),
        z=z.astype(np.float16),
        own=np.zeros((N_USERS, len(names), 20), np.int32),
    )
    no_categories = sparse.csr_matrix((N_ITEMS, 1), dtype=np.float32)
    return panel(
        records,
        Truth(spent=sparse.csr_matrix(bought.astype(np.float32))),
        shop=Assortment(surprise=np.ones(N_ITEMS, np.float32), categories=no_categories),
        likeness=Likeness(traits=np.zeros((N_ITEMS, 1), np.int32)),
    )


def ndcg(what_if: Panel, weights: dict[str, float]) -> float:
    return float(what_if.measure(weights).of(ACCURACY).mean())


def test_a_mixture_of_independent_views_beats_the_best_of_them() -> None:
    what_if = scene((0.5, 0.5, 5.0))
    result = tuned(what_if, seed=1, search=QUICK)
    assert result.ndcg > result.best_single_ndcg + 0.05
    assert result.best_single in {"r0", "r1"}
    assert result.weights["r0"] > 0.2
    assert result.weights["r1"] > 0.2
    assert result.weights["r2"] < 0.1
    assert sum(result.weights.values()) == pytest.approx(1)
    assert result.ndcg == pytest.approx(ndcg(what_if, dict(result.weights)), abs=1e-12)
    assert result.best_single_ndcg == pytest.approx(ndcg(what_if, {result.best_single: 1.0}), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_tuned_weights_are_never_below_the_best_single_instance(seed: int) -> None:
    what_if = scene((0.05, 9.0, 9.0), seed=seed)
    result = tuned(what_if, seed=seed, search=SearchConfig(draws=2, climbs=1, rounds=1))
    assert result.ndcg >= result.best_single_ndcg == pytest.approx(ndcg(what_if, {"r0": 1.0}), abs=1e-12)


def test_tuned_weights_are_never_below_the_given_start() -> None:
    what_if = scene((0.6, 0.6, 0.6, 0.6))
    start = {"r0": 0.25, "r1": 0.25, "r2": 0.25, "r3": 0.25, "gone": 9.0}
    search = SearchConfig(draws=0, climbs=0, rounds=1)
    assert tuned(what_if, seed=1, starts=[start], search=search).ndcg >= ndcg(what_if, start) - 1e-3  # four decimals
    without = tuned(what_if, seed=1, search=search)
    assert without.weights[without.best_single] == 1
    assert without.ndcg < ndcg(what_if, start)


def test_an_incumbent_stays_unless_other_weights_are_measurably_better() -> None:
    what_if = scene((0.5, 0.5, 9.0))
    close, poor = {"r0": 0.45, "r1": 0.55}, {"r0": 0.9, "r1": 0.02, "r2": 0.08}
    stayed, left = (tuned(what_if, seed=1, incumbent=one, search=QUICK) for one in (close, poor))
    assert stayed.weights == pytest.approx({**close, "r2": 0}, abs=1e-4)
    assert left.ndcg > ndcg(what_if, poor) + 0.02
    assert tuned(what_if, seed=1, starts=[close], search=QUICK).ndcg > stayed.ndcg
    below = tuned(what_if, seed=1, incumbent={"r2": 1.0}, search=SearchConfig(draws=0, climbs=0, rounds=1))
    assert below.ndcg >= below.best_single_ndcg
    assert tuned(what_if, seed=1, incumbent={"gone": 1.0}, search=QUICK) == tuned(what_if, seed=1, search=QUICK)


def test_a_move_that_loses_is_not_made() -> None:
    what_if = scene((0.5, 0.5, 9.0))
    start = {"r0": 0.5, "r1": 0.5}
    result = tuned(what_if, seed=1, starts=[start], search=SearchConfig(draws=0, climbs=0, rounds=1))
    assert result.ndcg >= ndcg(what_if, start) - 1e-3
    assert result.weights["r2"] < 0.1


VALUES = {(0, 0): 1.0, (1, 0): 2.0, (2, 0): 1.5, (1, 1): 2.0, (2, 1): 4.0, (3, 1): 4.25, (0, 1): 0.0}
"""A small landscape: what is not named is 0."""


@pytest.mark.parametrize(
    ("rounds", "gain", "reached"),
    [(0, 0.0, (0, 0)), (1, 0.0, (1, 0)), (9, 0.0, (1, 0)), (9, 1.0, (0, 0)), (9, 0.99, (1, 0))],
)
def test_an_ascent_takes_what_gains_enough_until_a_round_brings_nothing(
    rounds: int, gain: float, reached: tuple[int, int]
) -> None:
    """(2, 1) is higher, but no move of one step along one axis leads towards it."""
    asked: list[tuple[int, int]] = []

    def objective(point: tuple[int, int]) -> float:
        asked.append(point)
        return VALUES.get(point, 0.0)

    def axes(number: int) -> list[Axis[tuple[int, int]]]:
        del number
        return [lambda at: [(at[0] + 1, at[1]), (at[0] - 1, at[1])], lambda at: [(at[0], at[1] + 1)]]

    assert ascend(objective, (0, 0), 1.0, axes=axes, rounds=rounds, gain=gain) == (reached, VALUES[reached])
    first, second = [(1, 0), (-1, 0), (1, 1)], [(2, 0), (0, 0), (1, 1)]
    stuck = [(1, 0), (-1, 0), (0, 1)]
    assert asked == (stuck if gain == 1 else first + second)[: 3 * rounds]


def test_an_ascent_is_given_the_axes_of_each_round() -> None:
    """The second round has another axis, and finds its way from where the first one ended."""

    def axes(number: int) -> list[Axis[tuple[int, int]]]:
        return [[lambda at: [(at[0] + 1, at[1])], lambda at: [(at[0] + 1, at[1] + 1)]][min(number, 1)]]

    assert ascend(lambda point: VALUES.get(point, 0.0), (0, 0), 1.0, axes=axes, rounds=9) == ((2, 1), 4.0)


def test_the_same_seed_gives_the_same_weights() -> None:
    what_if = scene((0.5, 0.7, 1.0))
    assert tuned(what_if, seed=7, search=QUICK) == tuned(what_if, seed=7, search=QUICK)


def test_a_single_instance_gets_all_weight_and_none_is_refused() -> None:
    one = scene((0.5,))
    assert tuned(one, seed=1, search=QUICK).weights == {"r0": 1.0}
    with pytest.raises(ValueError, match="no instance"):
        tuned(replace(one, instances=(), planes=one.planes[:0]), seed=1)


def test_progress_rises_to_one_and_may_stop_the_search() -> None:
    heard: list[float] = []
    tuned(scene((0.5, 0.7)), seed=1, search=QUICK, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1

    def stop(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(scene((0.5, 0.7)), seed=1, search=QUICK, progress=stop)


def test_ablation_is_the_loss_without_the_instance() -> None:
    what_if = scene((0.5, 0.5, 5.0))
    weights = {"r0": 0.5, "r1": 0.5, "r2": 0.0}
    losses = ablation(what_if, weights, resamples(N_USERS, seed=1))
    assert set(losses) == {"r0", "r1"}
    assert losses["r0"].value == pytest.approx(ndcg(what_if, weights) - ndcg(what_if, {"r1": 1.0}), abs=1e-6)
    assert losses["r0"].low > 0


def test_a_true_promotion_plan_gets_an_exponent_and_a_false_one_gets_none() -> None:
    what_if = scene((0.5, 0.5))
    honest = np.where(what_if.relevant, np.float32(1.5), np.float32(0.8))
    without = tuned(what_if, seed=1, search=QUICK)
    plan = tuned(replace(what_if, lifts={Lift.PROMOTION: honest}), seed=1, search=QUICK)
    assert (without.promotion, plan.promotion > 0) == (0, True)
    assert plan.weights == without.weights
    assert plan.ndcg > without.ndcg
    promoting = replace(what_if, lifts={Lift.PROMOTION: honest})
    reached = promoting.measure(plan.weights, exponents={Lift.PROMOTION: plan.promotion})
    assert reached.of(ACCURACY).mean() == pytest.approx(plan.ndcg)
    assert what_if.measure(plan.weights).of(ACCURACY).mean() == pytest.approx(without.ndcg)
    lied = tuned(replace(what_if, lifts={Lift.PROMOTION: 1 / honest}), seed=1, search=QUICK)
    assert (lied.promotion, lied.ndcg) == (0, without.ndcg)
    losses = ablation(
        replace(what_if, lifts={Lift.PROMOTION: honest}),
        plan.weights,
        resamples(N_USERS, seed=1),
        exponents={Lift.PROMOTION: plan.promotion},
    )
    assert losses["promotion"].value == pytest.approx(plan.ndcg - without.ndcg)


def test_the_incumbent_exponent_stays_unless_another_is_measurably_better() -> None:
    what_if = scene((0.5, 0.5))
    plan = replace(what_if, lifts={Lift.PROMOTION: np.where(what_if.relevant, np.float32(1.5), np.float32(0.8))})
    assert tuned(plan, seed=1, promotion=1.4, search=QUICK).promotion == 1.4  # as good as the best, off the grid
    assert tuned(plan, seed=1, promotion=0.01, search=QUICK).promotion > 0.01
    assert tuned(what_if, seed=1, promotion=1.4, search=QUICK).promotion == 0
    idle = replace(what_if, lifts={Lift.PROMOTION: np.ones_like(what_if.gain)})
    assert [tuned(idle, seed=1, promotion=h, search=QUICK).promotion for h in (0.0, 0.5)] == [0, 0.5]


def test_a_panel_without_users_is_tuned_to_valid_weights() -> None:
    full = scene((0.5, 0.5))
    records = Candidates(
        instances=("r0", "r1"), items=full.items, z=np.zeros((N_USERS, 2, N_ITEMS), np.float16),
        own=np.zeros((N_USERS, 2, 20), np.int32),
    )  # fmt: skip
    empty = Truth(spent=sparse.csr_matrix((N_USERS, N_ITEMS), dtype=np.float32))
    result = tuned(panel(records, empty, shop=full.shop, likeness=full.likeness), seed=1, search=QUICK)
    assert result.ndcg == result.best_single_ndcg == 0
    assert sum(result.weights.values()) == pytest.approx(1)
