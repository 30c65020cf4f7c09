"""The bench on the demo's data: instances, hybrid, baselines, the article's method and peers on one global time split.

Weights are tuned on the window before the one that is reported; nothing is chosen on the window that is reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.meter import metered
from bench.ranking.complete_journey import WINDOW, cuts, shop
from bench.ranking.contest import SHORT, tuning_panel
from bench.ranking.demo_cut import BLENDS, Scored, of_users, scored_cut
from bench.ranking.judging import Entry, Judge
from bench.ranking.picking import Tell, sorted_weights
from bench.ranking.report import TaskResult
from bench.ranking.rivals import baseline_entries, peer_entries
from bench.ranking.staged import staged
from recommendations.domains.goods import GOODS
from recommendations.engine.evaluation.panel import Panel
from recommendations.engine.feedback.tuning import SearchConfig, Tuned, best_exponent, tuned
from recommendations.engine.frames import FloatArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.second_stage import SecondStageUnavailableError
from recommendations.terms import Lift, Task

PLANS: Mapping[str, int] = {"plan of the first week": 1, "plan of four weeks": 4}
STAGED: Mapping[str, int] = {"second stage": 0, "second stage, plan of four weeks": 4}
LESSONS = 3
"""Windows before the reported one that the second stage learns from."""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Options of the bench on the demo's data. ``windows``: the test window and so many earlier ones less one."""

    tasks: tuple[Task, ...] = (Task.HOME, Task.DISCOVER)
    ks: tuple[int, ...] = (10, 20)
    seed: int = 0
    windows: int = 1
    peers: bool = False
    quick: bool = False


def run(demo: Demo, tell: Tell) -> tuple[dict[str, Any], list[TaskResult]]:
    """Run the bench: (protocol, results); those of earlier windows follow those of the test window."""
    scored = [
        scored_cut(shop().part(cut), tasks=demo.tasks, k=max(demo.ks), seed=demo.seed, tell=tell)
        for cut in cuts(demo.windows + (1 if demo.quick else LESSONS))
    ]
    results: list[TaskResult] = []
    weights: dict[str, Any] = {}
    for number in range(demo.windows):
        for task in demo.tasks:
            earlier = scored[number + 1 : number + 1 + LESSONS]
            result, best, exponents = _result(scored[number], earlier, task, demo=demo, number=number, tell=tell)
            results.append(result)
            weights[result.task] = {
                "weights": dict(sorted_weights(best.weights)),
                "ndcg@10": round(best.ndcg, 6),
                "exponents_of_the_plan": exponents,
            }
    return _protocol(demo, weights), results


def _result(
    test: Scored, earlier: Sequence[Scored], task: Task, *, demo: Demo, number: int, tell: Tell
) -> tuple[TaskResult, Tuned, dict[str, float]]:
    tuning = earlier[0]
    board = tuning_panel(tuning.records[task], tuning.part.truths[task])
    search = SHORT if demo.quick else SearchConfig()
    best = tuned(board, seed=demo.seed, incumbent=GOODS.weights[BLENDS[task]], search=search)
    heavy = ", ".join(f"{name} {weight:.2f}" for name, weight in sorted_weights(best.weights))
    tell(f"{task}: tuned to {best.ndcg:.4f} against {best.best_single} {best.best_single_ndcg:.4f}: {heavy}")
    truth = test.part.truths[task]
    judge = Judge(truth=truth, ks=demo.ks, n_items=test.part.snapshot.training.n_items, seed=demo.seed)
    k, exponents = max(demo.ks), {}
    entries = [_hybrid(test, task, best, k=k), *_instances(test, task), *baseline_entries(test, task)]
    for plan, weeks in PLANS.items():
        exponents[plan] = _exponent(board, best, tuning.lift_of_plan(weeks), incumbent=GOODS.promotion[BLENDS[task]])
        planned = _hybrid(test, task, best, k=k, lift=test.lift_of_plan(weeks), promotion=exponents[plan])
        entries.append(replace(planned, name=f"hybrid, {plan}"))
    entries += [] if demo.quick else _staged(test, earlier, task, best, demo=demo, tell=tell)
    entries += peer_entries(test, task, tell) if demo.peers else []
    name = task.value if not number else f"{task.value}, {number} windows earlier"
    return TaskResult(task=name, judge=judge, lines=[judge.line(entry) for entry in entries]), best, exponents


