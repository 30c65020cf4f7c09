"""Segments from run to run: a name stays with its people although k-means numbers the clusters by size each time.

In the grocery five tastes have twelve customers each. After the first run the taste with the highest number gets eight
newcomers, so that its cluster comes first, and five of the taste with number 1 object, so that theirs comes last.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from recommendations.event_types import EventName
from recommendations.loop import interests
from recommendations.loop.context import RunContext
from recommendations.loop.interests import learn_interests
from recommendations.loop.preprocess import make_snapshots
from recommendations.models import Customer, Event, Item, ModelVersion, Segment
from recommendations.services.operations.runs import start_run
from recommendations.services.operations.segments import picture, rename_segment
from recommendations.store import jobs
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.live_version import go_live
from recommendations.terms import RunStatus
from tests.grocery import TASTES, open_shop
from tests.trained import NOW, artefact_folder

pytestmark = pytest.mark.django_db
NEWCOMERS, OBJECTORS = 8, 5


@pytest.fixture(autouse=True)
def grocery(tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path / "artefacts"):
        open_shop(now=NOW)
        yield


def learned(now: datetime, *, counts: dict[str, object] | None = None) -> ModelVersion:
    """Make a version with the first stages of a run; ``counts`` gets those of the last one."""
    run = start_run(by=None, now=now, in_worker=False)
    context = RunContext.of(run, cut=None, report=lambda share, *, text="": None)  # type: ignore[arg-type]
    make_snapshots(context)
    made = learn_interests(context)
    if counts is not None:
        counts |= made
    go_live(context.version, now=now)
    jobs.finish(run, RunStatus.SUCCEEDED, now=now)
    return context.version


def of_taste(name: str) -> Segment:
    (match,) = [segment for segment in Segment.objects.all() if segment.top_categories[0]["name"] == name]
    return match


def grow(taste: str) -> None:
    """Add newcomers with one basket each, of this taste."""
    staple = Item.objects.get(shop_id=f"{taste.lower()}-0")
    people = Customer.objects.bulk_create(Customer(pseudonym=pseudonym(f"new{n}")) for n in range(NEWCOMERS))
    Event.objects.bulk_create(
        Event(
            occurred_at=NOW + timedelta(hours=1), event_id=uuid.uuid4(), name=EventName.PURCHASE, customer=who,
            item=staple, quantity=1, price=1, amount=1, transaction_id=f"new{who.pk}",
        )
        for who in people
    )  # fmt: skip


def shrink(taste: str) -> None:
    first = TASTES.index(taste)
    people = [pseudonym(f"u{first + 5 * n}") for n in range(OBJECTORS)]
    assert Customer.objects.filter(pseudonym__in=people).update(personalise=False) == OBJECTORS


def test_a_segments_name_stays_with_its_members_when_clusters_are_renumbered() -> None:
    learned(NOW)
    numbers = {taste: of_taste(taste).number for taste in TASTES[:5]}
    assert sorted(numbers.values()) == [1, 2, 3, 4, 5]
    smallest, largest = (next(taste for taste in numbers if numbers[taste] == number) for number in (1, 5))
    for taste in (smallest, largest):
        rename_segment(segment=of_taste(taste), name=f"{taste} people", by=None)
    prepare_partitions(NOW, NOW + timedelta(days=1))
    grow(largest)
    shrink(smallest)
    second = learned(NOW + timedelta(days=1))

    drawn = picture(second.pk)
    assert drawn is not None
    assert (drawn.numbers[0], drawn.numbers[-1]) == (5, 1)  # the clusters came in another order
    assert {taste: of_taste(taste).number for taste in TASTES[:5]} == numbers
    assert [str(of_taste(taste)) for taste in (smallest, largest)] == [f"{smallest} people", f"{largest} people"]
    assert [of_taste(taste).size for taste in (smallest, largest)] == [12 - OBJECTORS, 12 + NEWCOMERS]
    assert drawn.drift.size_before.tolist() == [12] * 5
    assert drawn.drift.kept.tolist() == [1] * 5  # of those that are still known
    np.testing.assert_allclose(drawn.drift.moved, 0, atol=0.01)


def test_the_first_run_saves_a_projection_without_a_comparison() -> None:
    version = learned(NOW)
    drawn = picture(version.pk)
    assert drawn is not None
    assert drawn.behaviour.members.tolist() == [12] * 5
    assert drawn.behaviour.baskets.tolist() == [12 * 16] * 5
    assert drawn.drift.size_before.tolist() == [-1] * 5
    assert len(drawn.projection.users) == 60
    nearest = np.argmin(((drawn.projection.points[:, None] - drawn.projection.centres[None]) ** 2).sum(axis=2), axis=1)
    np.testing.assert_array_equal(drawn.numbers[nearest], drawn.of_users[drawn.projection.users])


@pytest.mark.parametrize("most", [3, 20_000])
def test_the_run_counts_the_rules_that_are_kept(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(interests, "MOST_RULES", most)
    counts: dict[str, object] = {}
    version = learned(NOW, counts=counts)
    kept = version.association_rules.count()
    assert counts["rules"] == kept
    assert (kept == 3) == (most == 3)


def test_a_version_of_an_older_release_has_no_projection() -> None:
    version = learned(NOW)
    version.artefacts.filter(name__startswith="picture/").delete()
    assert picture(version.pk) is None
    assert picture(None) is None
