"""Choice of the settings of each recommender on the validation part: one axis after the other within a budget."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.files.parts import Part
from bench.ranking.lists import factor_of, ranked_alone
from bench.ranking.readings import Read, ReadConfig
from bench.ranking.trials import Grid, Setting, taught
from recommendations.engine.evaluation.accuracy import judge, ndcg
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


@dataclass(kw_only=True)
class Search:
    """Trials of settings on one part. A setting is measured once for all tasks, and a model is kept while it serves."""

    part: Part
    tasks: tuple[Task, ...]
    trend: FloatArray | None
    seed: int
    budget: float  # seconds of processor time for each recommender and task: a busy machine does not change the choice
    most: int  # settings tried for each recommender and task
    measured: dict[Setting, Mapping[Task, float]] = field(default_factory=dict)
    model: Read | None = None

    def best(self, grid: Grid, task: Task) -> Chosen:
        """Best setting by coordinate ascent over the axes, again while a round brings something."""
        started, tried = time.process_time(), 1
        setting, value = grid.start, self._ndcg(grid.start, task)
        while grid.axes:
            before = value
            for axis in grid.axes:
                for change in axis.changes:
                    candidate = setting.changed(change)
                    spent = time.process_time() - started
                    if candidate == setting or tried >= self.most or spent > self.budget:
                        continue
                    tried += 1
                    reached = self._ndcg(candidate, task)
                    if reached > value + GAIN:
                        setting, value = candidate, reached
            if value <= before + GAIN or tried >= self.most or time.process_time() - started > self.budget:
                break
        return Chosen(name=grid.name, setting=setting.changed(grid.final), ndcg=value, tried=tried)

    def _ndcg(self, setting: Setting, task: Task) -> float:
        if setting not in self.measured:
            self.measured[setting] = self._measure(setting)
        return self.measured[setting][task]

    def _measure(self, setting: Setting) -> Mapping[Task, float]:
        self.model = self._fitted(setting.read)
        tasks = (Task.DISCOVER,) if setting.trend else self.tasks
        factor = factor_of(self.trend, setting.trend)
        lists = ranked_alone(self.model, self.part, tasks=tasks, k=K, factor=factor)
        reached = {}
        for task in tasks:
            truth = self.part.truths[task]
            reached[task] = float(ndcg(judge(lists[task][truth.users], truth.per_user), K).mean())
        return reached

    def _fitted(self, config: ReadConfig) -> Read:
        if self.model is not None and taught(self.model.config) == taught(config):
            return self.model.reconfigured(config)
        self.model = None  # two models at once may not fit into memory
        return Read(config).fit(self.part.training, seed=self.seed)
