"""Choice of the settings of each recommender on the validation part: one axis after the other within a budget."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from bench.files.parts import Part
from bench.ranking.lists import factor_of, ranked_alone
from bench.ranking.readings import Read, ReadConfig
from bench.ranking.trials import Change, Grid, Setting, taught
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.feedback.tuning import ascend, mean
from recommendations.engine.frames import FloatArray
from recommendations.terms import Task

K = 10
GAIN = 1e-5
"""A smaller gain is no reason to leave a setting."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The setting found best for a recommender on a task, with its NDCG@10 on the validation part."""

    name: str
    setting: Setting
    ndcg: float
    tried: int
    whole: Setting | None = None  # the setting on all items, where it was searched on a part of them

    def grown(self) -> "Chosen":
        """The same on all items."""
        return self if self.whole is None else replace(self, setting=self.whole, whole=None)


@dataclass(kw_only=True)
class Search:
    """Trials of settings on one part and task. A setting is measured once, and a model is kept while it serves."""

    part: Part
    task: Task
    trend: FloatArray | None
    seed: int
    budget: float  # seconds of processor time for each recommender: a busy machine does not change the choice
    most: int  # settings tried for each recommender
    measured: dict[Setting, float] = field(default_factory=dict)
    model: Read | None = None

    def best(self, grid: Grid) -> Chosen:
        """Best setting by ascent over the axes while the budget lasts; each change is from the best setting so far."""
        started, tried = time.process_time(), [grid.start]

        def moves(setting: Setting, *, change: Change) -> Iterator[Setting]:
            candidate, spent = setting.changed(change), time.process_time() - started
            if candidate != setting and len(tried) < self.most and spent <= self.budget:
                tried.append(candidate)
                yield candidate

        axes = [partial(moves, change=change) for axis in grid.axes for change in axis]
        setting, value = ascend(
            self._ndcg, grid.start, self._ndcg(grid.start), axes=lambda _: axes, rounds=self.most, gain=GAIN
        )
        whole = setting.changed(grid.final) if grid.final else None
        return Chosen(name=grid.name, setting=setting, ndcg=value, tried=len(tried), whole=whole)

    def _ndcg(self, setting: Setting) -> float:
        if setting not in self.measured:
            self.model = self._fitted(setting.read)
            factor = factor_of(self.trend, setting.trend)
            ranked = ranked_alone(self.model, self.part, task=self.task, k=K, factor=factor)
            truth = self.part.truths[self.task]
            self.measured[setting] = mean(ndcg(judge(ranked[truth.users], truth.per_user), K))
        return self.measured[setting]

    def _fitted(self, config: ReadConfig) -> Read:
        if self.model is not None and taught(self.model.config) == taught(config):
            return self.model.reconfigured(config)
        self.model = None  # two models at once may not fit into memory
        return Read(config).fit(self.part.training, seed=self.seed)
