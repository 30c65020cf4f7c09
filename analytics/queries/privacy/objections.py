"""Objections by week, of the ledger of purposes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncWeek
from django.utils import timezone

from analytics.queries.days import midnight
from recommendations.models import PurposeWord
from recommendations.privacy_terms import DataPurpose, PurposeState

WEEKS = 8


@dataclass(frozen=True, kw_only=True)
class ObjectionWeek:
    """How many customers said no in a week: to being known, to being measured."""

    week: date
    known: int
    measured: int


def objections_by_week(*, now: datetime) -> Sequence[ObjectionWeek]:
    """The last weeks, the newest first, also those in which nobody said no; none where nobody did in any of them."""
    today = timezone.localdate(now)
    weeks = [today - timedelta(days=today.weekday(), weeks=number) for number in range(WEEKS)]
    noes = PurposeWord.objects.exclude(state=PurposeState.GIVEN).filter(at__gte=midnight(weeks[-1]))
    by_week = noes.order_by().annotate(week=TruncWeek("at")).values("week")
    counted = by_week.annotate(
        known=Count("customer", distinct=True, filter=Q(purpose=DataPurpose.PERSONALISE)),
        measured=Count("customer", distinct=True, filter=Q(purpose=DataPurpose.MEASURE)),
    )
    of_week = {row["week"].date(): (row["known"], row["measured"]) for row in counted}
    rows = [(week, *of_week.get(week, (0, 0))) for week in weeks] if of_week else []
    return [ObjectionWeek(week=week, known=known, measured=measured) for week, known, measured in rows]
