"""Valkey's append-only file after erasures: it is written anew, and requests say what became of it."""

from collections.abc import Callable

from django.db.models import QuerySet

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import LiveLog, RequestKind
from recommendations.store.live import append_only


def rewrite_live_log() -> None:
    """Have the file written anew once for all erasures that were closed since; where that ended, note how."""
    closed = PrivacyRequest.objects.filter(kind=RequestKind.ERASE, closed_at__isnull=False)
    _note(closed.filter(options__live_log=LiveLog.BEGUN), append_only.rewrite_outcome)
    _note(closed.exclude(options__has_key="live_log"), append_only.begin_rewrite)


def _note(requests: QuerySet[PrivacyRequest], ask: Callable[[], LiveLog | None]) -> None:
    """Ask, where there are such requests, and let each say the answer."""
    noted = list(requests)
    answer = ask() if noted else None
    if answer is not None:
        for each in noted:
            each.options = {**each.options, "live_log": answer}
        PrivacyRequest.objects.bulk_update(noted, ["options"])
