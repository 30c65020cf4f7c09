"""Champion and challenger: changed settings are fitted beside the live ones, on the same cut.

The version of a run with new settings goes live only where it is not worse than the live configuration would be on
the same history. Only what the live weights count on is fitted twice.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from recommendations.engine.evaluation.accuracy import judge, ndcg, revenue_ndcg
from recommendations.engine.evaluation.gate import GateResult, gate_result
from recommendations.engine.frames import IdArray, IntArray
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.engine.recommenders.hybrid import BlendPlan
from recommendations.engine.recommenders.registry import Instance
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import Configuration
from recommendations.loop.gate import LIVE, K, figures_of
from recommendations.store.domain import shop_instances
from recommendations.store.models import live_version, measurements, model, weight_versions
from recommendations.terms import TASKS, BlendName, Cut, Task

LIVE_CONFIGURATION, LIVE_REVENUE = "live_configuration", "live_configuration_revenue"
"""Names of what the live configuration reaches when it is fitted on this run's history: in NDCG@10, and in revenue."""

CHAMPION = "@live"


def settings() -> dict[str, dict[str, Any]]:
    """Settings of every registered instance, as they are kept with a version."""
    return {one.name: {**asdict(one.config), "trend": one.trend} for one in shop_instances()}


def changed() -> dict[str, Instance]:
    """Instances with weight whose live settings are not those of now, by name, as they were fitted for the live one."""
    live = live_version.live_version()
    if live is None:
        return {}
    weighted = {name for one in _live().values() for name, weight in one.weights.items() if weight > 0}
    instances = {}
    for one in shop_instances():
        if one.name not in weighted or one.name not in live.instances:
            continue
        stored = live.instances[one.name]
        before = replace(one, config=model.stored_config(one.config, stored), trend=stored.get("trend", one.trend))
        if before != one:
            instances[one.name] = before
    return instances


def plans_as_live(before: Mapping[str, Instance], plans: Mapping[str, BlendPlan]) -> dict[str, BlendPlan]:
    """A second plan for each blend that has a changed instance, with the live settings in its place."""
    champions = {}
    for blend, live in _live().items():
        weights = live.weights
        names = {
            name: f"{name}{CHAMPION}" if name in before else name for name, weight in weights.items() if weight > 0
        }
        if blend in plans and before.keys() & names.keys():
            champions[f"{blend}{CHAMPION}"] = replace(
                plans[blend],
                weights={names[name]: weights[name] for name in names},
                instances=tuple(names.values()),
            )
    return champions


class ChampionLists:
    """What the live configuration lists on this run's history: item rows [records, K] by blend, block by block."""

    def __init__(self, context: RunContext, plans: Mapping[str, BlendPlan]) -> None:
        self._context, self._plans, self._live = context, plans, _live()
        self._lifts = model.load_lifts(context.version.pk, Cut.TEST) if plans else {}
        self._lists: dict[str, list[IntArray]] = {name: [] for name in plans}

    def take(self, block: Mapping[str, Candidates]) -> Mapping[str, Candidates]:
        """Take the lists of the next records, and hand these on."""
        for name, plan in self._plans.items():
            exponents = self._live[BlendName(name.removesuffix(CHAMPION))].exponents
            self._lists[name].append(block[name].ranked(plan.weights, K, lifts=self._lifts, exponents=exponents))
        return block

    def keep(self, asked: IdArray) -> None:
        """Keep what the lists reach on the test window, for the gate; ``asked`` are the rows of their customers."""
        version = self._context.version
        truths = model.load_truths(version.pk, Cut.TEST) if self._lists else {}
        for task, blend in TASKS.items():
            name = f"{blend}{CHAMPION}"
            if name not in self._lists or not len(truths[task].users):
                continue
            lists = np.concatenate(self._lists[name])[np.searchsorted(asked, truths[task].users)]
            judged = judge(lists, truths[task].per_user)
            reached = ndcg(judged, K).astype(np.float32)
            money = revenue_ndcg(judged, K).astype(np.float32)
            measurements.save_per_user(version, task, {LIVE_CONFIGURATION: reached, LIVE_REVENUE: money})
            text = f"{task}: settings changed, so the live ones were fitted as well: {reached.mean():.4f}"
            self._context.report(0, text=text)


def gate_version(context: RunContext, task: Task, configuration: Configuration) -> GateResult | None:
    """Compare the version, under the weights it would serve with, with the live one; None where no settings changed.

    There is no second stage for the settings of before, so the settings are compared without it on either side.
    """
    stored = measurements.load_per_user(context.version.pk, task)
    if LIVE_CONFIGURATION not in stored:
        return None
    weights = {name: weight for name, weight in configuration.weights.items() if name != SECOND_STAGE}
    if any(weights.values()):
        configuration = replace(configuration, weights=weights)
    reached = figures_of(context.version.pk, task, configuration)
    before = {LIVE: stored[LIVE_CONFIGURATION]}
    money = (reached.revenue, stored[LIVE_REVENUE]) if LIVE_REVENUE in stored else None
    return gate_result(reached.accuracy, before, seed=context.run.seed, revenue=money)


def _live() -> dict[BlendName, Configuration]:
    versions = {blend: weight_versions.default_weights(blend) for blend in TASKS.values()}
    return {blend: Configuration.of(weights) for blend, weights in versions.items() if weights}
