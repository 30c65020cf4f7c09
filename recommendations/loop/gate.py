"""The gate between a new configuration and what is live; both are measured on one version's test cut."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import judge, ndcg, revenue_ndcg
from recommendations.engine.evaluation.gate import GateResult, gate_result
from recommendations.engine.evaluation.panel_measures import margin_of_hits
from recommendations.engine.frames import BoolArray, IntArray
from recommendations.loop.evaluate import Configuration
from recommendations.models import Group
from recommendations.store.audiences.groups import of_group
from recommendations.store.models import interests, measurements, model
from recommendations.store.models.records import load_candidates
from recommendations.terms import TASKS, Cut, GateOutcome, Task

K = 10
"""Places that are compared where nobody says how many the shop asks for."""

LIVE = "live"
BASELINES = ("popular", "recent", "personal_frequency")
NOBODY = np.empty(0, np.float32)
LEAST = 10
"""Customers with truth whom a group needs: of fewer, an interval drawn from them says less than it seems to."""


class Reached(NamedTuple):
    """NDCG, revenue NDCG and money of margin per customer of the test window's truth; empty where nobody has any.

    ``margin`` is None where no cost is known.
    """

    accuracy: NDArray[np.float32]
    revenue: NDArray[np.float32]
    margin: NDArray[np.float32] | None = None

    def of(self, rows: BoolArray) -> "Reached":
        return Reached(self.accuracy[rows], self.revenue[rows], None if self.margin is None else self.margin[rows])


def figures_of(version_id: int, task: Task, configuration: Configuration, *, length: int = K) -> Reached:
    """What the first ``length`` items of a configuration reach on the version's test window."""
    truth = model.load_truths(version_id, Cut.TEST)[task]
    records = load_candidates(version_id, Cut.TEST)
    if not len(truth.users) or TASKS[task] not in records:
        return Reached(NOBODY, NOBODY)
    lifts, shares = model.load_lifts(version_id, Cut.TEST), model.load_margin_share(version_id, Cut.TEST)
    chosen = records[TASKS[task]].of(truth.users)
    ranked = chosen.ranked(configuration.weights, length, lifts=lifts, exponents=configuration.exponents)
    judged = judge(ranked, truth.per_user)
    margin = None if shares is None else margin_of_hits(ranked, judged, shares, length).astype(np.float32)
    return Reached(ndcg(judged, length).astype(np.float32), revenue_ndcg(judged, length).astype(np.float32), margin)


def gate(
    version_id: int,
    task: Task,
    configuration: Configuration,
    *,
    live: Configuration | None,
    seed: int,
    group: Group = None,
    length: int = K,
) -> GateResult:
    """Compare the first ``length`` items of the configuration with what is live, if anything is, and the baselines.

    With a ``group`` only its customers count; fewer than ``LEAST`` of them measure nothing. A version that did not
    keep the baselines' lists is compared at ten places.
    """
    lists = measurements.load_lists(version_id, task)
    length = length if lists else K
    candidate = figures_of(version_id, task, configuration, length=length)
    served = figures_of(version_id, task, live, length=length) if live else None
    references = _baselines(version_id, task, lists, length) if len(candidate.accuracy) else {}
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
        margin=_pair(candidate.margin, served.margin) if served else None,
        length=length,
    )


def _pair(
    own: NDArray[np.float32] | None, live: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    return None if own is None or live is None else (own, live)


def _baselines(
    version_id: int, task: Task, lists: Mapping[str, IntArray], length: int
) -> dict[str, NDArray[np.float32]]:
    """NDCG of the baselines' lists per customer."""
    if not lists:
        measured = measurements.load_per_user(version_id, task)
        return {name: measured[name] for name in BASELINES if name in measured}
    truth = model.load_truths(version_id, Cut.TEST)[task].per_user
    return {name: ndcg(judge(lists[name], truth), length).astype(np.float32) for name in BASELINES if name in lists}


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
    if lost := {"revenue": found.revenue, "margin": found.margin}.get(found.earns_less):
        value, low, high = lost
        what = f"{found.earns_less} {value:+.4f} [{low:+.4f}, {high:+.4f}]"
        return f"earns less than {LIVE}, certain and not negligible: {what}"
    parts = [f"{name} {value:+.4f} [{low:+.4f}, {high:+.4f}]" for name, (value, low, high) in found.against.items()]
    return "not worse: NDCG@10 against " + ", ".join(parts)
