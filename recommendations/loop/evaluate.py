"""Stage 5: every recommender alone and the baselines on the test window; the hybrid follows when it has weights."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.backtest import backtest, baselines
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.leaks import future_acts, refuse, target_in_features
from recommendations.engine.evaluation.measures import MAIN
from recommendations.engine.evaluation.panel import Panel, panel
from recommendations.engine.evaluation.slices import Groups, activity, new_items
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.evaluation.table import Table, table
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.ranking.scores import Exponents
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.loop.context import RunContext
from recommendations.loop.generalisation import measure_generalisation
from recommendations.models import BlendWeights
from recommendations.store import jobs
from recommendations.store.domain import shop_instances
from recommendations.store.models import interests, measurements, model, runs
from recommendations.store.models.artefacts import of_one_edition
from recommendations.store.models.measurements import Costs
from recommendations.store.models.records import load_candidates
from recommendations.store.models.truth_sample import of_a_panel
from recommendations.store.models.weight_versions import Made
from recommendations.terms import TASKS, BlendName, Cut, MeasuredKind, Stage, Task

HYBRID = "hybrid"
TABLES = 0.7
"""Share of the stage's time that the tables take."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Weights and exponents of the lifts that rank the candidates of a blend."""

    weights: Mapping[str, float]
    exponents: Exponents = field(default_factory=dict)

    @classmethod
    def of(cls, version: BlendWeights | Made) -> Self:
        return cls(weights=version.weights, exponents=version.exponents)


def measure(context: RunContext) -> Mapping[str, object]:
    """Measure both tasks on the test cut, without the hybrid. Raises LeakError where the figures would be hollow."""
    for cut in (Cut.TUNING, Cut.TEST):
        refuse(future_acts(model.load_snapshot(context.version.pk, cut)[0].training.interactions, where=cut))
    counts: dict[str, object] = {}
    for number, task in enumerate(TASKS):
        done = tabulate(context, task, hybrids={})
        counts[f"{task}_users"] = len(done.lines[0].ndcg) if done else 0
        if done is None:
            context.report(0, text=f"{task}: nobody with a history bought anything in the test window: no figures")
            continue
        text = f"{task}: {len(done.lines)} rows over {len(done.lines[0].ndcg):,} customers"
        context.report(TABLES * (number + 1) / len(TASKS), text=text)
    measure_generalisation(context, done=TABLES)
    return counts


def tabulate(context: RunContext, task: Task, *, hybrids: Mapping[str, Configuration]) -> Table | None:
    """Measure and keep the table of a task on the test cut; None where nobody has truth.

    All rows are compared with the hybrid that is called "hybrid".
    """
    snapshot, categories = model.load_snapshot(context.version.pk, Cut.TEST)
    truth = model.load_truths(context.version.pk, Cut.TEST)[task]
    records = load_candidates(context.version.pk, Cut.TEST)
    if not len(truth.users) or TASKS[task] not in records:
        return None
    drawn = resamples(len(truth.users), seed=context.run.seed)
    rows = backtest(
        records[TASKS[task]], truth, hybrids={name: one.weights for name, one in hybrids.items()},
        baselines=baselines(
            snapshot.training, truth.users, excluded=snapshot.bought if task is Task.DISCOVER else None
        ),
        shop=assortment(snapshot.training), drawn=drawn, lifts=model.load_lifts(context.version.pk, Cut.TEST),
        exponents={name: one.exponents for name, one in hybrids.items()},
    )  # fmt: skip
    alone = {row.name: row.metrics[MAIN].value for row in rows if row.kind is not MeasuredKind.HYBRID}
    refuse(target_in_features(records[TASKS[task]], truth, ndcg=alone))
    groups = _groups(context, snapshot, categories, truth.users)
    quality = table(rows, truth, groups=groups, drawn=drawn, reference=HYBRID)
    window = tuple(model.moment(at) for at in context.windows.window(Cut.TEST))
    measurements.save_evaluation(
        context.version, cut=Cut.TEST, task=task, window=(window[0], window[1]), seed=context.run.seed, table=quality,
        costs=_costs(context, TASKS[task], hybrids),
    )  # fmt: skip
    return quality


def _groups(context: RunContext, snapshot: TrainingSnapshot, categories: IdMap, users: NDArray[np.int64]) -> Groups:
    """Groups for slices. Segments are this run's, so they know the whole history: they only tell customers apart."""
    numbers = interests.segments_by_customer(context.version.pk, snapshot.users.ids[users])
    departments, of_columns = measurements.departments(categories)
    main = snapshot.training.catalogue.main_categories(missing=-1)
    return Groups(
        activity=activity(snapshot.training, users),
        segment=numbers,
        department=np.append(of_columns, np.int32(-1))[main],  # −1, of no category, is the last one
        departments=departments,
        new=new_items(snapshot.training),
    )


def _costs(context: RunContext, blend: BlendName, hybrids: Iterable[str]) -> Costs:
    """Costs of the rows: a hybrid takes what its recommenders take together; the peak is that of the whole process."""
    counts = runs.stage_counts(context.run, Stage.TRAIN, Cut.TEST)
    fit, score = (_of_blend(counts.get(key, {}), blend) for key in ("fit_seconds", "score_seconds"))
    names = {instance.name for instance in shop_instances(blend)} | {SECOND_STAGE}
    for hybrid in hybrids:
        fit[hybrid] = round(sum(seconds for name, seconds in fit.items() if name in names), 2)
        score[hybrid] = round(sum(seconds for name, seconds in score.items() if name in names), 2)
    return Costs(fit_seconds=fit, score_seconds=score, peak_mb=dict.fromkeys(hybrids, jobs.peak_mb()))


def of_second_stage(blend: BlendName) -> str:
    """Name for the seconds of a blend's second stage: each blend has its own, but all are called the same."""
    return f"{SECOND_STAGE}_{blend}"


def _of_blend(seconds: Mapping[str, float], blend: BlendName) -> dict[str, float]:
    own = of_second_stage(blend)
    return {SECOND_STAGE if name == own else name: value for name, value in seconds.items()}


def panel_of(version_id: int, cut: Cut, task: Task, *, sample: bool = False) -> Panel | None:
    """The tuning panel of a task on a cut, or the ``sample`` of it that a page holds; None where nobody has truth."""
    return of_one_edition(version_id, lambda _edition: _panel_of(version_id, cut, task, sample=sample))


def _panel_of(version_id: int, cut: Cut, task: Task, *, sample: bool) -> Panel | None:
    snapshot, _ = model.load_snapshot(version_id, cut)
    truths: Mapping[Task, Truth] = model.load_truths(version_id, cut)
    if sample:
        truths = of_a_panel(version_id, truths, snapshot.users)
    truth, records = truths[task], load_candidates(version_id, cut)
    if TASKS[task] not in records or not len(truth.users):
        return None
    return panel(
        records[TASKS[task]],
        truth,
        shop=assortment(snapshot.training),
        likeness=model.likeness(snapshot.training.catalogue),
        lifts=model.load_lifts(version_id, cut),
    )
