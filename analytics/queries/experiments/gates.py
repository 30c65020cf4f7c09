"""What the gate says of the weights of an arm, before they are published for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommendations.models import Arm, BlendWeights
from recommendations.services.weights.blending import gate_result_on
from recommendations.terms import GateOutcome


@dataclass(frozen=True, kw_only=True)
class ArmGate:
    """The result of the gate on a version that an arm serves."""

    weights: BlendWeights
    result: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        return bool(self.result["outcome"] == GateOutcome.PASSED)


def gates_of(arm: Arm) -> list[ArmGate]:
    """A result for each version that the arm would publish; those that are live already need none."""
    keys = list(arm.changes.get("weights", {}).values())
    rows = BlendWeights.objects.filter(pk__in=keys, is_default=False).select_related("blend", "segment", "audience")
    return [ArmGate(weights=row, result=gate_result_on(row)) for row in rows.order_by("blend")]
