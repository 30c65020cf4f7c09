"""Tuning at the request of staff: a new version of weights, proposed and never published by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recommendations.loop import gate
from recommendations.loop.adjust import proposal
from recommendations.loop.evaluate import Configuration
from recommendations.models import BlendWeights, Staff
from recommendations.services.access import audit
from recommendations.store.models import live_version, weight_versions
from recommendations.store.models.measurements import described_gate_result
from recommendations.store.models.weight_versions import Made
from recommendations.terms import BlendName, task_of


class NothingToTuneOnError(Exception):
    """There is no live version, or nobody with a history bought anything in its tuning window."""

    def __init__(self, blend: BlendName) -> None:
        super().__init__(f"There is nothing to tune {blend} on. Run the loop on more data first.")
        self.blend = blend


@dataclass(frozen=True, kw_only=True)
class TunedBlend:
    """A proposed version, or the default where it was published; its ``expected`` has the figures."""

    weights: BlendWeights
    parent: BlendWeights | None


def tune(
    *, blend: BlendName, seed: int, by: Staff | None, now: datetime, progress: Callable[[float], None] | None = None
) -> TunedBlend:
    """Search the weights that do best in the live version's tuning window, and propose them.

    Nothing is fitted again. Raises NothingToTuneOnError.
    """
    version, task = live_version.live_version(), task_of(blend)
    tuned = proposal(version.pk, task, seed=seed, progress=progress) if version and task else None
    if version is None or task is None or tuned is None:
        raise NothingToTuneOnError(blend)
    default = weight_versions.default_weights(blend)
    reference = Configuration.of(default) if default else None
    result = gate.gate(version.pk, task, tuned.configuration, live=reference, seed=seed)
    new = Made(
        weights=tuned.configuration.weights,
        promotion=tuned.configuration.promotion,
        reason=f"Tuned with seed {seed} on {version}",
        expected=tuned.expected,
        gate=described_gate_result(result, version=version),
    )
    with transaction.atomic():
        weights = weight_versions.append_weights(blend=blend, made=new, author=by, now=now, publish=False)
        audit.record(by=by, verb="tune", subject=weights, after={"seed": seed, "gate": result.outcome})
    return TunedBlend(weights=weights, parent=default)
