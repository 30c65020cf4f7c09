"""Weight versions as staff handle them: publish one through the gate, tune a new one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recommendations.loop import gate
from recommendations.loop.adjust import proposal
from recommendations.loop.evaluate import Configuration
from recommendations.models import Blend, BlendWeights, ModelVersion, Staff
from recommendations.services import audit
from recommendations.services.audit import NoteNeededError
from recommendations.services.weight_drafts import StaleDraftError, discard_draft, draft_of, save_draft
from recommendations.store import blending, live, versions
from recommendations.store.blending import Made
from recommendations.store.measurements import described_verdict
from recommendations.terms import BlendName, GateOutcome

__all__ = [
    "OPTIONS",
    "GateClosedError",
    "NoteNeededError",
    "NothingToTuneOnError",
    "StaleDraftError",
    "TunedBlend",
    "check_options",
    "discard_draft",
    "draft_of",
    "publish",
    "save_draft",
    "set_options",
    "tune",
]

OPTIONS = ("automatic", "second_stage")

UNMEASURED: Mapping[str, Any] = {"outcome": GateOutcome.UNMEASURED, "users": 0, "against": {}, "worse_than": []}


class GateClosedError(Exception):
    """The version may not take the default's place; ``verdict`` says why (``wording.gate_text``)."""

    def __init__(self, weights: BlendWeights, verdict: Mapping[str, Any]) -> None:
        super().__init__(f"{weights} does not pass the gate: {verdict['outcome']}")
        self.weights, self.verdict = weights, verdict


class NothingToTuneOnError(Exception):
    """There is no live version, or nobody with a history bought anything in its tuning window."""

    def __init__(self, blend: BlendName) -> None:
        super().__init__(f"There is nothing to tune {blend} on. Run a turn of the loop on more data first.")
        self.blend = blend


@dataclass(frozen=True, kw_only=True)
class TunedBlend:
    """A proposed version, or the default where it was published; its ``expected`` has the figures."""

    weights: BlendWeights
    parent: BlendWeights | None


@transaction.atomic
def set_options(*, blend: Blend, changes: Mapping[str, bool], by: Staff | None) -> Blend:
    """``changes`` of ``automatic`` and ``second_stage``; the next turn goes by them.

    Raises ValidationError for a blend that turns do not tune.
    """
    stored = Blend.objects.select_for_update().get(pk=blend.pk)
    before, values = audit.apply(stored, {name: changes[name] for name in OPTIONS if name in changes})
    if not values:
        return stored
    check_options(stored, values)
    stored.save(update_fields=list(values))
    audit.record(by=by, verb="change", subject=stored, before=before, after=values)
    return stored


def check_options(blend: Blend, values: Mapping[str, bool]) -> None:
    """Raises ValidationError where the blend is not tuned, as nothing measures it, and an option is switched on."""
    if any(values.values()) and gate.task_of(BlendName(blend.name)) is None:
        raise ValidationError(
            _("No truth measures %(blend)s: turns do not tune it, and a second stage could learn nothing.")
            % {"blend": blend}
        )


@transaction.atomic
def publish(
    *, weights: BlendWeights, by: Staff | None, now: datetime, note: str = "", override: bool = False
) -> BlendWeights:
    """Make the version its blend's default, if it is not worse on the live version's test window.

    Where it is, or nothing could be measured, ``override`` publishes it with a note. Raises GateClosedError and
    NoteNeededError.
    """
    stored = BlendWeights.objects.select_for_update(of=("self",)).select_related("blend").get(pk=weights.pk)
    if stored.is_default:
        return stored
    before = BlendWeights.objects.defaults().filter(blend=stored.blend, segment=stored.segment_id).first()
    verdict = dict(_verdict(stored, before))
    if verdict["outcome"] != GateOutcome.PASSED:
        if not override:
            raise GateClosedError(stored, verdict)
        if not note.strip():
            raise NoteNeededError
        verdict["override"] = note.strip()
    published = blending.make_default(stored, now=now, gate=verdict)
    audit.record(
        by=by, verb="publish", subject=published, note=note.strip(),
        before={"default": before.number} if before else None,
        after={"default": published.number, "gate": verdict["outcome"]},
    )  # fmt: skip
    transaction.on_commit(lambda: live.announce(live.Changed.WEIGHTS))
    return published


def tune(
    *, blend: BlendName, seed: int, by: Staff | None, now: datetime, progress: Callable[[float], None] | None = None
) -> TunedBlend:
    """Search the weights that do best in the live version's tuning window, and propose them.

    Nothing is fitted again. Raises NothingToTuneOnError.
    """
    version, task = versions.live_version(), gate.task_of(blend)
    found = proposal(version.pk, task, seed=seed, progress=progress) if version and task else None
    if version is None or task is None or found is None:
        raise NothingToTuneOnError(blend)
    default = blending.default_weights(blend)
    reference = Configuration.of(default) if default else None
    verdict = gate.gate(version.pk, task, found.configuration, live=reference, seed=seed)
    made = Made(
        weights=found.configuration.weights,
        promotion=found.configuration.promotion,
        reason=f"Tuned with seed {seed} on {version}",
        expected=found.expected,
        gate=described_verdict(verdict, version=version),
    )
    with transaction.atomic():
        weights = blending.append_weights(blend=blend, made=made, author=by, now=now, publish=False)
        audit.record(by=by, verb="tune", subject=weights, after={"seed": seed, "gate": verdict.outcome})
    return TunedBlend(weights=weights, parent=default)


def _verdict(weights: BlendWeights, default: BlendWeights | None) -> Mapping[str, Any]:
    version, task = versions.live_version(), gate.task_of(BlendName(weights.blend.name))
    if version is None or task is None:
        return UNMEASURED
    reference = Configuration.of(default) if default else None
    seed = ModelVersion.objects.values_list("turn__seed", flat=True).get(pk=version.pk)
    found = gate.gate(version.pk, task, Configuration.of(weights), live=reference, seed=seed)
    return described_verdict(found, version=version)
