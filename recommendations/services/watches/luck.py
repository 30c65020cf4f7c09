"""Luck: what the live version's figures would be had its run drawn under another seed. Beat asks for it once a week.

What has a seed is fitted again on the test cut under two others: the recommenders of ``SEEDED`` and the trees of the
second stage. The rest is the run's own, and so are weights, lifts and lessons. A drawn part of the test window's
customers stands for them all, also under the run's own seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import IntArray, Queries, TrainingSet
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.features import features
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.engine.ranking.second_stage import SecondStageUnavailableError
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.registry import SEEDED
from recommendations.engine.rng import generator
from recommendations.loop.evaluate import HYBRID, Configuration
from recommendations.loop.train import plans_of
from recommendations.models import Evaluation, ModelVersion
from recommendations.services.watches.refits import trees
from recommendations.store.domain import shop_instances
from recommendations.store.models import live_version, model, runs, weight_versions
from recommendations.store.models.artefacts import ArtefactDamagedError, of_one_edition
from recommendations.store.models.records import load_candidates
from recommendations.terms import TASKS, BlendName, Cut, Task

OTHERS = (1, 2)
"""What is added to the seed of the run."""
MOST = 2_000  # customers
K = 10

type Figures = Mapping[str, Sequence[float]]
"""NDCG@10 by row, under the run's own seed and then under each other one."""


def measure_luck() -> int:
    """Measure the live version's tables under other seeds; how many, 0 where that was done or nothing can be."""
    live = live_version.live_version()
    if live is None or Evaluation.objects.filter(version=live, cut=Cut.TEST).exclude(luck={}).exists():
        return 0
    try:
        figures = of_one_edition(live.pk, lambda _edition: _measured(live))
    except (ArtefactDamagedError, SecondStageUnavailableError) as error:
        runs.log(live.run, f"other seeds: nothing was measured. {error}")
        return 0
    seeds = [live.run.seed, *(live.run.seed + more for more in OTHERS)]
    for task, rows in figures.items():
        Evaluation.objects.filter(version=live, cut=Cut.TEST, task=task).update(luck={"seeds": seeds, "ndcg": rows})
        told = ", ".join(f"{value:.4f}" for value in rows[HYBRID])
        runs.log(live.run, f"{task}: under the seeds {seeds} the hybrid reaches {told}")
    return len(figures)


@dataclass(frozen=True, kw_only=True)
class _AskedWindow:
    """What a task's lists are made of and held against, beside the records."""

    version: ModelVersion
    blend: BlendName
    truth: Truth  # a row for each customer who is asked
    training: TrainingSet
    queries: Queries

    def figures(self, own: Candidates, others: Mapping[int, Candidates]) -> Figures:
        """The figures of what has a seed, and of the hybrid; ``others`` by seed, without a second stage."""
        records = [own, *(self._staged(record, own, seed=seed) for seed, record in others.items())]
        kinds = {one.name: one.kind for one in shop_instances(self.blend)}
        names = [name for name in own.instances if name == SECOND_STAGE or kinds.get(name) in SEEDED]
        rows = {name: [self._ndcg(one.own[:, one.instances.index(name)]) for one in records] for name in names}
        return {HYBRID: [self._ndcg(self._ranked(one)) for one in records], **rows}

    def _staged(self, record: Candidates, own: Candidates, *, seed: int) -> Candidates:
        """The record with the plane of trees of this seed, where the run has one."""
        stage = trees(self.version.pk, Cut.TEST, self.blend, seed=seed) if SECOND_STAGE in own.instances else None
        if stage is None:
            return record
        table = features(record, self.queries, item_facts(self.training))
        return with_plane(record, SECOND_STAGE, stage.plane(table, record).z)

    def _ranked(self, record: Candidates) -> IntArray:
        default = weight_versions.default_weights(self.blend)
        served = Configuration.of(default) if default else Configuration(weights={})
        lifts = model.load_lifts(self.version.pk, Cut.TEST)
        return record.ranked(served.weights, K, lifts=lifts, exponents=served.exponents)

    def _ndcg(self, lists: IntArray) -> float:
        return round(float(ndcg(judge(lists, self.truth.spent), K).mean()), 6)


def _measured(version: ModelVersion) -> dict[Task, Figures]:
    snapshot, _ = model.load_snapshot(version.pk, Cut.TEST)
    truths, stored = model.load_truths(version.pk, Cut.TEST), load_candidates(version.pk, Cut.TEST)
    everyone = model.everyone_and_a_stranger(snapshot.training)
    draw = generator(version.run.seed, "luck")
    figures = {}
    for task, blend in TASKS.items():
        users = np.sort(draw.permutation(truths[task].users)[:MOST])
        if blend not in stored or not len(users):
            continue
        queries = everyone.of(users)
        others = _reseeded(version, snapshot.training, plans_of(snapshot)[blend].of(users), queries)
        window = _AskedWindow(
            version=version, blend=blend, truth=Truth(spent=truths[task].spent[users]), training=snapshot.training,
            queries=queries,
        )  # fmt: skip
        figures[task] = window.figures(stored[blend].of(users), others)
    return figures


def _reseeded(version: ModelVersion, training: TrainingSet, plan: BlendPlan, queries: Queries) -> dict[int, Candidates]:
    """The records by seed, where what has one is fitted under it; what has none is asked once for all of them."""
    recommenders = model.load_recommenders(version.pk, Cut.TEST)
    wanted = [one for one in shop_instances() if one.name in plan.instances and one.name in recommenders]
    fitted, plans = [], {}
    for seed in (version.run.seed + more for more in OTHERS):
        names = {one.name: f"{one.name}@{seed}" if one.kind in SEEDED else one.name for one in wanted}
        plans[f"{seed}"] = replace(
            plan,
            instances=tuple(names[name] for name in plan.instances if name in names),
            weights={names[name]: weight for name, weight in plan.weights.items() if name in names},
        )
        fitted += [
            FittedInstance(name=names[one.name], recommender=one.build().fit(training, seed=seed),
                           trend_exponent=one.trend)
            for one in wanted if one.kind in SEEDED
        ]  # fmt: skip
    fitted += [
        FittedInstance(name=one.name, recommender=recommenders[one.name], trend_exponent=one.trend)
        for one in wanted
        if one.kind not in SEEDED
    ]
    records = candidates(fitted, queries, plans=plans, trend=trend(training.teaching))
    return {
        int(seed): replace(one, instances=tuple(name.partition("@")[0] for name in one.instances))
        for seed, one in records.items()
    }
