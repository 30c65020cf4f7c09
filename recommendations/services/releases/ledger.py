"""The ledger of the privacy budget: what releases have spent within a year, and when something may be spent again."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection

from recommendations.models import BudgetLine, Release

YEAR = timedelta(days=365)
_LOCK = zlib.crc32(b"recommendations.budgetline")


class BudgetSpentError(Exception):
    """The release would spend more than the budget; ``free_at`` is when it may, None for never."""

    def __init__(self, epsilon: Decimal, free_at: datetime | None) -> None:
        when = f"From {free_at:%Y-%m-%d} on it may." if free_at else "It is more than the budget of a year."
        super().__init__(f"ε {epsilon.normalize():f} would pass PRIVACY_BUDGET. {when}")
        self.epsilon = epsilon
        self.free_at = free_at


@dataclass(frozen=True, kw_only=True)
class PrivacyLedger:
    """What was spent in the year before a moment, the oldest first; what is withdrawn or refused stays spent."""

    lines: list[BudgetLine]
    budget: Decimal

    @property
    def spent(self) -> Decimal:
        return sum((line.epsilon for line in self.lines), Decimal(0))

    @property
    def left(self) -> Decimal:
        return max(self.budget - self.spent, Decimal(0))

    def free_at(self, epsilon: Decimal) -> datetime | None:
        """The moment from which ``epsilon`` fits, if nothing else is spent; None where it is more than the budget."""
        over = self.spent + epsilon - self.budget
        for line in self.lines:
            over -= line.epsilon
            if over <= 0:
                return line.at + YEAR
        return None


def ledger(*, now: datetime) -> PrivacyLedger:
    """The ledger, with the release of each line."""
    lines = BudgetLine.objects.filter(at__gt=now - YEAR).select_related("release").order_by("at", "pk")
    return PrivacyLedger(lines=list(lines), budget=Decimal(settings.PRIVACY_BUDGET))


def require_budget(epsilon: Decimal, *, now: datetime) -> None:
    """Raise BudgetSpentError where ``epsilon`` does not fit any more."""
    book = ledger(now=now)
    if epsilon > book.left:
        raise BudgetSpentError(epsilon, book.free_at(epsilon))


def spend(release: Release, *, now: datetime) -> None:
    """Write the line of a release, in its transaction; others wait until that ends. Raises BudgetSpentError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    require_budget(release.epsilon, now=now)
    BudgetLine.objects.create(release=release, epsilon=release.epsilon, at=now)
