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
from recommendations.loop import guard, interests
from recommendations.loop.context import RunContext
from recommendations.loop.guard import Unusual
from recommendations.loop.interests import learn_interests
from recommendations.loop.preprocess import make_snapshots
from recommendations.loop.risers import Demand
from recommendations.models import Audience, Customer, Event, Item, ModelVersion, Segment, SegmentState
from recommendations.services.operations.runs import start_run
from recommendations.services.operations.segments import load_moves, picture, rename_segment
from recommendations.services.rules.books import publish_rules
from recommendations.services.rules.editing import archive_rule, save_rule
from recommendations.store import jobs
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.live_version import go_live
from recommendations.terms import RunStatus, VersionStatus
from recommendations.watch_terms import GuardCheck
from tests.grocery import TASTES, open_shop
from tests.trained import NOW, artefact_folder

pytestmark = pytest.mark.django_db
NEWCOMERS, OBJECTORS = 8, 5
TEA = [{"attribute": "category", "operator": "is", "values": ["FOOD > TEA"]}]


@pytest.fixture(autouse=True)
def grocery(tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path / "artefacts"):
        open_shop(now=NOW)
        yield


def learned(now: datetime, *, counts: dict[str, object] | None = None) -> ModelVersion:
    """Make a live version with the first stages of a run; ``counts`` gets those of the last one."""
    context = begun(now, counts=counts)
    go_live(context.version, now=now)
    jobs.finish(context.run, RunStatus.SUCCEEDED, now=now)
    return context.version


def begun(now: datetime, *, counts: dict[str, object] | None = None) -> RunContext:
    """Begin a run and go through its first stages."""
    run = start_run(by=None, now=now, in_worker=False)
    context = RunContext.of(run, cut=None, report=lambda share, *, text="": None)  # type: ignore[arg-type]
    make_snapshots(context)
    made = learn_interests(context)
    if counts is not None:
        counts |= made
    return context


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


def part(taste: str) -> None:
    """Let the people of a taste turn to four others, each to one of them."""
    people = Customer.objects.filter(live_profile__segment=of_taste(taste)).order_by("pk")
    others = [other for other in TASTES[:5] if other != taste]
    Event.objects.bulk_create(
        Event(
            occurred_at=NOW + timedelta(hours=1), event_id=uuid.uuid4(), name=EventName.PURCHASE, customer=who,
            item=item, quantity=1, price=1, amount=1, transaction_id=f"turned{who.pk}-{again}",
        )
        for number, who in enumerate(people)
        for item in Item.objects.filter(shop_id__startswith=others[number % 4].lower())
        for again in range(30)
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


def test_what_is_live_knows_nothing_of_a_run_that_goes_on_or_was_cancelled() -> None:
    learned(NOW)
    tea = rename_segment(segment=of_taste("Tea"), name="Tea people", by=None)
    before = list(Segment.objects.order_by("number").values())
    prepare_partitions(NOW, NOW + timedelta(days=1))
    grow("Tea")
    context = begun(NOW + timedelta(days=1))
    assert list(Segment.objects.order_by("number").values()) == before
    assert SegmentState.objects.get(version=context.version, segment=tea).size == 12 + NEWCOMERS
    jobs.finish(context.run, RunStatus.CANCELLED, now=NOW)
    assert list(Segment.objects.order_by("number").values()) == before

    third = learned(NOW + timedelta(days=2))
    tea.refresh_from_db()
    assert (tea.name, tea.size, tea.version) == ("Tea people", 12 + NEWCOMERS, third)


def test_a_segment_whose_members_part_is_gone_and_where_rules_hang_on_it_the_guard_waits() -> None:
    first = learned(NOW)
    tea, wine = of_taste("Tea"), of_taste("Wine")
    assert load_moves(first.pk).shape == (0, 3)
    fields = {"placement": "home", "action": "boost", "strength": 40, "items": TEA}
    rules = [save_rule(rule=None, values=fields | values, revision=None, by=None, now=NOW) for values in (
        {"name": "Tea first", "segment": tea.number},
        {"name": "Tea for all", "segment": None},
        {"name": "Tea for wine", "segment": wine.number},
    )]  # fmt: skip
    publish_rules(rules=[rule.pk for rule in rules], based_on=None, by=None, note="a test", now=NOW)
    prepare_partitions(NOW, NOW + timedelta(days=1))
    part("Tea")
    context = begun(NOW + timedelta(days=1))
    assert not SegmentState.objects.filter(version=context.version, segment=tea).exists()
    assert guard.unusual(context, Demand.of(context.version), None) == [Unusual(GuardCheck.SEGMENTS, 2, 1)]
    later = NOW + timedelta(days=1)
    asking = Audience.objects.create(name="x", conditions={"all": [{"kind": "segment", "segments": [tea.number]}]})
    for_them = save_rule(
        rule=None, values=fields | {"name": "x", "audience": asking.pk}, revision=None, by=None, now=NOW
    )
    assert guard.unusual(context, Demand.of(context.version), None) == [Unusual(GuardCheck.SEGMENTS, 2, 1)]
    save_rule(rule=rules[0], values={"ends_at": NOW.isoformat()}, revision=1, by=None, now=NOW)
    publish_rules(rules=[rules[0].pk], based_on=1, by=None, note="a test", now=later)
    assert guard.unusual(context, Demand.of(context.version), None) == [Unusual(GuardCheck.SEGMENTS, 2, 1)]
    archive_rule(rule=for_them, by=None, now=later)
    assert guard.unusual(context, Demand.of(context.version), None) == []

    parts = [way[2] for way in load_moves(context.version.pk).tolist() if way[0] == tea.number]
    assert sum(parts) == 12
    assert max(parts) < 6
    go_live(context.version, now=later)
    tea.refresh_from_db()
    assert (tea.version, tea.size) == (first, 12)  # as it last was


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


def test_an_automatic_name_stays_while_the_segment_does_and_a_new_one_gets_its_own() -> None:
    learned(NOW)
    tea, wine = of_taste("Tea"), of_taste("Wine")
    Segment.objects.filter(pk=tea.pk).update(automatic_name="What they liked at first")
    Segment.objects.filter(pk=wine.pk).update(name="Wine people")
    prepare_partitions(NOW, NOW + timedelta(days=1))
    learned(NOW + timedelta(days=1))
    assert [str(of_taste(taste)) for taste in ("Tea", "Wine")] == ["What they liked at first", "Wine people"]
    assert rename_segment(segment=wine, name="", by=None).name == ""
    assert str(of_taste("Wine")) == str(Segment.objects.get(pk=wine.pk)) == wine.automatic_name != ""
    ModelVersion.objects.update(is_live=False, status=VersionStatus.BUILDING)
    learned(NOW + timedelta(days=2))  # goes on from nothing: the same tastes, in segments that begin
    names = [str(segment) for segment in Segment.objects.all()]
    assert len(set(names)) == len(names) == 2 * 5
