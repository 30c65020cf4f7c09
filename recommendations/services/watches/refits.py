"""A run's model as it would be had the run been another: under another seed, or under the settings of before.

What would differ is fitted once more on the data of the run, and the customers of a sample are scored anew, on the
side of the run, too, so that nothing else differs. Segments and weights stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import Queries
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.features import features
from recommendations.engine.ranking.item_facts import ItemFacts, item_facts
from recommendations.engine.ranking.second_stage import NAME, SecondStage
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import SEEDED, Instance
from recommendations.loop.evaluate import of_second_stage
from recommendations.loop.second_stage import CONFIG, TAUGHT_BY
from recommendations.loop.train import plans_of
from recommendations.models import Run
from recommendations.store.domain import shop_instances
from recommendations.store.models import runs
from recommendations.store.models.model import Model, days, everyone_and_a_stranger, stored_config
from recommendations.store.models.second_stage import load_lesson, load_stage
from recommendations.terms import TASKS, BlendName, Cut, Stage

OTHER = 1
"""What is added to the seed of the run."""

MOST_SECONDS = 60.0
"""Seconds of the run's own fits above which none is repeated for this."""

type Stages = Mapping[BlendName, SecondStage]
type Settings = Mapping[str, Mapping[str, Any]]
"""Settings of instances by name, as they are stored with a version."""


class TooLongError(Exception):
    """Fitting once more what differs would take too long."""


@dataclass(kw_only=True, eq=False)
class Refits:
    """Models of a sample of the customers of a run; ``learned`` is the whole one, which knows them all.

    They raise TooLongError, and SecondStageUnavailableError where there is one and nothing to fit it with.
    """

    learned: Model
    customers: Sequence[int]
    run: Run

    @cached_property
    def own(self) -> Model:
        """The run's model as it is."""
        return self._model(self._instances, self.learned.recommenders, self._stages)

    def reseeded(self) -> Model:
        """The model that the run would have made under another seed."""
        seed, learned = self.run.seed + OTHER, self.learned
        seeded = [one for one in self._instances if one.kind in SEEDED]
        self._check([*(one.name for one in seeded), *(of_second_stage(blend) for blend in self._stages)])
        recommenders = {**learned.recommenders, **self._fitted(seeded, seed=seed)}
        grown = {blend: trees(learned.version_id, Cut.LIVE, blend, seed=seed) for blend in self._stages}
        stages = {blend: stage for blend, stage in grown.items() if stage is not None}
        return self._model(self._instances, recommenders, stages)

    def as_before(self, settings: Settings) -> Model | None:
        """The model that the run would have made under these settings; None where it has no others."""
        instances = [_under(one, settings) for one in self._instances]
        changed = [one for one, now in zip(instances, self._instances, strict=True) if one != now]
        if not changed:
            return None
        self._check([one.name for one in changed])
        recommenders = {**self.learned.recommenders, **self._fitted(changed, seed=self.run.seed)}
        return self._model(instances, recommenders, self._stages)

    @cached_property
    def _instances(self) -> list[Instance]:
        """The instances that the run fitted, with its settings."""
        return [one for one in shop_instances() if one.name in self.learned.recommenders]

    @cached_property
    def _stages(self) -> Stages:
        stages = {blend: load_stage(self.learned.version_id, Cut.LIVE, blend) for blend in TASKS.values()}
        return {blend: stage for blend, stage in stages.items() if stage is not None}

    def _check(self, names: Sequence[str]) -> None:
        """Raise TooLongError where the run took too long to fit all of these."""
        seconds = runs.stage_counts(self.run, Stage.TRAIN, Cut.LIVE).get("fit_seconds", {})
        if sum(seconds.get(name, 0.0) for name in names) > MOST_SECONDS:
            raise TooLongError

    def _fitted(self, instances: Sequence[Instance], *, seed: int) -> dict[str, Recommender]:
        """Fit the instances; those that differ by their trend share one."""
        fitted: list[tuple[Instance, Recommender]] = []
        for one in instances:
            twin = next((other for each, other in fitted if (each.kind, each.config) == (one.kind, one.config)), None)
            fitted.append((one, twin or one.build().fit(self.learned.training, seed=seed)))
        return {one.name: recommender for one, recommender in fitted}

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """Rows of the sample in the whole model, the last being the stranger's."""
        rows = np.sort(self.learned.users.rows(np.asarray(self.customers, np.int64)))
        return np.append(rows, self.learned.stranger).astype(np.int64)

    @cached_property
    def _queries(self) -> Queries:
        return everyone_and_a_stranger(self.learned.training).of(self._rows)

    @cached_property
    def _facts(self) -> ItemFacts:
        return item_facts(self.learned.training)

    @cached_property
    def _plans(self) -> dict[str, BlendPlan]:
        learned = self.learned
        whole = TrainingSnapshot(
            cut=days(learned.as_of), training=learned.training, users=learned.users, items=learned.items,
            disliked=learned.disliked,
        )  # fmt: skip
        return {name: plan.of(self._rows) for name, plan in plans_of(whole).items()}

    def _model(self, instances: Sequence[Instance], recommenders: Mapping[str, Recommender], stages: Stages) -> Model:
        """The model of the sample, its records scored by these recommenders."""
        learned, users = self.learned, self._rows[:-1]
        fitted = [
            FittedInstance(name=one.name, recommender=recommenders[one.name], trend_exponent=one.trend)
            for one in instances
        ]
        scored = candidates(fitted, self._queries, plans=self._plans, trend=trend(learned.training.teaching))
        records = {BlendName(name): record for name, record in scored.items()}
        for blend, stage in stages.items():
            records[blend] = self._staged(records[blend], stage)
        acts = learned.training.interactions.of_users(users)
        return replace(
            learned,
            users=IdMap(ids=learned.users.ids[users]),
            training=replace(learned.training, interactions=acts, teaches=None),
            disliked=learned.disliked[users],
            segments=learned.segments[users],
            recommenders=recommenders,
            candidates=records,
        )

    def _staged(self, records: Candidates, stage: SecondStage) -> Candidates:
        return with_plane(records, NAME, stage.plane(features(records, self._queries, self._facts), records).z)


def _under(instance: Instance, settings: Settings) -> Instance:
    """The instance with the settings that are stored for its name; itself where none are."""
    stored = settings.get(instance.name)
    if stored is None:
        return instance
    return replace(instance, config=stored_config(instance.config, stored), trend=stored.get("trend", instance.trend))


def trees(version_id: int, cut: Cut, blend: BlendName, *, seed: int) -> SecondStage | None:
    """The trees of a cut as they would be under another seed, taught by the same lessons; None where it has none."""
    stage = load_stage(version_id, cut, blend)
    if stage is None:
        return None
    taught = [load_lesson(version_id, each, blend) for each in TAUGHT_BY[cut]]
    lessons = [one for one in taught if one is not None and one.features.names == tuple(stage.names_)]
    return SecondStage(CONFIG).fit(lessons, seed=seed)
