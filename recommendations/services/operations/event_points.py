"""Event weights that a run proposes: staff accept or decline them; nothing else changes what acts count."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import ModelVersion, Staff
from recommendations.services.access import audit
from recommendations.services.access.audit import NoteNeededError
from recommendations.store.models import runs
from recommendations.store.models.event_points import event_points, set_event_points, with_learned
from recommendations.terms import GateOutcome

VERBS = {"accepted": "accept", "declined": "decline"}


class NoProposalError(Exception):
    """The version proposes no event weights, or somebody has decided about them: ``current`` says what."""

    def __init__(self, current: ModelVersion) -> None:
        super().__init__(f"{current} has no proposal that is open")
        self.current = current


@transaction.atomic
def accept_points(*, version: ModelVersion, by: Staff | None, now: datetime, note: str = "") -> ModelVersion:
    """Have the next run count with the proposed points; where the gate found them worse the note says why anyhow.

    Raises NoProposalError and NoteNeededError.
    """
    stored = _open(version)
    proposal = stored.points_proposal
    if proposal["gate"]["outcome"] == GateOutcome.WORSE and not note.strip():
        raise NoteNeededError
    before = event_points()
    after = with_learned(before, {name: one["points"]["value"] for name, one in proposal["points"].items()})
    set_event_points(after)
    return _decided(stored, "accepted", by=by, now=now, note=note, before=before, after=after)


@transaction.atomic
def decline_points(*, version: ModelVersion, by: Staff | None, now: datetime, note: str = "") -> ModelVersion:
    """Leave the points as they are; the next run may propose again. Raises NoProposalError."""
    return _decided(_open(version), "declined", by=by, now=now, note=note)


def _open(version: ModelVersion) -> ModelVersion:
    stored = ModelVersion.objects.select_for_update(of=("self",)).select_related("run").get(pk=version.pk)
    if not stored.points_proposal or "decided" in stored.points_proposal:
        raise NoProposalError(stored)
    return stored


def _decided(
    stored: ModelVersion,
    decided: str,
    *,
    by: Staff | None,
    now: datetime,
    note: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> ModelVersion:
    stored.points_proposal |= {"decided": decided, "at": now.isoformat(), "by": str(by) if by else ""}
    stored.save(update_fields=["points_proposal"])
    runs.log(stored.run, f"the proposed event weights were {decided}{f': {note.strip()}' if note.strip() else ''}")
    audit.record(
        by=by, verb=f"{VERBS[decided]} event weights", subject=stored, note=note.strip(),
        before={"points": dict(before)} if before else None, after={"points": dict(after)} if after else None,
    )  # fmt: skip
    return stored
