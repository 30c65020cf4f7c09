"""Part of stage 5: what each recommender of the test cut finds of what it learned, beside what came after."""

from collections.abc import Mapping

import numpy as np

from recommendations.engine.evaluation.generalisation import MOST, Gap, HiddenTenth, gaps
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.hybrid import OWN, BlendPlan, FittedInstance, Limits, candidates
from recommendations.engine.rng import generator
from recommendations.loop.context import RunContext
from recommendations.store.domain import shop_instances
from recommendations.store.models import measurements, model
from recommendations.store.models.records import load_candidates
from recommendations.terms import TASKS, BlendName, Cut, Task

LIMITS = Limits(nominated=OWN, kept=OWN, own=OWN)
"""Sizes of a record of which only each instance's own best are asked for."""


def measure_generalisation(context: RunContext, *, done: float) -> None:
    """Measure the gaps of both tasks on a drawn part of the test window's customers, and keep them with their tables.

    The recommenders are those of the test cut as they were fitted; the lists on the side of the test window are those
    of the records.
    """
    version = context.version.pk
    snapshot, _ = model.load_snapshot(version, Cut.TEST)
    truths, records = model.load_truths(version, Cut.TEST), load_candidates(version, Cut.TEST)
    draw = generator(context.run.seed, "generalisation")
    known = np.union1d(*(truths[task].users for task in TASKS))
    if not len(known):
        return
    tenth = HiddenTenth.of(snapshot.training, np.sort(draw.permutation(known)[:MOST]), draw)
    refound = _refound(context, snapshot, tenth, done=done)
    for task, blend in TASKS.items():
        if blend not in records or blend not in refound:
            continue
        own, after = refound[blend], records[blend].of(tenth.users)
        at = [after.instances.index(name) for name in own.instances]
        measured = gaps(
            own.instances,
            refound=(own.own, tenth.unknown if task is Task.DISCOVER else tenth.hidden),
            after=(after.own[:, at], truths[task].spent[tenth.users]),
            seed=context.run.seed,
        )
        measurements.save_generalisation(context.version, Cut.TEST, task, measured)
        context.report(done, text=f"{task}: {_line(measured)}")


def _refound(
    context: RunContext, snapshot: TrainingSnapshot, tenth: HiddenTenth, *, done: float
) -> Mapping[BlendName, Candidates]:
    """The lists of each instance for histories without their tenth; what else is in a history is known to discover."""
    recommenders = model.load_recommenders(context.version.pk, Cut.TEST)
    instances = {blend: [one for one in shop_instances(blend) if one.name in recommenders] for blend in TASKS.values()}
    disliked = snapshot.disliked[tenth.users]
    plans: dict[str, BlendPlan] = {
        blend: BlendPlan(
            weights={},
            instances=tuple(one.name for one in own),
            excluded=tenth.rest + disliked if blend is BlendName.DISCOVER else disliked,
        )
        for blend, own in instances.items()
        if own
    }
    every = {one.name: one for own in instances.values() for one in own}
    fitted = [
        FittedInstance(name=name, recommender=recommenders[name], trend_exponent=one.trend)
        for name, one in every.items()
    ]
    lists = candidates(
        fitted, tenth.queries, plans=plans, trend=trend(snapshot.training.teaching), limits=LIMITS,
        progress=lambda _share: context.report(done),
    )  # fmt: skip
    return {BlendName(name): record for name, record in lists.items()}


def _line(rows: Mapping[str, Gap]) -> str:
    """Line for the log of a run."""
    if not rows:
        return "too few bought before and after to say how what is learned carries over"
    name, widest = max(rows.items(), key=lambda each: each[1].gap.value)
    value, low, high = widest.gap
    return f"on what it learned minus on what came after at most {value:+.4f} [{low:+.4f}, {high:+.4f}], of {name}"
