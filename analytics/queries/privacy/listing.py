"""The queue of requests for an export or an erasure, and what is to be said of all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, CharField, Count, Min, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics import filters as fields
from analytics.queries.privacy.holdings import Dot, dots, dots_words
from analytics.queries.privacy.holds import end_of, holds_of
from analytics.queries.privacy.request import days_left
from analytics.templatetags.display import ago, number
from recommendations.models import LegalHold, PrivacyRequest
from recommendations.privacy_terms import HolderCode, RequestKind, RequestState
from recommendations.services.privacy.closing import late
from recommendations.services.privacy.holders import count_lost_erasures, missing_holders
from recommendations.services.privacy.holds import HELD
from recommendations.terms import RunStatus
from recommendations.wording.privacy import labels as privacy_labels

PER_PAGE = 10
_STATE = Case(
    When(status__in=[RunStatus.FAILED, RunStatus.CANCELLED], then=Value(RequestState.FAILED)),
    When(closed_at__isnull=False, then=Value(RequestState.DONE)),
    When(status=RunStatus.SUCCEEDED, then=Value(RequestState.WAITING_FOR_RUN)),
    When(HELD, then=Value(RequestState.HELD)),
    When(started_at=None, then=Value(RequestState.RECEIVED)),
    default=Value(RequestState.RUNNING),
    output_field=CharField(),
)
"""``PrivacyRequest.state`` as the database says it."""


_KNOWN = Case(
    When(reduce(or_, (Q(**{f"counts__{code}__found__gt": 0}) for code in HolderCode)), then=Value(value=True)),
    default=Value(value=False),
    output_field=BooleanField(),
)
"""Whether any place had something of the person."""


class Filters(fields.ListFilters):
    """Filters of the queue."""

    kind: RequestKind | None = fields.choice(dict(privacy_labels.KINDS))
    state: RequestState | None = fields.choice(dict(privacy_labels.REQUEST_STATES))
    page: int = fields.page()


@dataclass(frozen=True, kw_only=True)
class QueuedRequest:
    """A request of the queue; ``days`` until it is due are below 0 once it is late, None where it is over or held.

    ``held_until`` is when the last hold that it waits for ends; None where that lasts until somebody lifts it.
    """

    record: PrivacyRequest
    days: int | None
    held_until: datetime | None
    dots: list[Dot]

    @property
    def words(self) -> str:
        """The dots, for who does not see them."""
        return dots_words(self.dots)


@dataclass(frozen=True, kw_only=True)
class PrivacyExtent:
    """All requests in a line; missing are holders that no program exports and erases."""

    open: int
    oldest: datetime | None  # of those that are open
    erased: int  # people, this year
    unknown: int  # erasures of this year by ids of which nothing was found
    any: bool
    missing: int

    @property
    def words(self) -> str:
        """What is open, how many people were erased this year, and whether every holder is known."""
        if self.open:
            text = ngettext(
                "%(n)s request is open, it came %(oldest)s", "%(n)s requests are open, the oldest came %(oldest)s",
                self.open,
            )  # fmt: skip
            parts = [text % {"n": number(self.open), "oldest": ago(self.oldest)}]
        else:
            parts = [_("No request is open")]
        erased = ngettext("%(n)s person was erased this year", "%(n)s people were erased this year", self.erased)
        people = erased % {"n": number(self.erased)}
        if self.unknown:
            text = ngettext(
                "%(people)s, and %(n)s id that nobody knew", "%(people)s, and %(n)s ids that nobody knew", self.unknown
            )
            people = text % {"people": people, "n": number(self.unknown)}
        parts.append(people)
        if self.missing:
            missing = ngettext(
                "%(n)s place has no program that erases it", "%(n)s places have no program that erases them",
                self.missing,
            )  # fmt: skip
            parts.append(missing % {"n": number(self.missing)})
        else:
            parts.append(_("every place that holds something is known"))
        return pgettext("sentence of parts", "%(parts)s.") % {
            "parts": pgettext("between parts of a sentence", "; ").join(parts)
        }


def with_state() -> QuerySet[Any]:
    """Requests, each with its state as ``stated``."""
    return PrivacyRequest.objects.annotate(stated=_STATE)


def extent(*, now: datetime) -> PrivacyExtent:
    """Requests that are open, and erasures of this year, in one query."""
    year = timezone.localtime(now).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    is_open = ~Q(stated=RequestState.DONE)
    erased = Q(kind=RequestKind.ERASE, scanned_at__gte=year)
    again = Q(options__has_key="same_as")  # of two requests about one person the other one found them
    row = (
        with_state()
        .annotate(known=_KNOWN)
        .aggregate(
            open=Count("pk", filter=is_open),
            oldest=Min("created_at", filter=is_open),
            erased=Count("pk", filter=erased & Q(known=True)),
            unknown=Count("pk", filter=erased & Q(known=False) & ~again),
            every=Count("pk"),
        )
    )
    return PrivacyExtent(
        open=row["open"], oldest=row["oldest"], erased=row["erased"], unknown=row["unknown"], any=bool(row["every"]),
        missing=len(missing_holders()),
    )  # fmt: skip


def requests(filters: Filters, *, now: datetime) -> tuple[Page[Any], list[QueuedRequest]]:
    """A page of the queue: what is open first, that which is due next before the others, then what is held, then the
    newest.
    """
    rows = with_state().select_related("started_by", "api_key")
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.state:
        rows = rows.filter(stated=filters.state)
    over = Case(When(stated=RequestState.DONE, then=Value(1)), default=Value(0))
    due = Case(When(~Q(stated__in=[RequestState.DONE, RequestState.HELD]), then="due_at"))
    page: Page[Any] = Paginator(rows.order_by(over, due, "-created_at", "pk"), PER_PAGE).get_page(filters.page)
    held = holds_of(page)
    return page, [_queued(each, held.get(each.pk, ()), now=now) for each in page]


@dataclass(frozen=True, kw_only=True)
class PrivacyTrouble:
    """What of privacy asks for a look: requests that are old or failed, and erasures that a restored copy lost."""

    old: int
    failed: int
    lost: int


def trouble(*, now: datetime) -> PrivacyTrouble:
    """Count it, in two queries."""
    row = with_state().aggregate(
        old=Count("pk", filter=late(now=now)),
        failed=Count("pk", filter=Q(stated=RequestState.FAILED)),
    )
    return PrivacyTrouble(**row, lost=count_lost_erasures())


def _queued(record: PrivacyRequest, holds: Sequence[LegalHold], *, now: datetime) -> QueuedRequest:
    return QueuedRequest(record=record, days=days_left(record, now=now), held_until=end_of(holds), dots=dots(record))
