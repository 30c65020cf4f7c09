"""Four eyes: who may draft and not publish hands a draft over, and whoever may publish publishes it or sends it back.

Publishing itself is what it always is; it answers the requests that waited for it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from recommendations.models import ApprovalRequest, BlendWeights, Rule, Staff
from recommendations.services.access import audit
from recommendations.services.access.audit import NoteNeededError, needed_note
from recommendations.terms import ApprovalState

__all__ = ["AlreadyAnsweredError", "NoteNeededError", "answer", "ask", "send_back", "withdraw"]


class AlreadyAnsweredError(Exception):
    """Somebody else has answered the ``request`` meanwhile, or it was withdrawn."""

    def __init__(self, request: ApprovalRequest) -> None:
        super().__init__(f"the request for {request} is {request.state}")
        self.request = request


@transaction.atomic
def ask(*, drafts: Iterable[Rule | BlendWeights], note: str, by: Staff | None, now: datetime) -> list[ApprovalRequest]:
    """Hand drafts over with a note; where one is waiting already, the new note takes the place of the former.

    Raises NoteNeededError.
    """
    note = needed_note(note)
    asked = []
    for draft in drafts:
        of_draft = {"rule": draft} if isinstance(draft, Rule) else {"weights": draft}
        values = {"note": note, "asked_by": by, "asked_at": now}
        request, _ = ApprovalRequest.objects.update_or_create(
            **of_draft, state=ApprovalState.WAITING, defaults=values
        )  # fmt: skip
        audit.record(by=by, verb="ask for approval", subject=draft, note=note)
        asked.append(request)
    return asked


def send_back(*, request: ApprovalRequest, note: str, by: Staff | None, now: datetime) -> None:
    """Return a draft to whoever asked, with what is to be done. Raises NoteNeededError and AlreadyAnsweredError."""
    note = needed_note(note)
    _close(request, ApprovalState.RETURNED, verb="send back", note=note, by=by, now=now)


def withdraw(*, request: ApprovalRequest, by: Staff | None, now: datetime) -> None:
    """Take a request back; the draft stays. Raises AlreadyAnsweredError."""
    _close(request, ApprovalState.WITHDRAWN, verb="no longer ask for approval", note="", by=by, now=now)


def answer(*, rules: Iterable[int] = (), weights: int | None = None, by: Staff | None, now: datetime) -> None:
    """Note that drafts, by their primary keys, were published: what waited for that is answered."""
    waiting = ApprovalRequest.objects.filter(Q(rule__in=list(rules)) | Q(weights=weights, weights__isnull=False))
    waiting.filter(state=ApprovalState.WAITING).update(state=ApprovalState.PUBLISHED, decided_by=by, decided_at=now)


@transaction.atomic
def _close(
    request: ApprovalRequest, state: ApprovalState, *, verb: str, note: str, by: Staff | None, now: datetime
) -> None:
    stored = (
        ApprovalRequest.objects.select_for_update(of=("self",)).select_related("rule", "weights").get(pk=request.pk)
    )
    subject = stored.rule or stored.weights
    if stored.state != ApprovalState.WAITING or subject is None:
        raise AlreadyAnsweredError(stored)
    stored.state, stored.answer, stored.decided_by, stored.decided_at = state, note, by, now
    stored.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    audit.record(by=by, verb=verb, subject=subject, note=note)
