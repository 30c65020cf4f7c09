"""Tuning at the request of staff: a new version of weights, proposed and never published by itself."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from recommendations.loop import gate
from recommendations.loop.adjust import proposal, version_to_append
from recommendations.loop.evaluate import Configuration
from recommendations.models import BlendWeights, Staff
from recommendations.services.access import audit
from recommendations.simulation.asked_length import blend_length
from recommendations.store.models import live_version, weight_versions
from recommendations.store.models.artefacts import of_one_edition
from recommendations.terms import BlendName, task_of


class NothingToTuneOnError(Exception):
    """There is no live version, or nobody with a history bought anything in its tuning window."""

    def __init__(self, blend: BlendName) -> None:
        super().__init__(f"There is nothing to tune {blend} on. Run the loop on more data first.")
        self.blend = blend


def tune(
    *, blend: BlendName, seed: int, by: Staff | None, now: datetime, progress: Callable[[float], None] | None = None
) -> BlendWeights:
    """Search the weights that do best in the live version's tuning window, and propose them.

    Nothing is fitted again; ``expected`` has the figures. Raises NothingToTuneOnError.
    """
    version, task = live_version.live_version(), task_of(blend)
    tuned = proposal(version.pk, task, seed=seed, progress=progress) if version and task else None
    if version is None or task is None or tuned is None:
        raise NothingToTuneOnError(blend)
    default = weight_versions.default_weights(blend)
    reference = Configuration.of(default) if default else None
    length = blend_length(blend)
    result = of_one_edition(
        version.pk,
        lambda _edition: gate.gate(version.pk, task, tuned.configuration, live=reference, seed=seed, length=length),
    )
    new = version_to_append(
        tuned.configuration, f"Tuned with seed {seed} on {version}", result, version=version, expected=tuned.expected
    )
    with transaction.atomic():
        weights = weight_versions.append_weights(blend=blend, made=new, author=by, now=now, publish=False)
        audit.record(by=by, verb="tune", subject=weights, after={"seed": seed, "gate": result.outcome})
    return weights
