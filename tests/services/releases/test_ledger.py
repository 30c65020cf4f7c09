"""The budget: what fits, from when on what does not, wrong numbers, and two workers at the same moment."""

import threading
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from recommendations.models import AuditEntry, BudgetLine, Release, RetentionRule, Staff
from recommendations.privacy_terms import RetentionKind
from recommendations.services.releases.asking import (
    EpsilonOutOfRangeError,
    PeriodOutOfRangeError,
    ReleaseStateError,
    ask_release,
    last_sunday,
    publish_release,
    withdraw_release,
)
from recommendations.services.releases.ledger import YEAR, BudgetSpentError, ledger
from recommendations.services.releases.making import work
from recommendations.terms import Role, RunStatus
from tests.released import LAST_DAY, NOW, crowd, exact, made, shelf, wish

WEEK = timedelta(weeks=1)
TYPES = [f"Type {number}" for number in range(8)]


@pytest.fixture
def sold() -> None:
    crowd(shelf(*TYPES), people=240)


@pytest.mark.django_db
@pytest.mark.usefixtures("sold")
def test_a_budget_is_spent_and_comes_back_after_a_year(settings: Settings) -> None:
    settings.PRIVACY_BUDGET = 5
    for weeks_ago, epsilon in ((0, "3"), (1, "1.5")):
        made(wish(epsilon=epsilon, last_day=LAST_DAY - weeks_ago * WEEK), now=NOW + weeks_ago * WEEK)
    now = NOW + 2 * WEEK
    assert (ledger(now=now).spent, ledger(now=now).left) == (Decimal("4.5"), Decimal("0.5"))
    with pytest.raises(BudgetSpentError) as refused:
        ask_release(wish(epsilon="3", weeks=1), by=None, now=now)
    assert refused.value.free_at == NOW + YEAR
    with pytest.raises(BudgetSpentError) as refused:
        ask_release(wish(epsilon="4", weeks=1), by=None, now=now)
    assert refused.value.free_at == NOW + WEEK + YEAR
    with pytest.raises(BudgetSpentError) as refused:
        ask_release(wish(epsilon="5.1", weeks=1), by=None, now=now)
    assert refused.value.free_at is None
    assert ask_release(wish(epsilon="0.5", weeks=1), by=None, now=now)
    assert ledger(now=NOW + YEAR).spent == Decimal("1.5")
    assert ledger(now=NOW + WEEK + YEAR).spent == 0


@pytest.mark.django_db
def test_without_a_budget_nothing_is_made(settings: Settings) -> None:
    settings.PRIVACY_BUDGET = 0
    with pytest.raises(BudgetSpentError):
        ask_release(wish(epsilon="0.1"), by=None, now=NOW)
    assert not Release.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("epsilon", ["0", "-1", "1e9", "NaN", "sNaN", "Infinity", "0.09", "10.01", "1.001", "-0"])
def test_an_epsilon_that_is_none_is_refused(epsilon: str) -> None:
    with pytest.raises(EpsilonOutOfRangeError):
        ask_release(wish(epsilon=epsilon), by=None, now=NOW)
    assert not Release.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("weeks", "day"),
    [(0, LAST_DAY), (-4, LAST_DAY), (2, LAST_DAY), (10**6, LAST_DAY), (4, NOW.date()), (4, date(9999, 12, 31)),
     (4, date(1, 1, 1)), (4, NOW.date() - timedelta(days=366))],
)  # fmt: skip
def test_a_period_that_is_not_over_is_refused(weeks: int, day: date) -> None:
    with pytest.raises(PeriodOutOfRangeError):
        ask_release(wish(weeks=weeks, last_day=day), by=None, now=NOW)


