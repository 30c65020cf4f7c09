"""Releases as the pages meet them: made a moment ago, with numbers, and with what they spent."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from recommendations.models import BudgetLine, Release
from recommendations.terms import RunStatus


def drawn(*, told: int = 60, weeks_ago: int = 0, epsilon: str = "1", **fields: Any) -> Release:
    """A release of product types that is made; none of its numbers is told where ``told`` is 0."""
    now = timezone.now()
    release = Release.objects.create(
        **{
            "domain": "types", "weeks": 4, "bound": 20, "last_day": date(2026, 9, 13) - timedelta(weeks=weeks_ago),
            "epsilon": Decimal(epsilon), "status": RunStatus.SUCCEEDED, "drawn_at": now, "values": 3_836,
            "enough": told > 0, "rows": [[f"Food > {n}", f"Food > {n}", 900 - 7 * n] for n in range(told)],
            "expected": {"share": 0.67 if told else 0.21, "within": 60},
        } | fields
    )  # fmt: skip
    BudgetLine.objects.create(release=release, epsilon=release.epsilon, at=now)
    return release
