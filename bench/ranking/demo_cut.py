"""A cut of the demo's data with every instance fitted and every user's candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.meter import Cost, metered
from bench.ranking.complete_journey import Part, shop
from bench.ranking.judging import Entry
from bench.ranking.picking import Tell
from bench.ranking.readings import Read, ReadConfig
from bench.ranking.staged import Window
from recommendations.domains.goods import GOODS
from recommendations.engine.frames import FloatArray, Promotions, Sparse
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.preprocess.promotions import lift
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, Limits, candidates
from recommendations.engine.recommenders.registry import Instance, instances_of
from recommendations.terms import BlendName, Task

BLENDS: Mapping[Task, BlendName] = {Task.HOME: BlendName.HOME, Task.DISCOVER: BlendName.DISCOVER}


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

    def told(self, weeks: int) -> Promotions:
        """Promotions of the past and of so many weeks to come."""
        return shop().promotions(self.part, weeks_ahead=weeks)

    def lift_of_plan(self, weeks: int) -> FloatArray:
        """Lift of the demand for each item by the plan of so many weeks."""
        return lift(replace(self.part.snapshot.training, promotions=self.told(weeks)))

    def window(self, task: Task) -> Window:
        truth = self.part.truths[task]
        records = self.records[task].of(truth.users)
        return Window(training=self.part.snapshot.training, records=records, truth=truth)


def scored_cut(part: Part, *, tasks: Sequence[Task], k: int, seed: int, tell: Tell) -> Scored:
    """Fit every instance that the tasks' blends may weigh and that can learn, and make the records of every user."""
    training = part.snapshot.training
    tell(f"cut {part.cut:.0f}: {training.n_users:,} users, {training.n_items:,} items")
    weighed = {task: [one for one in instances_of(BLENDS[task]) if one.can_learn(training)] for task in tasks}
    wanted = list(dict.fromkeys(one for instances in weighed.values() for one in instances))
    fitted: dict[str, Read] = {}
    costs: dict[str, Cost] = {}
    for instance in wanted:
        twin = next((one for one in wanted if one.name in fitted and _alike(one, instance)), None)
        if twin is not None:
            fitted[instance.name], costs[instance.name] = fitted[twin.name], costs[twin.name]
            continue
        with metered() as costs[instance.name]:
            config = ReadConfig(kind=instance.kind, config=instance.config)
            fitted[instance.name] = Read(config).fit(training, seed=seed)
    tell(f"cut {part.cut:.0f}: {len(set(map(id, fitted.values())))} recommenders fitted")
    plans = {
        BLENDS[task].value: BlendPlan(
            weights=GOODS.weights[BLENDS[task]],
            instances=tuple(instance.name for instance in instances),
            excluded=part.snapshot.bought if task is Task.DISCOVER else None,
        )
        for task, instances in weighed.items()
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
            limits=Limits(own=max(20, k)),
        )  # fmt: skip
    tell(f"cut {part.cut:.0f}: candidates of everyone in {score.seconds:.0f} s")
    seconds = {name: sum(model.seconds) for name, model in fitted.items()}
    by_task = {task: records[BLENDS[task]] for task in tasks}
    return Scored(part=part, records=by_task, seconds=seconds, fit=costs, score=score)


def _alike(one: Instance, other: Instance) -> bool:
    return one.kind is other.kind and one.config == other.config


def of_users(test: Scored, task: Task, entry: Entry) -> Entry:
    """Lists of the users with truth as lists of all users."""
    truth = test.part.truths[task]
    ranked = np.full((truth.spent.shape[0], entry.ranked.shape[1]), -1, np.int32)
    ranked[truth.users] = entry.ranked
    return replace(entry, ranked=ranked)
