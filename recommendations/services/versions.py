"""A model version that the gate held back, made live by staff."""

from datetime import datetime

from django.db import transaction

from recommendations.models import ModelVersion, Staff
from recommendations.services import audit
from recommendations.services.audit import NoteNeededError
from recommendations.store import live, turns, versions
from recommendations.terms import VersionStatus

__all__ = ["NoteNeededError", "VersionNotReadyError", "make_live"]


class VersionNotReadyError(Exception):
    """The version was never finished, or its files have been deleted since."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"model {version} cannot go live: it is not ready")
        self.version = version


@transaction.atomic
def make_live(*, version: ModelVersion, by: Staff | None, now: datetime, note: str) -> ModelVersion:
    """Serve this version in place of the live one; the note says why although the gate held it back."""
    stored = ModelVersion.objects.select_for_update(of=("self",)).select_related("turn").get(pk=version.pk)
    if stored.is_live:
        return stored
    if stored.status != VersionStatus.READY or not stored.artefacts.exists():
        raise VersionNotReadyError(stored)
    if not note.strip():
        raise NoteNeededError
    before = versions.live_version()
    versions.go_live(stored, now=now)
    turns.log(stored.turn, f"model {stored} was made live by staff: {note.strip()}")
    audit.record(
        by=by, verb="make live", subject=stored, note=note.strip(),
        before={"live": str(before)} if before else None, after={"live": str(stored)},
    )  # fmt: skip
    transaction.on_commit(lambda: live.announce(live.Changed.MODEL))
    stored.refresh_from_db()
    return stored
