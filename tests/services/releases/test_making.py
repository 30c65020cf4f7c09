"""What a release tells, by numbers known by hand; that its noise is drawn once, and noise alone is never told."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import DatabaseError, transaction
from pytest_django.fixtures import Settings

from recommendations.models import BudgetLine, CustomerAlias, Quarantine, Release
from recommendations.privacy_terms import BOUNDS, ReleaseDomain
from recommendations.services.releases.asking import ask_release, make_again
from recommendations.services.releases.making import count_people, missing_noise, work
from recommendations.store.jobs import requeue
from recommendations.store.releases import noise
from recommendations.terms import QuarantineState, RunStatus, SuspicionRule, Trust
from tests.released import LAST_DAY, NOW, OtherEachTime, crowd, customer, exact, made, purchase, shelf, wish

pytestmark = pytest.mark.django_db

TYPES = [
    f"{root} > {name}"
    for root, names in {"Food": "Tea Rye", "Home": "Soap Mops", "Pets": "Hay Oats", "Art": "Ink Clay"}.items()
    for name in names.split()
]


def counted(ask: Release) -> dict[str, int]:
    """Values that somebody is counted for."""
    values, counts = count_people(ask, rng=np.random.default_rng(1))
    return {code: int(number) for code, number in zip(values.codes, counts, strict=True) if number}


def test_each_customer_counts_once_for_what_they_bought_in_the_period() -> None:
    tea, rye, soap, *_ = shelf(*TYPES)
    ann, bo = customer("ann"), customer("bo")
    for who, item in ((ann, tea), (ann, tea), (ann, soap), (bo, tea), (bo, rye)):
        purchase(who, item)
    purchase(bo, soap, occurred_at=datetime(2026, 8, 16, 23, tzinfo=UTC))  # a day before the four weeks
    purchase(bo, soap, day=14)  # a day after them
    purchase(None, soap)
    release = ask_release(wish(), by=None, now=NOW)
    assert (release.first_day.isoformat(), release.bound) == ("2026-08-17", 20)
    assert counted(release) == {"Food > Tea": 2, "Food > Rye": 1, "Home > Soap": 1}
    assert counted(ask_release(wish(ReleaseDomain.ITEMS), by=None, now=NOW)) == {
        "Food > Tea/0": 2, "Food > Rye/0": 1, "Home > Soap/0": 1,
    }  # fmt: skip


def test_a_main_interest_is_the_department_of_which_most_was_bought() -> None:
    tea, rye, soap, *_ = shelf(*TYPES)
    ann, bo = customer("ann"), customer("bo")
    for who, item in ((ann, tea), (ann, rye), (ann, soap), (bo, soap), (bo, soap), (bo, tea)):
        purchase(who, item)
    assert counted(ask_release(wish(ReleaseDomain.INTERESTS), by=None, now=NOW)) == {"Food": 1, "Home": 1}


def test_days_are_those_of_the_shop(settings: Settings) -> None:
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    tea, *_ = shelf(*TYPES)
    purchase(customer("ann"), tea, occurred_at=datetime(2026, 9, 6, 15, 59, tzinfo=UTC))  # Sunday there
    purchase(customer("bo"), tea, occurred_at=datetime(2026, 9, 6, 16, tzinfo=UTC))  # Monday there
    assert counted(ask_release(wish(weeks=1), by=None, now=NOW)) == {"Food > Tea": 1}


def test_a_merged_visitor_is_the_customer_and_who_objects_is_nobody() -> None:
    tea, *_ = shelf(*TYPES)
    ann, visitor = customer("ann"), customer("visitor")
    CustomerAlias.objects.create(anonymous=visitor, customer=ann)
    purchase(ann, tea)
    purchase(visitor, tea)
    purchase(customer("objector", personalise=False), tea)
    purchase(customer("not to be measured", measure=False), tea)
    purchase(customer("resumed", resumed_at=NOW), tea)
    purchase(customer("husk", erased_at=NOW), tea)
    assert counted(ask_release(wish(), by=None, now=NOW)) == {"Food > Tea": 1}


def test_what_is_not_believed_or_set_aside_does_not_count() -> None:
    tea, *_ = shelf(*TYPES)
    purchase(customer("from a page"), tea, trust=Trust.PAGE)
    held = customer("held")
    purchase(held, tea)
    quarantine = Quarantine.objects.create(rule=SuspicionRule.STAFF, state=QuarantineState.ASIDE, events=1, people=1)
    quarantine.asides.create(customer=held, since=NOW - timedelta(days=9))
    release = ask_release(wish(), by=None, now=NOW)
    assert counted(release) == {}
    quarantine.state = QuarantineState.RESTORED
    quarantine.save()
    assert counted(release) == {"Food > Tea": 1}


def test_the_first_quarter_is_told_with_its_errors() -> None:
    items = shelf(*TYPES)
    crowd(items, people=840)
    release = made(wish(epsilon="10"))
    assert release.enough
    assert release.rows == [["Food > Tea", "Food > Tea", 840], ["Food > Rye", "Food > Rye", 420]]
    assert (release.values, release.status) == (8, RunStatus.SUCCEEDED)
    assert release.expected == {"share": pytest.approx(1, abs=0.01), "within": 6}  # 3 · 20 / 10


@pytest.mark.parametrize("people", [0, 3])
def test_what_would_be_noise_is_refused_and_spent(people: int) -> None:
    crowd(shelf(*TYPES), people=people)
    rng = np.random.default_rng(5)
    release = made(wish(), draw=lambda counts, **_: counts + np.round(rng.laplace(0, 20, len(counts))).astype(int))
    assert release.enough is False
    assert release.rows == []
    assert release.expected["share"] < 0.5
    assert BudgetLine.objects.get().release == release


def test_a_shop_of_three_types_tells_nothing() -> None:
    crowd(shelf(*TYPES[:3]), people=200)
    assert made(wish()).enough is False


def test_the_same_release_is_never_drawn_again(settings: Settings) -> None:
    """Asked for again, worked at again and put into the queue again it stays what was drawn first."""
    settings.PRIVACY_BUDGET = 100
    crowd(shelf(*TYPES), people=120)
    draw = OtherEachTime()
    first = made(wish(epsilon="10"), draw=draw)
    again = made(wish(epsilon="10.00"), draw=draw)
    assert (again.pk, again.rows) == (first.pk, first.rows)
    Release.objects.update(status=RunStatus.INTERRUPTED)
    assert requeue(first)
    work(first.pk, draw=draw)
    assert (Release.objects.get().rows, draw.draws) == (first.rows, 1)
    assert BudgetLine.objects.count() == 1
    other = made(wish(epsilon="1"), draw=draw)
    assert (other.pk != first.pk, draw.draws) == (True, 2)


@pytest.mark.parametrize("change", [{"rows": []}, {"epsilon": 3}, {"drawn_at": None}, {"enough": False}, {"bound": 40}])
def test_the_database_keeps_what_was_drawn(change: dict[str, object]) -> None:
    crowd(shelf(*TYPES), people=120)
    made(wish(epsilon="10"))
    with pytest.raises(DatabaseError, match="a release is drawn once"), transaction.atomic():
        Release.objects.update(**change)
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        BudgetLine.objects.update(epsilon=1)
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        BudgetLine.objects.all().delete()


def test_what_is_counted_is_stored_nowhere() -> None:
    crowd(shelf(*TYPES), people=613)
    release = made(wish(epsilon="10"), draw=lambda counts, **_: counts + 5_000)
    assert [number for _code, _name, number in release.rows] == [5_613, 5_307]
    assert "613," not in str(Release.objects.values().get()).replace("5613,", "")


def test_without_opendp_it_fails_with_the_remedy_and_spends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(shelf(*TYPES), people=120)
    monkeypatch.setattr(noise, "PACKAGE", "no_such_wheel")
    assert "requirements/releases.txt" in str(missing_noise())
    release = ask_release(wish(), by=None, now=NOW)
    assert work(release.pk) == RunStatus.FAILED
    release.refresh_from_db()
    assert "requirements/releases.txt" in release.message
    assert not BudgetLine.objects.exists()
    make_again(release, by=None, now=NOW)
    assert work(release.pk, draw=exact) == RunStatus.SUCCEEDED


@pytest.mark.skipif(not noise.is_installed(), reason="it needs the extra releases")
def test_opendp_makes_a_release() -> None:
    crowd(shelf(*TYPES), people=840)
    release = ask_release(wish(epsilon="10"), by=None, now=NOW)
    assert work(release.pk) == RunStatus.SUCCEEDED
    release.refresh_from_db()
    assert release.enough
    assert [code for code, _name, _number in release.rows] == ["Food > Tea", "Food > Rye"]


def test_every_kind_of_release_is_bounded() -> None:
    assert set(BOUNDS) == set(ReleaseDomain)
    assert all(bound >= 1 for by_weeks in BOUNDS.values() for bound in by_weeks.values())
    assert LAST_DAY.isoweekday() == 7