@pytest.mark.django_db
def test_a_period_that_is_kept_no_more_is_refused() -> None:
    RetentionRule.objects.create(kind=RetentionKind.EVENTS, days=84, at=NOW, note="We need no more.")
    assert ask_release(wish(last_day=NOW.date() - timedelta(days=56)), by=None, now=NOW)
    with pytest.raises(PeriodOutOfRangeError):
        ask_release(wish(last_day=NOW.date() - timedelta(days=57)), by=None, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"bound": 0}, {"epsilon": 0}, {"epsilon": 11}, {"published_at": NOW}, {"weeks": 0}])
def test_the_database_refuses_it_as_well(wrong: dict[str, object]) -> None:
    fields = {"domain": "types", "weeks": 4, "last_day": LAST_DAY, "bound": 20, "epsilon": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.create(**fields | wrong)


@pytest.mark.django_db
def test_the_newest_week_ends_on_a_sunday_in_the_zone_of_the_shop(settings: Settings) -> None:
    assert last_sunday(now=NOW) == LAST_DAY
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    monday = NOW - timedelta(days=1)  # at two in the afternoon there
    assert last_sunday(now=monday) == LAST_DAY
    assert last_sunday(now=monday - timedelta(hours=15)) == LAST_DAY - WEEK


@pytest.mark.django_db
@pytest.mark.usefixtures("sold")
def test_what_is_withdrawn_stays_spent_and_may_be_published_again() -> None:
    boss = Staff.objects.create_user("boss@example.com", role=Role.ADMIN)
    release = made(wish(epsilon="10"))
    publish_release(release, by=boss, now=NOW)
    with pytest.raises(ReleaseStateError):
        publish_release(release, by=boss, now=NOW)
    withdraw_release(release, by=boss, now=NOW)
    with pytest.raises(ReleaseStateError):
        withdraw_release(release, by=boss, now=NOW)
    assert not Release.objects.get().is_public
    assert ledger(now=NOW).spent == 10
    publish_release(release, by=boss, now=NOW)
    assert Release.objects.get().is_public
    trail = AuditEntry.objects.filter(object_type="release").order_by("pk").values_list("verb", "staff")
    assert list(trail) == [("ask", None), *((verb, boss.pk) for verb in ("publish", "withdraw", "publish"))]


@pytest.mark.django_db
def test_noise_is_not_published() -> None:
    shelf(*TYPES)
    release = made(wish())
    assert release.enough is False
    with pytest.raises(ReleaseStateError):
        publish_release(release, by=None, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_spend_the_last_of_it_at_once_make_one_release(settings: Settings) -> None:
    settings.PRIVACY_BUDGET = 1
    crowd(shelf(*TYPES), people=48)
    waiting = [ask_release(wish(weeks=weeks), by=None, now=NOW) for weeks in (1, 4)]
    both, ends = threading.Barrier(2), list[RunStatus | None]()

    def at_once(counts: np.ndarray, **_: object) -> np.ndarray:
        both.wait(30)  # both have looked at the ledger, and neither has spent
        return counts

    def do(key: UUID) -> None:
        try:
            ends.append(work(key, clock=lambda: NOW, draw=at_once))
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(each.pk,)) for each in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, ends)) == ["failed", "succeeded"]
    assert BudgetLine.objects.get().release.drawn_at == NOW
    refused = Release.objects.get(drawn_at=None)
    assert (refused.rows, "would pass PRIVACY_BUDGET" in refused.message) == ([], True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_release_draw_once() -> None:
    crowd(shelf(*TYPES), people=48)
    release = ask_release(wish(), by=None, now=NOW)
    begun, go_on = threading.Event(), threading.Event()

    def slow(counts: np.ndarray, **_: object) -> np.ndarray:
        begun.set()
        go_on.wait(30)
        return counts

    def do() -> None:
        try:
            work(release.pk, clock=lambda: NOW, draw=slow)
        finally:
            connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    assert begun.wait(30)
    assert work(release.pk, draw=exact) is None
    go_on.set()
    thread.join()
    assert BudgetLine.objects.count() == 1
