"""What staff do about single new items: let one go before the others, take one out, and let it in again."""

from datetime import datetime

from django.db import transaction

from recommendations.models import NewItem, Staff
from recommendations.promise_terms import NewItemState
from recommendations.services.access import audit

TOLD = frozenset({"state", "first"})  # of what changes, in the audit trail


class NewItemMovedError(Exception):
    """The item is no longer in the state that the act is about."""


@transaction.atomic
def put_first(new: NewItem, *, first: bool, by: Staff | None) -> NewItem:
    """Let an item that waits get the next promise, or wait like the others again. Raises NewItemMovedError."""
    stored = _locked(new, {NewItemState.WAITING})
    return _changed(stored, by=by, verb="change", first=first)


@transaction.atomic
def take_out(new: NewItem, *, by: Staff | None, now: datetime) -> NewItem:
    """Give an item no more slots, and no promise. Raises NewItemMovedError."""
    stored = _locked(new, {NewItemState.WAITING, NewItemState.PROMISED})
    return _changed(stored, by=by, verb="stop", state=NewItemState.STOPPED, ended_at=now)


@transaction.atomic
def let_in(new: NewItem, *, by: Staff | None) -> NewItem:
    """Let an item that was taken out wait once more; what it was shown still counts. Raises NewItemMovedError."""
    stored = _locked(new, {NewItemState.STOPPED})
    return _changed(
        stored, by=by, verb="restore", state=NewItemState.WAITING, ended_at=None, promise=None, promised_at=None
    )


def _locked(new: NewItem, states: set[NewItemState]) -> NewItem:
    stored = NewItem.objects.select_for_update(of=("self",)).select_related("item", "placement").get(pk=new.pk)
    if stored.state not in states:
        raise NewItemMovedError
    return stored


def _changed(stored: NewItem, *, by: Staff | None, verb: str, **values: object) -> NewItem:
    told = {name for name in values if name in TOLD}
    before, after = audit.apply(stored, values)
    stored.save(update_fields=list(values))
    audit.record(
        by=by, verb=verb, subject=stored,
        before={name: before[name] for name in told & before.keys()},
        after={name: after[name] for name in told & after.keys()},
    )  # fmt: skip
    return stored
