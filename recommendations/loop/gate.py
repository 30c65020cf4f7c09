"""The gate between a new configuration and what is live; both are measured on one version's test cut."""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.gate import GateResult, gate_result
from recommendations.engine.frames import BoolArray
from recommendations.loop.evaluate import Configuration
from recommendations.store.models import interests, measurements, model
from recommendations.terms import TASKS, Cut, GateOutcome, Task

K = 10
LIVE = "live"
BASELINES = ("popular", "recent", "personal_frequency")
NOBODY = np.empty(0, np.float32)


def ndcg_of(version_id: int, task: Task, configuration: Configuration) -> NDArray[np.float32]:
    """NDCG@10 per customer of the test window's truth; empty where nobody has any."""
    truth = model.load_truths(version_id, Cut.TEST)[task]
    records = model.load_candidates(version_id, Cut.TEST)
    if not len(truth.users) or TASKS[task] not in records:
        return NOBODY
    ranked = (
        records[TASKS[task]]
        .of(truth.users)
        .ranked(configuration.weights, K, lift=model.load_lift(version_id, Cut.TEST), promotion=configuration.promotion)
    )
    return ndcg(judge(ranked, truth.per_user), K).astype(np.float32)


def gate(
    version_id: int,
    task: Task,
    configuration: Configuration,
    *,
    live: Configuration | None,
    seed: int,
    segment: int | None = None,
) -> GateResult:
    """Compare the configuration with what is live, if anything is, and with the baselines.

    With the number of a ``segment`` only its customers count.
    """
    candidate = ndcg_of(version_id, task, configuration)
    measured = measurements.load_per_user(version_id, task)
    references = {LIVE: ndcg_of(version_id, task, live)} if live else {}
    references |= {name: measured[name] for name in BASELINES if name in measured and len(candidate)}
    if segment is not None and len(candidate):
        rows = _of_segment(version_id, task, segment)
        candidate, references = candidate[rows], {name: values[rows] for name, values in references.items()}
    return gate_result(candidate, references, seed=seed)


def _of_segment(version_id: int, task: Task, segment: int) -> BoolArray:
    """Mask of the segment's customers among those of the test window's truth, in their order."""
    numbers = interests.segments_by_customer(version_id, model.truth_customers(version_id, Cut.TEST, task))
    return np.asarray(numbers == segment)


def log_line(found: GateResult) -> str:
    """Line on a gate result for the log of a run."""
    if found.outcome is GateOutcome.UNMEASURED:
        return "nobody has truth in the test window, so nothing was compared"
    if found.worse_than:
        worst = found.worse_than[0]
        value, low, high = found.against[worst]
        return f"worse than {worst} beyond the interval: NDCG@10 {value:+.4f} [{low:+.4f}, {high:+.4f}]"
    parts = [f"{name} {value:+.4f} [{low:+.4f}, {high:+.4f}]" for name, (value, low, high) in found.against.items()]
    return "not worse beyond the interval: NDCG@10 against " + ", ".join(parts)
