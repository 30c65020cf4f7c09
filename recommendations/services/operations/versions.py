"""Model versions that the gate held back, made live by staff."""

from datetime import datetime

from django.db import transaction

from recommendations.models import ModelVersion, Staff
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.audiences.editing import refresh_audiences
from recommendations.store.live import fetch
from recommendations.store.models import live_version, runs
from recommendations.terms import VersionStatus


class VersionNotReadyError(Exception):
    """The version was never finished, or its files have been deleted since."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"model {version} cannot go live: it is not ready")
        self.version = version


@transaction.atomic
def make_live(*, version: ModelVersion, by: Staff | None, now: datetime, note: str) -> ModelVersion:
    """Serve this version in place of the live one; the note says why although the gate held it back."""
    stored = ModelVersion.objects.select_for_update(of=("self",)).select_related("run").get(pk=version.pk)
    if stored.is_live:
        return stored
    if stored.status != VersionStatus.READY or not stored.artefacts.exists():
        raise VersionNotReadyError(stored)
    note = needed_note(note)
    before = live_version.live_version()
    live_version.go_live(stored, now=now)
    runs.log(stored.run, f"model {stored} was made live by staff: {note}")
    audit.record(
        by=by, verb="make live", subject=stored, note=note,
        before={"live": str(before)} if before else None, after={"live": str(stored)},
    )  # fmt: skip
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.MODEL))
    transaction.on_commit(lambda: refresh_audiences(now=now))
    stored.refresh_from_db()
    return stored
