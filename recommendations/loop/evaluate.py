"""Stage 5: every recommender alone and the baselines on the test window; the hybrid follows when it has weights."""

from collections.abc import Mapping

from recommendations.engine.evaluation.backtest import Row, backtest, baselines
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.panel import Panel, panel
from recommendations.loop.turn import TurnContext
from recommendations.models import EvaluationRun
from recommendations.store import measurements, model
from recommendations.store.turns import stage_counts
from recommendations.terms import BlendName, Cut, Stage, Task

TASKS: Mapping[Task, BlendName] = {Task.HOME: BlendName.HOME, Task.DISCOVER: BlendName.DISCOVER}


def measure(context: TurnContext) -> Mapping[str, object]:
    """Tables of both tasks on the test cut, without the hybrid."""
    counts: dict[str, object] = {}
    snapshot, _ = model.load_snapshot(context.version.pk, Cut.TEST)
    truths = model.load_truths(context.version.pk, Cut.TEST)
    records = model.load_candidates(context.version.pk, Cut.TEST)
    for number, (task, blend) in enumerate(TASKS.items()):
        truth = truths[task]
        counts[f"{task}_users"] = len(truth.users)
        if not len(truth.users) or blend not in records:
            context.report(0, text=f"{task}: nobody with a history bought anything in the test window: no figures")
            continue
        excluded = snapshot.bought if task is Task.DISCOVER else None
        rows = backtest(
            records[blend],
            truth,
            hybrids={},
            baselines=baselines(snapshot.training, truth.users, excluded=excluded),
            shop=assortment(snapshot.training),
            drawn=resamples(len(truth.users), seed=context.seed),
        )
        save(context, Cut.TEST, task, rows, users=len(truth.users))
        context.report((number + 1) / len(TASKS), text=f"{task}: {len(rows)} rows over {len(truth.users):,} customers")
    return counts


def save(context: TurnContext, cut: Cut, task: Task, rows: list[Row], *, users: int) -> EvaluationRun:
    start, end = context.windows.window(cut)
    return measurements.save_evaluation(
        context.version,
        cut=cut,
        task=task,
        window=(model.moment(start), model.moment(end)),
        users=users,
        seed=context.seed,
        rows=rows,
        fit_seconds=stage_counts(context.turn, Stage.RECOMMEND, cut).get("fit_seconds", {}),
    )


def panel_of(context: TurnContext, cut: Cut, task: Task) -> Panel | None:
    """The what-if panel of a task on a cut; None where nobody has truth."""
    snapshot, _ = model.load_snapshot(context.version.pk, cut)
    truth = model.load_truths(context.version.pk, cut)[task]
    records = model.load_candidates(context.version.pk, cut)
    if TASKS[task] not in records or not len(truth.users):
        return None
    return panel(
        records[TASKS[task]],
        truth,
        shop=assortment(snapshot.training),
        likeness=model.likeness(snapshot.training.catalogue),
    )
