"""Objections by week, of the ledger of purposes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncWeek

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
    """The last weeks in which anybody said no, the newest first."""
    noes = PurposeWord.objects.exclude(state=PurposeState.GIVEN).filter(at__gte=now - timedelta(weeks=WEEKS))
    by_week = noes.order_by().annotate(week=TruncWeek("at")).values("week")
    counted = by_week.annotate(
        known=Count("customer", distinct=True, filter=Q(purpose=DataPurpose.PERSONALISE)),
        measured=Count("customer", distinct=True, filter=Q(purpose=DataPurpose.MEASURE)),
    )
    rows = counted.order_by("-week")[:WEEKS]
    return [ObjectionWeek(week=row["week"].date(), known=row["known"], measured=row["measured"]) for row in rows]