def _exponent(board: Panel, found: Tuned, lift: FloatArray, *, incumbent: float) -> float:
    """Exponent of a plan's lift: the preset's, unless another one is measurably better on the tuning window."""
    planned = replace(board, lifts={Lift.PROMOTION: lift[np.maximum(board.items, 0)]})
    vector = weight_vector(board.instances, found.weights)
    return best_exponent(planned, vector, incumbent=incumbent)


def _hybrid(
    test: Scored, task: Task, found: Tuned, *, k: int, lift: FloatArray | None = None, promotion: float = 0.0
) -> Entry:
    costs = {id(test.fit[name]): test.fit[name] for name, weight in found.weights.items() if weight > 0}
    return Entry(
        name="hybrid",
        kind="hybrid",
        ranked=test.records[task].ranked(
            found.weights,
            k,
            lifts={} if lift is None else {Lift.PROMOTION: lift},
            exponents={Lift.PROMOTION: promotion},
        ),
        fit_s=sum(cost.seconds for cost in costs.values()),
        score_s=test.score.seconds,
        peak_mb=max([test.score.peak_mb, *(cost.peak_mb for cost in costs.values())]),
    )


def _staged(
    test: Scored, earlier: Sequence[Scored], task: Task, found: Tuned, *, demo: Demo, tell: Tell
) -> list[Entry]:
    """Entries of the hybrid with the second stage, without a plan and with that of all weeks."""
    entries = []
    for name, weeks in STAGED.items():
        try:
            with metered() as cost:
                done = staged(
                    test.window(task),
                    [one.window(task) for one in earlier],
                    [one.told(weeks) for one in (test, *earlier)],
                    weights=found.weights,
                    seed=demo.seed,
                    k=max(demo.ks),
                    search=SearchConfig(),
                )
        except SecondStageUnavailableError as error:
            tell(f"{task}: no second stage: {error}")
            return []
        tell(f"{task}: {name} in {cost.seconds:.0f} s, {done.tuned.ndcg:.4f} on the tuning window")
        base = _hybrid(test, task, found, k=max(demo.ks))
        entry = Entry(
            name=f"hybrid, {name}", kind="hybrid", ranked=done.ranked, fit_s=base.fit_s + cost.seconds,
            score_s=base.score_s, peak_mb=max(base.peak_mb, cost.peak_mb),
        )  # fmt: skip
        entries.append(of_users(test, task, entry))
    return entries


def _instances(test: Scored, task: Task) -> list[Entry]:
    records = test.records[task]
    return [
        Entry(
            name=name,
            kind="recommender",
            ranked=records.own[:, place],
            fit_s=test.fit[name].seconds,
            score_s=test.seconds[name],
            peak_mb=test.fit[name].peak_mb,
        )
        for place, name in enumerate(records.instances)
    ]


def _protocol(demo: Demo, weights: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "use": "demo data",
        "data": "dunnhumby Complete Journey, as the shop loads it",
        "split": f"global in time: the test window is the last {WINDOW:.0f} full days, weights are tuned on as many "
        "before it, and for an earlier window on those before that",
        "truth": "items bought in the window that have history before it; discover: never bought before",
        "plan": "the hybrid knows no promotion plan; its other lines know that of the first week of the window, or of "
        "all four, as shops do; purchases of the window are never known",
        "second_stage": f"learns from the {LESSONS} windows before, and is weighed on the last of them",
        "windows": demo.windows,
        "quick": demo.quick,
        "seed": demo.seed,
        "ks": list(demo.ks),
        "intervals": "95 %, 1,000 bootstrap resamples of users, paired by user",
        "costs": "fit_s and score_s are wall seconds; the hybrid's are all fits with weight, and the candidates of "
        "every user for all tasks asked; peak_mb is the whole process, data included (of a peer: its own process)",
        "tuned_on_the_window_before": dict(weights),
    }
