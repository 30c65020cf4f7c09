"""Part of stage 4, where staff switched it on: one more plane of the records, by trees over what recommenders left.

The tuning cut is scored by trees that never saw the customer, the test cut by those of the tuning cut's lesson, the
live cut by those of both; so the weight, the gate and the figures know nothing of the window that they speak of.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import labels
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import IdArray, Queries, TrainingSet
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.features import Features, features
from recommendations.engine.ranking.item_facts import ItemFacts, item_facts
from recommendations.engine.ranking.second_stage import (
    NAME,
    Config,
    CrossFits,
    Lesson,
    NothingToLearnError,
    SecondStage,
    SecondStageUnavailableError,
    joined,
    lesson,
)
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import of_second_stage
from recommendations.store.domain import shop_domain
from recommendations.store.models import model, weight_versions
from recommendations.store.models import second_stage as store
from recommendations.store.models.records import load_candidates, save_candidates
from recommendations.terms import TASKS, BlendName, Cut

CUSTOMERS_AT_ONCE = 2_000
"""Number whose features are in memory together: 160 MB where there are a dozen recommenders."""

CONFIG = Config()

DONE = 0.95
"""Share of the stage's time before this begins; telling it now and then also hears that the run should stop."""

TAUGHT_BY: Mapping[Cut, tuple[Cut, ...]] = {
    Cut.TUNING: (),
    Cut.TEST: (Cut.TUNING,),
    Cut.LIVE: (Cut.TUNING, Cut.TEST),
}


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What the second stages took: seconds by ``of_second_stage``."""

    fit_seconds: dict[str, float] = field(default_factory=dict)
    score_seconds: dict[str, float] = field(default_factory=dict)


def first_stage_weights(blend: BlendName) -> Mapping[str, float]:
    """Weights that choose the candidates: those of the recommenders, and the preset's where they have none."""
    weights = {name: weight for name, weight in weight_versions.starting_weights(blend).items() if name != NAME}
    return weights if any(weight > 0 for weight in weights.values()) else shop_domain().weights[blend]


def add_second_stages(context: RunContext, training: TrainingSet) -> Staged:
    """Add the plane to the cut's records of each blend where it is on; why there is none is told in the run's log."""
    result, cut = Staged(), context.the_cut
    records = load_candidates(context.version.pk, cut)
    wanted = [blend for blend in store.blends_with_second_stage() if blend in records]
    if not wanted:
        return result
    facts, everyone = item_facts(training), model.everyone_and_a_stranger(training)
    for blend in wanted:
        asked, before = records[blend].asked, replace(records[blend], asked=None)
        customers = np.arange(len(everyone)) if asked is None else asked.ids
        queries = everyone if asked is None else everyone.of(customers)
        job = _Job(
            context=context, blend=blend, customers=customers, queries=queries, records=before, facts=facts
        )  # fmt: skip
        try:
            planes = job.tuning_planes() if cut is Cut.TUNING else job.planes()
            blocks = ({blend: with_plane(before.of(rows), NAME, z)} for rows, z in planes)
            save_candidates(context.version, cut, blocks, n_records=len(before))
        except SecondStageUnavailableError as error:
            context.report(DONE, text=f"{blend}: {error} The run goes on without it.")
            continue
        except NothingToLearnError:
            context.report(DONE, text=f"{blend}: no second stage, as there is nothing to learn it from")
            continue
        result.fit_seconds[of_second_stage(blend)] = round(job.fit_seconds, 2)
        result.score_seconds[of_second_stage(blend)] = round(job.score_seconds, 2)
    return result


type Planes = Iterator[tuple[IdArray, NDArray[np.float16]]]
"""Rows of the records, block by block, and z of their candidates."""


@dataclass(kw_only=True)
class _Job:
    """The second stage of one blend on one cut; a row is one of its records."""

    context: RunContext
    blend: BlendName
    customers: IdArray  # rows of the users by row, and the stranger's
    queries: Queries
    records: Candidates
    facts: ItemFacts
    fit_seconds: float = 0.0
    score_seconds: float = 0.0

    def tuning_planes(self) -> Planes:
        """z of the customers with truth, NaN for the others: nobody is served from this cut."""
        users, started = self.with_truth, time.monotonic()
        if not len(users):
            raise NothingToLearnError
        taught = joined([self.lesson(rows, self.features(rows)) for rows in _at_once(users)])
        fitting = time.monotonic()
        learners, seed = np.arange(len(users)), self.context.run.seed
        fits = CrossFits.fit(CONFIG, taught, n_queries=len(users), learners=learners, seed=seed)
        self.fit_seconds = time.monotonic() - fitting
        store.save_lesson(self.context.version, Cut.TUNING, self.blend, taught)
        for rows in _at_once(np.arange(len(self.records))):
            z = np.full(self.records.items[rows].shape, np.nan, np.float16)
            known = np.flatnonzero(np.isin(rows, users))
            asked, own = rows[known], np.searchsorted(users, rows[known])
            z[known] = fits.plane(self.features(asked), self.records.of(asked), queries=own).z
            self.context.report(DONE)
            yield rows, z
        self.score_seconds = time.monotonic() - started - self.fit_seconds

    def planes(self) -> Planes:
        """z of everyone, by trees that learned from the cuts before."""
        cut, started = self.context.the_cut, time.monotonic()
        stage = self.fitted()
        self.fit_seconds = time.monotonic() - started
        lessons: list[Lesson] = []
        for rows in _at_once(np.arange(len(self.records))):
            table = self.features(rows)
            z = stage.plane(table, self.records.of(rows)).z
            self.context.report(DONE)
            if cut is Cut.TEST:
                learners = np.flatnonzero(np.isin(rows, self.with_truth))
                lessons.append(self.lesson(rows[learners], table.of(learners)))
            yield rows, z
        self.score_seconds = time.monotonic() - started - self.fit_seconds
        store.save_stage(self.context.version, cut, self.blend, stage)
        if lessons:
            store.save_lesson(self.context.version, cut, self.blend, joined(lessons))

    def fitted(self) -> SecondStage:
        """Trees of the earlier cuts' lessons. Raises NothingToLearnError where none has the columns of this cut."""
        names = self.features(np.array([0])).names
        taught = [
            store.load_lesson(self.context.version.pk, cut, self.blend) for cut in TAUGHT_BY[self.context.the_cut]
        ]
        lessons = [one for one in taught if one is not None and one.features.names == names]
        if not lessons:
            raise NothingToLearnError
        return SecondStage(CONFIG).fit(lessons, seed=self.context.run.seed)

    @cached_property
    def truth(self) -> Truth:
        task = next(task for task, blend in TASKS.items() if blend is self.blend)
        return model.load_truths(self.context.version.pk, self.context.the_cut)[task]

    @cached_property
    def with_truth(self) -> IdArray:
        """Rows of the customers with truth."""
        return np.searchsorted(self.customers, self.truth.users)

    def features(self, rows: IdArray) -> Features:
        return features(self.records.of(rows), self.queries.of(rows), self.facts)

    def lesson(self, rows: IdArray, table: Features) -> Lesson:
        records = self.records.of(rows)
        relevant, _ = labels(records.items, self.truth.spent[self.customers[rows]])
        return lesson(table, records, relevant, weights=first_stage_weights(self.blend))


def _at_once(rows: IdArray) -> list[IdArray]:
    """Rows in blocks of about the same size whose features may be in memory together."""
    return np.array_split(rows, -(-len(rows) // CUSTOMERS_AT_ONCE))
