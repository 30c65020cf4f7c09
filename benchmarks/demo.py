"""The bench on the demo's data: instances, hybrid, baselines, the article's method and peers on one global time split.

Weights are tuned on the window before the one that is reported; nothing is chosen on the window that is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.article import Article
from benchmarks.complete_journey import WINDOW, Part, cuts, shop
from benchmarks.judging import Entry, Judge
from benchmarks.meter import Cost, metered
from benchmarks.peers.peers import peer_answers
from benchmarks.picking import Tell, sorted_weights
from benchmarks.readings import Read, ReadConfig
from benchmarks.report import TaskResult
from recommendations.engine.evaluation.backtest import baselines
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.panel import Panel, panel
from recommendations.engine.feedback.presets import PRESETS
from recommendations.engine.feedback.tuning import EXPONENTS, SearchConfig, Tuned, mean_ndcg, tuned
from recommendations.engine.frames import FloatArray, Sparse
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.preprocess.promotions import lift
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, Limits, candidates
from recommendations.engine.recommenders.registry import Instance, instances_of
from recommendations.terms import BlendName, Task

BLENDS: Mapping[Task, BlendName] = {Task.HOME: BlendName.HOME, Task.DISCOVER: BlendName.DISCOVER}
PLANS: Mapping[str, int] = {"plan of the first week": 1, "plan of four weeks": 4}
QUICK = SearchConfig(draws=30, climbs=1, rounds=2)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What is asked of the demo's data. ``windows``: the test window and so many earlier ones less one."""

    tasks: tuple[Task, ...] = (Task.HOME, Task.DISCOVER)
    ks: tuple[int, ...] = (10, 20)
    seed: int = 0
    windows: int = 1
    peers: bool = False
    quick: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """A cut with every instance fitted and every user's candidates."""

    part: Part
    records: Mapping[Task, Candidates]
    seconds: Mapping[str, float]  # of scoring, by instance
    fit: Mapping[str, Cost]
    score: Cost

    def excluded(self, task: Task) -> Sparse | None:
        return self.part.snapshot.bought if task is Task.DISCOVER else None

    def lift_of_plan(self, weeks: int) -> FloatArray:
        """What the plan of so many weeks makes of the demand for each item."""
        told = shop().promotions(self.part, weeks_ahead=weeks)
        return lift(replace(self.part.snapshot.training, promotions=told))


def run(demo: Demo, tell: Tell) -> tuple[dict[str, Any], list[TaskResult]]:
    """(protocol, results); the results of earlier windows follow those of the test window."""
    asked = cuts(demo.windows + 1)
    scored: dict[float, Scored] = {}
    results: list[TaskResult] = []
    weights: dict[str, Any] = {}
    for number, cut in enumerate(asked[:-1]):
        for needed in (cut, asked[number + 1]):
            if needed not in scored:
                scored[needed] = _scored(shop().part(needed), demo, tell)
        for task in demo.tasks:
            made, found, exponents = _result(
                scored[cut], scored[asked[number + 1]], task, demo=demo, number=number, tell=tell
            )
            results.append(made)
            weights[made.task] = {
                "weights": dict(sorted_weights(found.weights)),
                "ndcg@10": round(found.ndcg, 6),
                "exponents_of_the_plan": exponents,
            }
        del scored[cut]
    return _protocol(demo, weights), results


def _scored(part: Part, demo: Demo, tell: Tell) -> Scored:
    training = part.snapshot.training
    tell(f"cut {part.cut:.0f}: {training.n_users:,} users, {training.n_items:,} items")
    wanted = list(dict.fromkeys(one for task in demo.tasks for one in instances_of(BLENDS[task])))
    fitted: dict[str, Read] = {}
    costs: dict[str, Cost] = {}
    for instance in wanted:
        twin = next((one for one in wanted if one.name in fitted and _alike(one, instance)), None)
        if twin is not None:
            fitted[instance.name], costs[instance.name] = fitted[twin.name], costs[twin.name]
            continue
        with metered() as costs[instance.name]:
            config = ReadConfig(kind=instance.kind, config=instance.config)
            fitted[instance.name] = Read(config).fit(training, seed=demo.seed)
    tell(f"cut {part.cut:.0f}: {len(set(map(id, fitted.values())))} recommenders fitted")
    plans = {
        BLENDS[task].value: BlendPlan(
            weights=PRESETS[BLENDS[task]],
            instances=tuple(instance.name for instance in instances_of(BLENDS[task])),
            excluded=part.snapshot.bought if task is Task.DISCOVER else None,
        )
        for task in demo.tasks
    }
    with metered() as score:
        records = candidates(
            [
                FittedInstance(name=one.name, recommender=fitted[one.name], trend_exponent=one.trend)
                for one in wanted
            ],
            training.queries(np.arange(training.n_users)),
            plans=plans,
            trend=trend(training.interactions),
            limits=Limits(own=max(20, *demo.ks)),
        )  # fmt: skip
    tell(f"cut {part.cut:.0f}: candidates of everyone in {score.seconds:.0f} s")
    seconds = {name: sum(model.seconds) for name, model in fitted.items()}
    by_task = {task: records[BLENDS[task]] for task in demo.tasks}
    return Scored(part=part, records=by_task, seconds=seconds, fit=costs, score=score)


def _alike(one: Instance, other: Instance) -> bool:
    return one.kind is other.kind and one.config == other.config


