"""Weight versions as staff handle them: drafts, publishing through the gate, and the way back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.loop import gate
from recommendations.loop.evaluate import Configuration
from recommendations.models import BlendWeights, ModelVersion, Staff
from recommendations.services import approvals
from recommendations.services.access import audit
from recommendations.services.access.audit import FOR_TEST, NoteNeededError, needed_note
from recommendations.services.weights.drafts import StaleDraftError
from recommendations.services.weights.values import Values, WeightDifference, differences
from recommendations.services.weights.what_if import expected_effect
from recommendations.simulation.asked_length import blend_length
from recommendations.store.live import fetch
from recommendations.store.models import live_version, weight_versions
from recommendations.store.models.artefacts import of_one_edition
from recommendations.store.models.measurements import described_gate_result
from recommendations.store.models.weight_versions import Made
from recommendations.terms import BlendName, GateOutcome, WeightsStatus, task_of

UNMEASURED: Mapping[str, Any] = {"outcome": GateOutcome.UNMEASURED, "users": 0, "against": {}, "worse_than": []}


class GateClosedError(Exception):
    """The version may not take the default's place; ``gate_result`` says why (``labels.gate_text``)."""

    def __init__(self, weights: BlendWeights, result: Mapping[str, Any]) -> None:
        super().__init__(f"{weights} does not pass the gate: {result['outcome']}")
        self.weights, self.gate_result = weights, result


class AlreadyPublishedError(Exception):
    """The ``weights`` are published already, by somebody else or by a second click; the way back is ``roll_back``."""

    def __init__(self, weights: BlendWeights) -> None:
        super().__init__(f"{weights} is published already")
        self.weights = weights


class StaleDefaultError(Exception):
    """Something else was published meanwhile: ``current``. ``differences`` are those of the version against it.

    Who has seen them publishes with ``replacing`` = the key of ``current``.
    """

    def __init__(
        self, weights: BlendWeights, current: BlendWeights | None, differences: Sequence[WeightDifference]
    ) -> None:
        super().__init__(f"{weights} was not made from what is published now, {current}")
        self.weights, self.current, self.differences = weights, current, differences


class NothingToRollBackToError(Exception):
    """The ``weights`` are what is served, or have never been published."""

    def __init__(self, weights: BlendWeights) -> None:
        super().__init__(f"{weights} cannot be rolled back to")
        self.weights = weights


class NothingToWithdrawError(Exception):
    """The ``weights`` are everybody's, for which there is nothing to fall back on, or are not served."""

    def __init__(self, weights: BlendWeights) -> None:
        super().__init__(f"{weights} cannot be withdrawn")
        self.weights = weights


@transaction.atomic
def publish(
    *,
    weights: BlendWeights,
    by: Staff | None,
    now: datetime,
    note: str = "",
    override: bool = False,
    revision: int | None = None,
    replacing: int | None = None,
) -> BlendWeights:
    """Make the version the default of its blend (and group), if it is not worse on the live version's test window.

    Staff say why in the ``note``. Where it is worse, or nothing could be measured, ``override`` publishes it all the
    same. ``revision`` of a draft, and the default that it is ``replacing`` (else its parent), are what the publisher
    has seen. Raises GateClosedError, NoteNeededError, AlreadyPublishedError, StaleDraftError and StaleDefaultError.
    """
    stored, before = _locked(weights)
    if stored.status == WeightsStatus.PUBLISHED:
        raise AlreadyPublishedError(stored)
    _refuse_unseen(stored, before, revision=revision, replacing=replacing)
    note = note.strip()
    if by and not note:
        raise NoteNeededError
    result = _let_through(stored, before, note=note, override=override)
    expected = stored.expected or expected_effect(stored, before)
    published = weight_versions.make_default(stored, now=now, gate=result, note=note, expected=expected)
    _record(published, before, by=by, verb="publish", note=note)
    approvals.answer(weights=published.pk, by=by, now=now)
    return published


@transaction.atomic
def publish_for_test(
    *, weights: BlendWeights, by: Staff | None, now: datetime, note: str, override: bool = False,
    revision: int | None = None,
) -> BlendWeights:  # fmt: skip
    """Publish a version without making it the default, so that an experiment can serve it to some.

    The gate is asked as for ``publish``. Raises GateClosedError, NoteNeededError, AlreadyPublishedError and
    StaleDraftError.
    """
    stored, before = _locked(weights)
    if stored.status == WeightsStatus.PUBLISHED:
        raise AlreadyPublishedError(stored)
    if revision is not None and revision != stored.revision:
        raise StaleDraftError(stored, ())
    note = needed_note(note)
    result = _let_through(stored, before, note=note, override=override)
    BlendWeights.objects.filter(pk=stored.pk).update(
        status=WeightsStatus.PUBLISHED, published_at=now, gate=result, note=note,
        expected=stored.expected or expected_effect(stored, before),
    )  # fmt: skip
    stored.refresh_from_db()
    audit.record(by=by, verb=FOR_TEST, subject=stored, note=note, after={"gate": result["outcome"]})
    return stored


