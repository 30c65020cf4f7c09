"""Requests as the pages meet them: with counts of holders, in every state, with receipts."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import HolderCode, Kept, ReceiptPart, RequestKind, RequestState
from recommendations.services.privacy.receipts import sign_receipt
from recommendations.terms import RunStatus

DAY = timedelta(days=1)
ENTRY: dict[str, Any] = {"found": 0, "deleted": 0, "changed": 0, "kept": 0, "why": "", "left": 0}
SUMS = ENTRY | {"found": 2, "changed": 2, "kept": 3, "why": Kept.SUMS_UNTIL_NEXT_RUN}
ERASED = dict.fromkeys(HolderCode, ENTRY) | {
    HolderCode.EVENTS: ENTRY | {"found": 1_214, "deleted": 1_214},
    HolderCode.LEARNED: SUMS,
}
"""Counts of an erasure: of events, and of what models learned."""
PARTLY = {
    HolderCode.CONTACTS: ENTRY,
    HolderCode.MESSAGES: ENTRY | {"found": 12, "deleted": 12},
    HolderCode.AGENTS: ENTRY | {"found": 4, "deleted": 1, "left": 3},
}
"""Counts of an erasure that has begun, and left something."""


def request_in(state: RequestState, *, kind: RequestKind = RequestKind.ERASE, **values: Any) -> PrivacyRequest:
    """A request in this state; it came an hour ago, or ``created_at``."""
    now = timezone.now()
    created: datetime = values.pop("created_at", now - timedelta(hours=1))
    is_over = state == RequestState.DONE
    fields: dict[str, Any] = {
        "status": _STATUS[state], "due_at": created + 30 * DAY, "subject": b"s" * 32, "asked_for": b"a" * 32,
        "sealed": None if is_over else b"sealed", "closed_at": now if is_over else None,
        "options": {"holds": [0]} if state == RequestState.HELD else {},
        "started_at": None if state in {RequestState.RECEIVED, RequestState.HELD} else created,
    }  # fmt: skip
    made = PrivacyRequest.objects.create(kind=kind, **fields | values)
    PrivacyRequest.objects.filter(pk=made.pk).update(created_at=created)
    made.refresh_from_db()
    assert made.state == state
    return made


def erased(*, closed: bool = False, **values: Any) -> PrivacyRequest:
    """An erasure after its first scan, with its receipt; ``closed``: after the second one, too."""
    now = timezone.now()
    state = RequestState.DONE if closed else RequestState.WAITING_FOR_RUN
    moments = {"unknown_at": now, "scanned_at": now, "finished_at": now}
    request = request_in(state, **{"counts": ERASED} | moments | values)
    for part in ReceiptPart if closed else [ReceiptPart.ERASED]:
        sign_receipt(request, part, facts={"request": str(request.pk)}, now=now)
    return request


_STATUS = {
    RequestState.RECEIVED: RunStatus.QUEUED,
    RequestState.HELD: RunStatus.QUEUED,
    RequestState.RUNNING: RunStatus.RUNNING,
    RequestState.WAITING_FOR_RUN: RunStatus.SUCCEEDED,
    RequestState.DONE: RunStatus.SUCCEEDED,
    RequestState.FAILED: RunStatus.FAILED,
}
