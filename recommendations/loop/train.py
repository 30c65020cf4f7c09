"""Stage 4a: fit every registered instance on one cut, and leave each customer's candidates."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendations.engine.evaluation.split import without
from recommendations.engine.frames import Sparse, TrainingSet
from recommendations.engine.preprocess.matrix import Snapshot
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import INSTANCES, Instance, instances_of
from recommendations.loop.turn import TurnContext
from recommendations.models import ModelVersion
from recommendations.store import blending, model
from recommendations.terms import BlendName, Cut

RANKED = (BlendName.HOME, BlendName.DISCOVER)
"""The blends that have a record per customer; the others are scored from the items in view."""

THREADS = 2

FITTED = 0.4
"""Share of the stage's time that fitting takes."""


def fit_recommenders(context: TurnContext) -> Mapping[str, object]:
    """Fitted instances and candidate records of the cut; nothing of it is served before the version goes live."""
    cut = context.the_cut
    snapshot, _ = model.load_snapshot(context.version.pk, cut)
    if not snapshot.training.n_users:
        context.report(1, text=f"{cut}: no history before this cut, so nothing is fitted on it")
        return {"skipped": "no history before this cut"}
    fitted, seconds = _fit(context, snapshot.training)
    started = time.monotonic()
    records = candidates(
        [
            FittedInstance(name=instance.name, recommender=fitted[instance.name], trend_exponent=instance.trend)
            for instance in INSTANCES
            if instance.name in fitted
        ],
        model.everyone_and_a_stranger(snapshot.training),
        plans=_plans(snapshot),
        trend=trend(snapshot.training.interactions),
        progress=lambda share: context.report(FITTED + (0.95 - FITTED) * share),
    )
    scored = time.monotonic() - started
    size = model.save_candidates(context.version, cut, {BlendName(name): found for name, found in records.items()})
    if cut is not Cut.TUNING:
        size += model.save_recommenders(context.version, cut, fitted)
    configs = {instance.name: asdict(instance.config) for instance in INSTANCES}
    ModelVersion.objects.filter(pk=context.version.pk).update(instances=configs)
    context.report(1, text=f"{cut}: {len(fitted)} recommenders, {size / 1e6:,.0f} MB, scored in {scored:.0f} s")
    return {"fit_seconds": seconds, "score_seconds": round(scored, 2), "bytes": size, "customers": len(snapshot.users)}


def _fit(context: TurnContext, training: TrainingSet) -> tuple[dict[str, Recommender], dict[str, float]]:
    """Every instance that this cut has a use for, two at a time; instances that differ by their trend share one."""
    wanted = [one for one in INSTANCES if context.cut is not Cut.TUNING or one.blends.intersection(RANKED)]
    first = {one.name: _first_alike(one, wanted) for one in wanted}
    once = [one for one in wanted if first[one.name] is one]

    def fit(instance: Instance) -> tuple[Recommender, float]:
        started = time.monotonic()
        recommender = instance.made().fit(training, seed=context.seed)
        return recommender, round(time.monotonic() - started, 2)

    done: dict[str, tuple[Recommender, float]] = {}
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as threads:
        for instance, result in zip(once, threads.map(fit, once), strict=True):
            done[instance.name] = result
            context.report(FITTED * len(done) / len(once))
    fitted = {one.name: done[first[one.name].name][0] for one in wanted}
    return fitted, {name: seconds for name, (_, seconds) in done.items()}


def _first_alike(instance: Instance, among: Sequence[Instance]) -> Instance:
    return next(one for one in among if one.kind is instance.kind and one.config == instance.config)


def _plans(snapshot: Snapshot) -> dict[str, BlendPlan]:
    bought = _with_stranger([snapshot.bought, snapshot.disliked])
    disliked = _with_stranger([snapshot.disliked]) if snapshot.disliked.nnz else None
    return {
        blend: BlendPlan(
            weights=blending.starting_weights(blend),
            instances=tuple(instance.name for instance in instances_of(blend)),
            excluded=bought if blend is BlendName.DISCOVER else disliked,
        )
        for blend in RANKED
    }


def _with_stranger(parts: Sequence[Sparse]) -> Sparse:
    """The places of all parts, and an empty row for the stranger."""
    total = parts[0]
    for part in parts[1:]:
        total = total + without(part, total) if part.nnz else total
    starts = np.append(total.indptr, total.indptr[-1])
    return sparse.csr_matrix((total.data, total.indices, starts), shape=(total.shape[0] + 1, total.shape[1]))
