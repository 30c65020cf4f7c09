"""Event weights that a run proposes, in rows and words."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import ModelVersion
from recommendations.terms import GateOutcome
from recommendations.wording import labels


@dataclass(frozen=True, kw_only=True)
class PointsRow:
    """An act: points now and proposed, with the interval; the share of its pairs that was bought, and the usual one."""

    words: str
    now: float
    proposed: Measure
    pairs: int
    bought: float
    expected: float


@dataclass(frozen=True, kw_only=True)
class PointsProposal:
    """A proposal: rows of the acts, paired gain of NDCG on the tuning window, and whether the gate found it worse."""

    rows: Sequence[PointsRow]
    gain: Measure
    users: int
    worse: bool
    unmeasured: bool
    decided: str  # accepted, declined, or empty
    by: str


def points_proposal(version: ModelVersion | None) -> PointsProposal | None:
    """The proposal of a version; None where it has none."""
    told = version.points_proposal if version else None
    if version is None or not told:
        return None
    names = {str(name): str(words) for name, words in labels.EVENT_NAMES}
    rows = [
        PointsRow(
            words=names[name], now=version.event_weights.get(name, 0.0), proposed=Measure(**one["points"]),
            pairs=one["pairs"], bought=one["bought"], expected=one["expected"],
        )
        for name, one in told["points"].items()
    ]  # fmt: skip
    return PointsProposal(
        rows=rows, gain=Measure(**told["gain"]), users=told["users"],
        worse=told["gate"]["outcome"] == GateOutcome.WORSE,
        unmeasured=told["gate"]["outcome"] == GateOutcome.UNMEASURED,
        decided=told.get("decided", ""), by=told.get("by", ""),
    )  # fmt: skip
