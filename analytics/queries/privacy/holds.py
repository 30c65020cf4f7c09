"""Legal holds, those that last first, with the erasures that wait for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, Q, Value, When

from recommendations.models import LegalHold, PrivacyRequest
from recommendations.privacy_terms import RequestState
from recommendations.services.privacy.holds import waiting_for

PER_PAGE = 20


@dataclass(frozen=True, kw_only=True)
class ShownHold:
    """A hold, whether it lasts, and the erasures that wait for it."""

    record: LegalHold
    lasts: bool
    waiting: Sequence[PrivacyRequest]


def holds(*, page: int, now: datetime) -> tuple[Page[Any], list[ShownHold]]:
    ended = Case(
        When(Q(until__lte=now), then=Value(value=True)), default=Value(value=False), output_field=BooleanField()
    )
    rows = LegalHold.objects.select_related("by").order_by(ended, "-since", "-pk")
    shown: Page[Any] = Paginator(rows, PER_PAGE).get_page(page)
    return shown, _with_waiting(shown, now=now)


def find_hold(pk: int, *, now: datetime) -> ShownHold | None:
    rows = LegalHold.objects.select_related("by").filter(pk=pk)
    return next(iter(_with_waiting(rows, now=now)), None)


def holds_of(requests: Iterable[PrivacyRequest]) -> Mapping[UUID, Sequence[LegalHold]]:
    """The holds that each of the requests waits for, by its key; none of one that is not held."""
    wanted = {each.pk: each.options["holds"] for each in requests if each.state == RequestState.HELD}
    stored = LegalHold.objects.in_bulk({key for keys in wanted.values() for key in keys})
    return {pk: [stored[key] for key in keys if key in stored] for pk, keys in wanted.items()}


def end_of(records: Iterable[LegalHold]) -> datetime | None:
    """When the last of them ends; None where one lasts until somebody lifts it."""
    ends = [each.until for each in records]
    return None if None in ends else max(filter(None, ends), default=None)


def _with_waiting(records: Iterable[LegalHold], *, now: datetime) -> list[ShownHold]:
    shown = list(records)
    waiting = waiting_for(shown)
    return [
        ShownHold(record=each, lasts=each.until is None or each.until > now, waiting=waiting.get(each.pk, ()))
        for each in shown
    ]
