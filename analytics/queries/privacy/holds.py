"""Legal holds, those that last first."""

from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, Q, Value, When

from recommendations.models import LegalHold

PER_PAGE = 20


def holds(*, page: int, now: datetime) -> Page[Any]:
    ended = Case(
        When(Q(until__lte=now), then=Value(value=True)), default=Value(value=False), output_field=BooleanField()
    )
    rows = LegalHold.objects.select_related("by").order_by(ended, "-since", "-pk")
    return Paginator(rows, PER_PAGE).get_page(page)
