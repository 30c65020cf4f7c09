"""The gate between a new configuration and what is live; both are measured on one version's test cut."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import judge, ndcg, revenue_ndcg
from recommendations.engine.evaluation.gate import GateResult, gate_result
from recommendations.engine.frames import BoolArray
from recommendations.loop.evaluate import Configuration
from recommendations.models import Group
from recommendations.store.audiences.groups import of_group
from recommendations.store.models import interests, measurements, model
from recommendations.terms import TASKS, Cut, GateOutcome, Task

K = 10
LIVE = "live"
BASELINES = ("popular", "recent", "personal_frequency")
NOBODY = np.empty(0, np.float32)
LEAST = 10
"""Customers with truth whom a group needs: of fewer, an interval drawn from them says less than it seems to."""


class Reached(NamedTuple):
    """NDCG@10 and revenue NDCG@10 per customer of the test window's truth; empty where nobody has any."""

    accuracy: NDArray[np.float32]
    revenue: NDArray[np.float32]

    def of(self, rows: BoolArray) -> "Reached":
        return Reached(self.accuracy[rows], self.revenue[rows])


def figures_of(version_id: int, task: Task, configuration: Configuration) -> Reached:
    """What a configuration reaches on the version's test window."""
    truth = model.load_truths(version_id, Cut.TEST)[task]
    records = model.load_candidates(version_id, Cut.TEST)
    if not len(truth.users) or TASKS[task] not in records:
        return Reached(NOBODY, NOBODY)
    ranked = (
        records[TASKS[task]]
        .of(truth.users)
        .ranked(configuration.weights, K, lift=model.load_lift(version_id, Cut.TEST), promotion=configuration.promotion)
    )
    judged = judge(ranked, truth.per_user)
    return Reached(ndcg(judged, K).astype(np.float32), revenue_ndcg(judged, K).astype(np.float32))


def gate(
    version_id: int,
    task: Task,
    configuration: Configuration,
    *,
    live: Configuration | None,
    seed: int,
    group: Group = None,
) -> GateResult:
    """Compare the configuration with what is live, if anything is, and with the baselines.

    With a ``group`` only its customers count; fewer than ``LEAST`` of them measure nothing.
    """
    candidate = figures_of(version_id, task, configuration)
    served = figures_of(version_id, task, live) if live else None
    measured = measurements.load_per_user(version_id, task)
    references = {name: measured[name] for name in BASELINES if name in measured and len(candidate.accuracy)}
    if group is not None and len(candidate.accuracy):
        rows = _of_group(version_id, task, group)
        if (few := int(np.count_nonzero(rows))) < LEAST:
            return replace(gate_result(NOBODY, {}, seed=seed), users=few)
        candidate, served = candidate.of(rows), served.of(rows) if served else None
        references = {name: values[rows] for name, values in references.items()}
    return gate_result(
        candidate.accuracy,
        ({LIVE: served.accuracy} if served else {}) | references,
        seed=seed,
        revenue=(candidate.revenue, served.revenue) if served else None,
    )


def _of_group(version_id: int, task: Task, group: Group) -> BoolArray:
    """Mask of the group's customers among those of the test window's truth, in their order."""
    customers = model.truth_customers(version_id, Cut.TEST, task)
    return of_group(group, customers, segments=interests.segments_by_customer(version_id, customers))


def log_line(found: GateResult) -> str:
    """Line on a gate result for the log of a run."""
    if found.outcome is GateOutcome.UNMEASURED:
        return "nobody has truth in the test window, so nothing was compared"
    if found.worse_than:
        worst = found.worse_than[0]
        value, low, high = found.against[worst]
        return f"worse than {worst}, certain and not negligible: NDCG@10 {value:+.4f} [{low:+.4f}, {high:+.4f}]"
    if found.earns_less and found.revenue:
        value, low, high = found.revenue
        return f"earns less than {LIVE}, certain and not negligible: revenue {value:+.4f} [{low:+.4f}, {high:+.4f}]"
    parts = [f"{name} {value:+.4f} [{low:+.4f}, {high:+.4f}]" for name, (value, low, high) in found.against.items()]
    return "not worse: NDCG@10 against " + ", ".join(parts)
