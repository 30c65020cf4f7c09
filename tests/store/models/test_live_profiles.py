"""The live version's profiles as rows: those of its files, for everybody who is still there and wants to be known."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from analytics.queries.customer import profile as page
from recommendations.engine.interests.main_interests import taste_shift
from recommendations.models import Artefact, Customer, LiveProfile, ModelVersion, Run
from recommendations.store.audiences.conditions import as_statement
from recommendations.store.models.artefacts import forget_files, load_arrays, save_arrays
from recommendations.store.models.live_version import go_live
from recommendations.store.models.main_interests import LATELY, TASTE, load_main_interests
from recommendations.terms import AudienceKind, Cut, VersionStatus
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
INTEREST = {"kind": AudienceKind.INTEREST, "category": "FOOD > TEA", "percent": 20}


@pytest.fixture
def live() -> ModelVersion:
    return ModelVersion.objects.live().get()


@pytest.fixture
def other(live: ModelVersion) -> Iterator[ModelVersion]:
    """A version that knows all but the first ten of the live one's customers."""
    version = ModelVersion.objects.create(run=Run.objects.create(now=NOW), status=VersionStatus.READY)
    arrays = load_arrays(live.pk, Cut.LIVE, prefix=("ids/users", "profiles/", "segments/of_users"))
    save_arrays(version, Cut.LIVE, {name: values[10:] for name, values in arrays.items()})
    save_arrays(version, Cut.LIVE, load_arrays(live.pk, Cut.LIVE, prefix="ids/categories"))
    yield version
    forget_files(Artefact.objects.filter(version=version))


def rows() -> dict[int, tuple[Any, ...]]:
    told = LiveProfile.objects.values_list("customer", "segment__number", "weight", "shift", "leads")
    return {key: tuple(row) for key, *row in told}


def again(version: ModelVersion) -> dict[int, tuple[Any, ...]]:
    go_live(version, now=timezone.now())
    return rows()


def interested() -> dict[int, str]:
    """Who likes tea, and how much."""
    statement, values = as_statement(INTEREST, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return dict(cursor.fetchall())


def test_the_rows_are_those_of_the_files(live: ModelVersion) -> None:
    known = load_main_interests(live.pk)
    assert known is not None
    taste, lately = (known.by_half_life[each] for each in (TASTE, LATELY))
    leading = known.categories[lately.categories[:, 0]]
    columns = (known.segments, taste.weight, taste_shift(taste, lately), leading)
    told = dict(zip(known.users.tolist(), zip(*(each.tolist() for each in columns), strict=True), strict=True))
    assert rows() == told
    assert len(told) == 60
    assert taste.weight.min() > 0
    assert (taste.shares[:, 0] >= taste.shares[:, 1]).all()


def test_going_back_to_a_version_brings_back_its_rows(live: ModelVersion, other: ModelVersion) -> None:
    before = rows()
    after = again(other)
    assert after == {key: row for key, row in before.items() if key in after}
    assert len(after) == 50
    assert again(live) == before


def test_nobody_comes_back_who_went_or_did_not_want_to_be_known(live: ModelVersion) -> None:
    erased, refused, anew, long_ago, stays = Customer.objects.order_by("pk")[:5]
    now = live.run.now
    Customer.objects.filter(pk=erased.pk).update(erased_at=now)
    Customer.objects.filter(pk=refused.pk).update(personalise=False)
    Customer.objects.filter(pk=anew.pk).update(resumed_at=now + timedelta(seconds=1))
    Customer.objects.filter(pk=long_ago.pk).update(resumed_at=now)
    assert {erased.pk, refused.pk, anew.pk, long_ago.pk, stays.pk} <= rows().keys()
    after = again(live)
    assert len(after) == 57
    assert {long_ago.pk, stays.pk} <= after.keys()


def test_a_version_of_an_older_release_gives_the_same(live: ModelVersion) -> None:
    """It has no interests in its files: they are learned again."""

    def told() -> tuple[Any, ...]:
        who = Customer.objects.order_by("pk")[3]
        head = page.person(who.pk, model=live.pk)
        assert head is not None
        return head.interests, interested(), again(live)

    before = told()
    assert before[0]
    assert 0 < len(before[1]) < 60
    assert Artefact.objects.filter(version=live, name__startswith="profiles/").delete()[0] == 6
    assert told() == before


def test_an_interest_is_that_of_the_live_version(other: ModelVersion) -> None:
    before = interested()
    kept = again(other).keys()
    assert interested() == {key: share for key, share in before.items() if key in kept}
    assert len(interested()) < len(before)


def test_a_version_without_files_leaves_no_rows() -> None:
    version = ModelVersion.objects.create(run=Run.objects.create(now=NOW), status=VersionStatus.READY)
    assert again(version) == {}
