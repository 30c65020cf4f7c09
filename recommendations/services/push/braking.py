"""The brake: a sending to far more people than was approved waits until somebody lets it go, or calls it off."""

from datetime import datetime

from django.db import transaction

from recommendations.models import Occurrence, Staff
from recommendations.push_terms import OccurrenceState
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.push.sendings import LiveCampaign, live_campaigns


class NotWaitingError(Exception):
    """The sending does not wait: somebody let it go, or called it off, before."""


class NotRunningError(Exception):
    """The campaign is paused, or over, so that nothing of it can be let go."""


class TooLateError(Exception):
    """A message of the sending would come too late by now."""


@transaction.atomic
def release(*, occurrence: Occurrence, note: str, by: Staff | None, now: datetime) -> Occurrence:
    """Let a sending go that waits: it is due again, and the next decision, within a minute, reserves what goes by then.

    Raises NoteNeededError, NotWaitingError, NotRunningError and TooLateError.
    """
    note, current = needed_note(note), _waiting(occurrence)
    live = _running(current)
    if current.due_at + live.lifetime <= now:
        raise TooLateError
    current.state = OccurrenceState.DUE
    current.save(update_fields=["state"])
    audit.record(by=by, verb="release", subject=current.campaign, after={"sending": current.key}, note=note)
    return current


@transaction.atomic
def call_off(*, occurrence: Occurrence, note: str, by: Staff | None, now: datetime) -> Occurrence:
    """Cancel a sending that waits; nobody gets it, and the campaign goes on with the next one.

    Raises NoteNeededError and NotWaitingError.
    """
    note, current = needed_note(note), _waiting(occurrence)
    current.state, current.finished_at = OccurrenceState.CANCELLED, now
    current.save(update_fields=["state", "finished_at"])
    audit.record(by=by, verb="call off", subject=current.campaign, after={"sending": current.key}, note=note)
    return current


def _waiting(occurrence: Occurrence) -> Occurrence:
    stored = Occurrence.objects.select_for_update(of=["self"]).select_related("campaign")
    current = stored.get(pk=occurrence.pk)
    if current.state != OccurrenceState.WAITING:
        raise NotWaitingError
    return current


def _running(occurrence: Occurrence) -> LiveCampaign:
    for live in live_campaigns():
        if live.campaign.pk == occurrence.campaign_id and live.campaign.paused_at is None:
            return live
    raise NotRunningError