@transaction.atomic
def serve_tested(
    *, weights: BlendWeights, note: str, by: Staff | None, now: datetime, override: bool = False
) -> BlendWeights:
    """Make a version that was published for a test the default. Raises GateClosedError and NoteNeededError."""
    stored, before = _locked(weights)
    if stored.is_default:
        return stored
    note = needed_note(note)
    result = _let_through(stored, before, note=note, override=override)
    published = weight_versions.make_default(stored, now=now, gate=result, note=note)
    _record(published, before, by=by, verb="publish", note=note)
    return published


def gate_result_on(weights: BlendWeights) -> Mapping[str, Any]:
    """Result of the gate on the version now, against what its customers get; nothing changes."""
    return _gate_result(weights, weight_versions.served_weights(BlendName(weights.blend.name), weights.group))


@transaction.atomic
def withdraw(*, weights: BlendWeights, note: str, by: Staff | None) -> BlendWeights:
    """Take a group's own weights out of use: its customers get those of their next group, or everybody's.

    ``roll_back`` brings them back. Raises NothingToWithdrawError and NoteNeededError.
    """
    stored, _before = _locked(weights)
    if stored.group is None or not stored.is_default:
        raise NothingToWithdrawError(stored)
    note = needed_note(note)
    weight_versions.take_out_of_use(stored)
    audit.record(by=by, verb="withdraw", subject=stored, note=note, before={"default": stored.number})
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.WEIGHTS))
    stored.refresh_from_db()
    return stored


@transaction.atomic
def roll_back(*, weights: BlendWeights, note: str, by: Staff | None, now: datetime) -> BlendWeights:
    """Serve what was served once: a new version, copied from an old one, at once.

    The gate is asked and its verdict kept, but it stops nobody on the way back. Raises NothingToRollBackToError and
    NoteNeededError.
    """
    stored, before = _locked(weights)
    if stored.status != WeightsStatus.PUBLISHED or stored.is_default:
        raise NothingToRollBackToError(stored)
    note = needed_note(note)
    result = _let_through(stored, before, note=note, override=True)
    copy = Made(
        weights=stored.weights, diversity=stored.diversity, exploration=stored.exploration, cards=stored.cards,
        exponents=stored.exponents, reason=f"Rolled back to v{stored.number}", note=note, gate=result,
        expected=expected_effect(stored, before),
    )  # fmt: skip
    published = weight_versions.append_weights(
        blend=BlendName(stored.blend.name), group=stored.group, made=copy, author=by, now=now, publish=True
    )
    _record(published, before, by=by, verb="roll back", note=note, to=stored.number)
    return published


def _locked(weights: BlendWeights) -> tuple[BlendWeights, BlendWeights | None]:
    """The version as it is stored, and what its customers get now; nobody else publishes before the commit."""
    blend = BlendName(weights.blend.name)
    weight_versions.locked(blend)
    stored = BlendWeights.objects.select_related("blend", "segment", "audience").get(pk=weights.pk)
    return stored, weight_versions.served_weights(blend, stored.group)


def _refuse_unseen(
    stored: BlendWeights, before: BlendWeights | None, *, revision: int | None, replacing: int | None
) -> None:
    yours = Values.of(stored)
    if revision is not None and revision != stored.revision:
        raise StaleDraftError(stored, ())
    seen = replacing if replacing is not None else stored.parent_id
    if seen is None or before is None or seen == before.pk:
        return
    parent = stored.parent
    theirs = differences(yours, Values.of(before), before=Values.of(parent) if parent else None)
    raise StaleDefaultError(stored, before, theirs)


def _let_through(stored: BlendWeights, before: BlendWeights | None, *, note: str, override: bool) -> dict[str, Any]:
    """The gate's result, with the note where it passes by ``override`` alone.

    Raises GateClosedError and NoteNeededError.
    """
    result = dict(_gate_result(stored, before))
    if result["outcome"] != GateOutcome.PASSED:
        if not override:
            raise GateClosedError(stored, result)
        result["override"] = needed_note(note)
    return result


def _record(
    published: BlendWeights, before: BlendWeights | None, *, by: Staff | None, verb: str, note: str, **more: Any
) -> None:
    audit.record(
        by=by, verb=verb, subject=published, note=note,
        before={"default": before.number} if before else None,
        after={"default": published.number, "gate": published.gate["outcome"], **more},
    )  # fmt: skip
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.WEIGHTS))


def _gate_result(weights: BlendWeights, default: BlendWeights | None) -> Mapping[str, Any]:
    version, task = live_version.live_version(), task_of(BlendName(weights.blend.name))
    if version is None or task is None:
        return UNMEASURED
    reference = Configuration.of(default) if default else None
    seed = ModelVersion.objects.values_list("run__seed", flat=True).get(pk=version.pk)
    length = blend_length(BlendName(weights.blend.name))
    result = of_one_edition(
        version.pk,
        lambda _edition: gate.gate(
            version.pk, task, Configuration.of(weights), live=reference, seed=seed, group=weights.group, length=length
        ),
    )
    return described_gate_result(result, version=version)
