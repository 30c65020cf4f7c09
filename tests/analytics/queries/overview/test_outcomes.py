"""Rates by placement and position against days made by hand."""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.queries.overview import outcomes as query
from analytics.queries.overview.outcomes import LineFilters, PlacementOutcome, RateBasis
from analytics.queries.overview.summary import Answers
from recommendations.models import AttributedLine, PlacementDay, Slate, SlateOutcome
from recommendations.store.events.partitions import prepare_partitions
from tests.analytics import records

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 15)


def answers(**lengths: dict[int, int]) -> Answers:
    return Answers(total=0, personalised=0, fallback=0, groups=[], replayed=0, lengths=lengths)


def counted(*, days_ago: int = 0, position: int = 0, placement: str = "home", **counts: Any) -> None:
    plain = dict.fromkeys(("listed", "seen", "clicked", "carted", "bought", "purchases", "revenue", "squares"), 0)
    day = TODAY - timedelta(days=days_ago)
    PlacementDay.objects.create(
        day=day, placement=placement, position=position, replay=counts.pop("replay", False), **plain | counts
    )  # fmt: skip


def outcomes(**lengths: dict[int, int]) -> list[PlacementOutcome]:
    return query.outcomes(today=TODAY, days=7, served=answers(**lengths))


def test_rates_are_of_slates_that_were_seen_with_wilsons_interval() -> None:
    counted(listed=60, seen=60, clicked=6, bought=3, purchases=4, revenue=30, squares=500)
    counted(days_ago=6, listed=40, seen=40, clicked=4, bought=2, purchases=2, revenue=20, squares=300)
    counted(days_ago=7, listed=50, seen=50, clicked=10, bought=0, purchases=0)
    counted(position=2, seen=100, clicked=1)
    [home] = outcomes(home={10: 9_999})
    assert (home.placement, home.basis, home.replay) == ("home", RateBasis.SEEN, False)
    assert (home.now.tries, home.now.clicked, home.now.bought, home.now.purchases) == (100, 10, 5, 6)
    assert home.now.click_rate == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)  # Wilson 1927, by hand
    assert home.before is not None
    assert (home.before.tries, home.before.click_rate.value) == (50, 0.2)
    # mean .5, variance (800 − 100 × .25) / 99 = 7.8283, error √(.078283) = .27979: 500 ± 548, cut off at 0
    assert home.now.per_mille == pytest.approx((500, 0, 1048.4), abs=0.1)
    [second] = home.positions
    assert (second.position, second.tries, second.click_rate.value) == (2, 100, 0.01)


def test_what_nobody_saw_is_told_apart_from_what_people_saw() -> None:
    counted(listed=10, seen=10, clicked=1, bought=1)
    counted(listed=100, seen=100, clicked=52, bought=52, replay=True)
    replayed, home = outcomes(home={10: 10})
    assert (replayed.replay, replayed.now.tries, replayed.now.conversion.value) == (True, 100, 0.52)
    assert (home.replay, home.now.tries, home.now.click_rate.value) == (False, 10, 0.1)


def test_positions_of_few_slates_are_not_drawn_unless_all_are_so() -> None:
    counted(listed=40, seen=40)
    for position, seen in ((1, 30), (2, 29)):
        counted(position=position, seen=seen, clicked=1)
    [home] = outcomes(home={10: 40})
    assert [each.position for each in home.positions] == [1, 2]
    assert ([each.position for each in home.points], home.fewest) == ([1], 30)
    PlacementDay.objects.filter(position=1).delete()
    [home] = outcomes(home={10: 40})
    assert ([each.position for each in home.points], home.fewest) == ([2], None)


def test_without_any_impression_every_answer_counts_and_says_so() -> None:
    counted(seen=5, clicked=5)
    counted(position=1, seen=2, clicked=2)
    counted(position=9, seen=1, clicked=1)
    [home] = outcomes(home={10: 30, 8: 20})
    assert (home.basis, home.now.tries, home.now.click_rate.value) == (RateBasis.SERVED, 50, 0.1)
    assert [(each.position, each.tries) for each in home.positions] == [(1, 50), (9, 30)]


def test_days_outside_the_period_are_not_counted_and_the_largest_placement_is_first() -> None:
    counted(days_ago=-1, listed=1, seen=1)
    counted(days_ago=14, listed=1, seen=1)
    assert outcomes() == []
    counted(listed=1, seen=1)
    counted(placement="discover", listed=2, seen=2)
    assert [each.placement for each in outcomes()] == ["discover", "home"]


def test_a_single_slate_has_no_interval_of_its_revenue() -> None:
    assert query.per_mille(5.0, 25.0, 1) is None
    assert query.per_mille(0.0, 0.0, 2) == (0, 0, 0)


def line(**fields: Any) -> AttributedLine:
    plain = {
        "occurred_at": records.NOW, "event_id": uuid.uuid4(), "line": 0, "name": "purchase", "amount": 2, "position": 1,
        "recommendation_id": "r-1", "placement": "home", "touch": "click", "replay": False,
    }  # fmt: skip
    return AttributedLine.objects.create(**plain | fields)


def test_attributed_lines_by_placement_position_and_kind() -> None:
    thing = records.item("i")
    first, second = line(item=thing), line(item=thing, position=2, occurred_at=records.NOW - timedelta(hours=1))
    cart = line(item=thing, name="add_to_cart", placement="discover")
    line(item=thing, occurred_at=records.NOW - timedelta(days=9))

    def found(**fields: Any) -> list[AttributedLine]:
        return list(query.lines(LineFilters(days=7, **fields), today=TODAY))

    assert found() == [first, second]
    assert found(position=2) == [second]
    assert found(placement="discover") == []
    assert found(placement="discover", name="add_to_cart") == [cart]


def test_the_story_of_a_slate() -> None:
    assert query.story("r-1") is None
    tea, soap = records.item("tea"), records.item("soap")
    prepare_partitions(records.NOW, records.NOW)
    Slate.objects.create(
        served_at=records.NOW, recommendation_id="r-1", placement="home", source="model", personalised=True,
        items=[tea.pk, soap.pk, 10**6], scores=[0.3, 0.2, 0.1], propensities=[1, 1, 1],
    )  # fmt: skip
    bare = query.story("r-1")
    assert bare is not None
    assert [place.seen for place in bare.places] == [False, False, False]
    SlateOutcome.objects.create(
        recommendation_id="r-1", placement="home", at=records.NOW, replay=False, listed=True, seen=[1, 2], clicked=[2],
        carted=[], bought=[2], revenues=[Decimal("2.50")], purchases=1,
    )  # fmt: skip
    story = query.story("r-1")
    assert story is not None
    assert [(place.item, place.seen, place.clicked, place.revenue) for place in story.places] == [
        (tea, True, False, None), (soap, True, True, Decimal("2.50")), (None, False, False, None),
    ]  # fmt: skip
