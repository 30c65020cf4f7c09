"""Releases that staff ask for, publish and withdraw; a worker makes them (``making.work``)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from recommendations.engine.privacy.noise_law import LEVEL, reach
from recommendations.models import Release, Staff
from recommendations.privacy_terms import BOUNDS, LEAST_EPSILON, MOST_EPSILON, ReleaseDomain, RetentionKind
from recommendations.services.access import audit
from recommendations.services.operations.jobs import resume_job
from recommendations.services.releases.ledger import require_budget
from recommendations.store import jobs
from recommendations.store.retention_rules import days_kept

WEEK = timedelta(weeks=1)
OLDEST = timedelta(days=365)


class EpsilonOutOfRangeError(ValueError):
    """ε is no number of at most two decimals from ``LEAST_EPSILON`` to ``MOST_EPSILON``."""


class PeriodOutOfRangeError(ValueError):
    """The period is not over, ended over a year ago or is kept no more, or has a number of weeks that none has."""


class ReleaseStateError(Exception):
    """The release is not made, is noise, or is public already, or not any more."""


@dataclass(frozen=True, kw_only=True)
class ReleaseAsk:
    """Wish for a release: the customers of each value in so many weeks, the last of which ends with ``last_day``."""

    domain: ReleaseDomain
    weeks: int
    last_day: date
    epsilon: Decimal

    def check(self, *, now: datetime) -> None:
        """Raise EpsilonOutOfRangeError or PeriodOutOfRangeError."""
        if not self.epsilon.is_finite() or not LEAST_EPSILON <= self.epsilon <= MOST_EPSILON:
            raise EpsilonOutOfRangeError(self.epsilon)
        if self.epsilon != round(self.epsilon, 2):
            raise EpsilonOutOfRangeError(self.epsilon)
        today = _today(now)
        if self.weeks not in BOUNDS[self.domain] or not today - OLDEST <= self.last_day < today:
            raise PeriodOutOfRangeError(self.weeks, self.last_day)
        if self.last_day - self.weeks * WEEK < today - timedelta(days=days_kept(RetentionKind.EVENTS)):
            raise PeriodOutOfRangeError(self.weeks, self.last_day)


@transaction.atomic
def ask_release(ask: ReleaseAsk, *, by: Staff | None, now: datetime) -> Release:
    """Have a worker make a release; where the same was asked for before it is that one, as noise is drawn once.

    Raises EpsilonOutOfRangeError, PeriodOutOfRangeError and BudgetSpentError.
    """
    ask.check(now=now)
    same = {"domain": ask.domain, "weeks": ask.weeks, "last_day": ask.last_day, "epsilon": ask.epsilon}
    if (stored := Release.objects.filter(**same).first()) is not None:
        return stored
    require_budget(ask.epsilon, now=now)
    bound = BOUNDS[ask.domain][ask.weeks]
    release, is_new = Release.objects.get_or_create(**same, defaults={"bound": bound, "started_by": by})
    if is_new:
        audit.record(by=by, verb="ask", subject=release)
        transaction.on_commit(lambda: jobs.enqueue(release))
    return release


def make_again(release: Release, *, by: Staff | None, now: datetime) -> None:
    """Let a release go on that failed before its noise was drawn. Raises JobIsOverError and BudgetSpentError."""
    require_budget(release.epsilon, now=now)
    resume_job(release, by=by, now=now)


@transaction.atomic
def publish_release(release: Release, *, by: Staff | None, now: datetime) -> None:
    """Let everybody have a release by its address. Raises ReleaseStateError."""
    stored = Release.objects.select_for_update().get(pk=release.pk)
    if not stored.enough or stored.is_public:
        raise ReleaseStateError(stored)
    stored.published_at, stored.withdrawn_at = now, None
    stored.save(update_fields=["published_at", "withdrawn_at"])
    audit.record(by=by, verb="publish", subject=stored)


@transaction.atomic
def withdraw_release(release: Release, *, by: Staff | None, now: datetime) -> None:
    """Give a release to nobody else; what it spent stays spent. Raises ReleaseStateError."""
    stored = Release.objects.select_for_update().get(pk=release.pk)
    if not stored.is_public:
        raise ReleaseStateError(stored)
    stored.withdrawn_at = now
    stored.save(update_fields=["withdrawn_at"])
    audit.record(by=by, verb="withdraw", subject=stored)


@dataclass(frozen=True)
class ReleaseRule:
    """The number of values that a customer counts for at most, and how far a number is then off at ε 1."""

    domain: ReleaseDomain
    weeks: int
    bound: int

    @property
    def within(self) -> int:
        return reach(LEVEL, scale=self.bound)


def release_rules() -> list[ReleaseRule]:
    """The rules of all kinds of releases."""
    return [ReleaseRule(domain, weeks, bound) for domain in BOUNDS for weeks, bound in BOUNDS[domain].items()]


def last_sunday(*, now: datetime) -> date:
    """Last day of the newest week that is over, in the shop's time zone."""
    today = _today(now)
    return today - timedelta(days=today.isoweekday())


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
