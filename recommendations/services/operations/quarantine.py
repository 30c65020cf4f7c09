"""What is set aside: by staff for a customer or a key, restored, or deleted from the record.

What is set aside or restored counts with the next run; answers to the people themselves are not touched.
"""

from datetime import datetime

from django.db import transaction

from recommendations.models import ApiKey, Aside, Customer, Quarantine, Staff
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.store.events import quarantine as store
from recommendations.store.events.quarantine import Covered
from recommendations.terms import QuarantineState, SuspicionRule

VERBS = {QuarantineState.RESTORED: "restore", QuarantineState.DELETED: "delete"}


class AlreadyDecidedError(Exception):
    """Somebody restored or deleted it before; the state is the reason."""

    def __init__(self, state: str) -> None:
        super().__init__(f"it is {state}")
        self.state = state


@transaction.atomic
def set_aside_customer(*, customer: Customer, by: Staff | None, note: str) -> Quarantine:
    """Set aside all that a customer did and will do, until somebody restores it."""
    return _set_aside(Aside(customer=customer), by=by, note=note, people=1)


@transaction.atomic
def set_aside_key(*, key: ApiKey, since: datetime, until: datetime | None, by: Staff | None, note: str) -> Quarantine:
    """Set aside all that came with a key since a moment; without ``until`` what still comes, too."""
    return _set_aside(Aside(key=key, since=since, until=until), by=by, note=note, people=0)


@transaction.atomic
def end(*, quarantine: Quarantine, by: Staff | None, now: datetime) -> Quarantine:
    """Let what comes from now on count; what came before stays set aside.

    Raises AlreadyDecidedError where it holds back no key any more.
    """
    stored = Quarantine.objects.select_for_update(of=("self",)).get(pk=quarantine.pk)
    held = stored.asides.filter(key__isnull=False, until=None)
    if stored.state != QuarantineState.ASIDE or not held.update(until=now):
        raise AlreadyDecidedError(stored.state)
    audit.record(by=by, verb="end", subject=stored, before={"until": None}, after={"until": now.isoformat()})
    return stored


@transaction.atomic
def restore(*, quarantine: Quarantine, by: Staff | None, note: str, now: datetime) -> Quarantine:
    """Let it count again; the rule that found it does not set the same people and items aside again."""
    return _decide(quarantine, QuarantineState.RESTORED, by=by, note=note, now=now)


@transaction.atomic
def delete(*, quarantine: Quarantine, by: Staff | None, note: str, now: datetime) -> Quarantine:
    """Let the events that it covers be deleted from the record, for good; ``sweep`` does it within a minute."""
    return _decide(quarantine, QuarantineState.DELETED, by=by, note=note, now=now)


def count_covered(*quarantines: int) -> Covered:
    """What quarantines (by key) cover at present: event lines, each counted once, and their customers."""
    return store.count_covered(*quarantines)


def sweep() -> int:
    """Delete the events of what was to be deleted; how many they were."""
    return sum(store.delete_events(one) for one in store.to_be_deleted())


def _set_aside(aside: Aside, *, by: Staff | None, note: str, people: int) -> Quarantine:
    reason = needed_note(note)
    stored = Quarantine.objects.create(rule=SuspicionRule.STAFF, reason=reason, set_aside_by=by, people=people)
    aside.quarantine = stored
    aside.save()
    store.note_due(stored.pk)
    stored.events = store.count_covered(stored.pk).events
    stored.save(update_fields=["events"])
    after = {"events": stored.events, **_covers(aside)}
    audit.record(by=by, verb="set aside", subject=stored, note=stored.reason, after=after)
    return stored


def _covers(aside: Aside) -> dict[str, str]:
    """What staff set aside, for the trail."""
    told = {"customer": aside.customer, "key": aside.key, "since": aside.since, "until": aside.until}
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in told.items() if value
    }


def _decide(
    quarantine: Quarantine, state: QuarantineState, *, by: Staff | None, note: str, now: datetime
) -> Quarantine:
    note = needed_note(note)
    stored = Quarantine.objects.select_for_update(of=("self",)).get(pk=quarantine.pk)
    if stored.state != QuarantineState.ASIDE:
        raise AlreadyDecidedError(stored.state)
    stored.state, stored.note, stored.decided_by, stored.decided_at = state, note, by, now
    stored.save(update_fields=["state", "note", "decided_by", "decided_at"])
    if state == QuarantineState.RESTORED:
        store.note_due(stored.pk)
    else:  # what still comes with a key was not seen by whoever deletes
        stored.asides.filter(key__isnull=False, until=None).update(until=now)
    audit.record(
        by=by, verb=VERBS[state], subject=stored, note=stored.note, before={"state": QuarantineState.ASIDE},
        after={"state": state, "events": stored.events},
    )  # fmt: skip
    return stored