def _result(
    test: Scored, tuning: Scored, task: Task, *, demo: Demo, number: int, tell: Tell
) -> tuple[TaskResult, Tuned, dict[str, float]]:
    board = _panel(tuning, task)
    search = QUICK if demo.quick else SearchConfig()
    found = tuned(board, seed=demo.seed, starts=[PRESETS[BLENDS[task]]], search=search)
    heavy = ", ".join(f"{name} {weight:.2f}" for name, weight in sorted_weights(found.weights))
    tell(f"{task}: tuned to {found.ndcg:.4f} against {found.best_single} {found.best_single_ndcg:.4f}: {heavy}")
    truth = test.part.truths[task]
    judge = Judge(truth=truth, ks=demo.ks, n_items=test.part.snapshot.training.n_items, seed=demo.seed)
    k, exponents = max(demo.ks), {}
    entries = [_hybrid(test, task, found, k=k), *_instances(test, task), *_baselines(test, task)]
    for plan, weeks in PLANS.items():
        exponents[plan] = _exponent(board, found, tuning.lift_of_plan(weeks))
        planned = _hybrid(test, task, found, k=k, lift=test.lift_of_plan(weeks), promotion=exponents[plan])
        entries.append(replace(planned, name=f"hybrid, {plan}"))
    entries += _peers(test, task, tell) if demo.peers else []
    name = task.value if not number else f"{task.value}, {number} windows earlier"
    return TaskResult(task=name, judge=judge, lines=[judge.line(entry) for entry in entries]), found, exponents


def _panel(tuning: Scored, task: Task) -> Panel:
    """Of the window before the one that is reported."""
    return panel(
        tuning.records[task],
        tuning.part.truths[task],
        shop=assortment(tuning.part.snapshot.training),
        likeness=Likeness(traits=np.empty((0, 0), np.int32)),
    )


def _exponent(board: Panel, found: Tuned, lift: FloatArray) -> float:
    """Of the lift of a plan, the best for these weights on the tuning window; 0 where the plan does not help."""
    planned = replace(board, lift=lift[np.maximum(board.items, 0)])
    vector = weight_vector(board.instances, found.weights)
    return max(EXPONENTS, key=lambda exponent: (mean_ndcg(planned, vector, promotion=exponent), -exponent))


def _hybrid(
    test: Scored, task: Task, found: Tuned, *, k: int, lift: FloatArray | None = None, promotion: float = 0.0
) -> Entry:
    costs = {id(test.fit[name]): test.fit[name] for name, weight in found.weights.items() if weight > 0}
    return Entry(
        name="hybrid",
        kind="hybrid",
        ranked=test.records[task].ranked(found.weights, k, lift=lift, promotion=promotion),
        fit_s=sum(cost.seconds for cost in costs.values()),
        score_s=test.score.seconds,
        peak_mb=max([test.score.peak_mb, *(cost.peak_mb for cost in costs.values())]),
    )


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


def _baselines(test: Scored, task: Task) -> list[Entry]:
    """What needs no model, and the method of the article that the project began with."""
    training, users = test.part.snapshot.training, test.part.truths[task].users
    with metered() as cost:
        lists = baselines(training, users, excluded=test.excluded(task))
    with metered() as fit:
        article = Article.fit(training)
    with metered() as score:
        ranked = article.ranked(users, excluded=test.excluded(task))
    made = [_of_users(test, task, Entry(name=name, kind="baseline", ranked=found, score_s=cost.seconds / len(lists),
                                        peak_mb=cost.peak_mb)) for name, found in lists.items()]  # fmt: skip
    entry = Entry(
        name="article", kind="baseline", ranked=ranked, fit_s=fit.seconds, score_s=score.seconds,
        peak_mb=max(fit.peak_mb, score.peak_mb),
    )  # fmt: skip
    return [*made, _of_users(test, task, entry)]


def _peers(test: Scored, task: Task, tell: Tell) -> list[Entry]:
    """Those that answered; why another did not is told."""
    made = []
    for peer in peer_answers(test.part, task):
        if peer.answer is None:
            tell(f"{task}: {peer.name} gave no lists: {peer.reason}")
            continue
        tell(f"{task}: {peer.name} fitted in {peer.answer.fit_s:.1f} s, ranked in {peer.answer.score_s:.1f} s")
        entry = Entry(
            name=peer.name, kind="peer", ranked=peer.answer.ranked, fit_s=peer.answer.fit_s,
            score_s=peer.answer.score_s, peak_mb=peer.answer.peak_mb,
        )  # fmt: skip
        made.append(_of_users(test, task, entry))
    return made


def _of_users(test: Scored, task: Task, entry: Entry) -> Entry:
    """Lists of the users with truth as lists of all users."""
    truth = test.part.truths[task]
    ranked = np.full((truth.spent.shape[0], entry.ranked.shape[1]), -1, np.int32)
    ranked[truth.users] = entry.ranked
    return replace(entry, ranked=ranked)


def _protocol(demo: Demo, weights: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "use": "demo data",
        "data": "dunnhumby Complete Journey, as the shop loads it",
        "split": f"global in time: the test window is the last {WINDOW:.0f} full days, weights are tuned on as many "
        "before it, and for an earlier window on those before that",
        "truth": "items bought in the window that have history before it; discover: never bought before",
        "plan": "the hybrid knows no promotion plan; its other lines know that of the first week of the window, or of "
        "all four, as shops do; what was bought in the window is never known",
        "windows": demo.windows,
        "quick": demo.quick,
        "seed": demo.seed,
        "ks": list(demo.ks),
        "intervals": "95 %, 1,000 bootstrap resamples of users, paired by user",
        "costs": "fit_s and score_s are wall seconds; the hybrid's are all fits with weight, and the candidates of "
        "every user for all tasks asked; peak_mb is the whole process, data included (of a peer: its own process)",
        "tuned_on_the_window_before": dict(weights),
    }
