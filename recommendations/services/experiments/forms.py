"""Drafts of experiments as they are handed in: arms, who takes part, what counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recommendations.terms import ExperimentKind, Metric


@dataclass(frozen=True, kw_only=True)
class ArmForm:
    """An arm besides the control; ``changes`` as in ``Arm.changes``."""

    changes: Mapping[str, Any]
    name: str = ""
    share: float | None = None  # None: the shares are even


@dataclass(frozen=True, kw_only=True)
class ExperimentForm:
    """A draft of an experiment. The control is not in it: it is what is served when the experiment starts."""

    name: str
    arms: Sequence[ArmForm]
    kind: ExperimentKind = ExperimentKind.AB
    hypothesis: str = ""
    segments: Sequence[int] = ()
    signed_in: bool | None = None
    traffic: float = 1.0
    primary: str = Metric.REVENUE
    guardrails: Mapping[str, float] = field(default_factory=dict)
    smallest_lift: float = 0.02
    planned_days: int = 28
    half_life: float | None = 14
    by_segment: bool = False
    placement: str = ""  # of a bandit; elsewhere all are touched whose answers the arms change


def shares_of(form: ExperimentForm) -> list[float]:
    """Shares of all arms, the control's first: what is left, or all even where none is given."""
    given = [arm.share for arm in form.arms]
    if all(share is None for share in given):
        return [1 / (len(given) + 1)] * (len(given) + 1)
    shares = [share or 0.0 for share in given]
    return [1 - sum(shares), *shares]
