"""Segments as the page has them, from a picture made by hand: per customer, against everybody, against last run."""

import numpy as np
import pytest

from analytics.queries.segments import overview, together
from recommendations.engine.interests.behaviour import Behaviour
from recommendations.engine.interests.drift import Drift
from recommendations.engine.interests.projection import Projection
from recommendations.models import AssociationRule, Category, ModelVersion, Segment
from recommendations.services.operations.segments import Picture
from tests.analytics import records

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> ModelVersion:
    return records.version(records.run())


@pytest.fixture
def drawn(model: ModelVersion) -> Picture:
    """Segment 7 has three members, 2 has one; there is interest in tea and in wine."""
    tea, wine = (Category.objects.create(path=name, name=name) for name in ("Tea", "Wine"))
    top = [{"category": tea.pk, "name": "Tea", "share": 0.8}, {"category": wine.pk, "name": "Wine", "share": 0.2}]
    Segment.objects.create(number=7, size=3, version=model, top_categories=top, name="Tea people")
    Segment.objects.create(number=2, size=1, version=model, top_categories=top[::-1], automatic_name="Tea & Wine")
    return Picture(
        numbers=np.asarray([7, 2], np.int32),
        interests=np.asarray([[0.8, 0.2], [0, 1]], np.float32),
        categories=np.asarray([tea.pk, wine.pk], np.int64),
        overall=np.asarray([0.6, 0.4], np.float32),
        projection=Projection(
            centres=np.asarray([[1, 0], [-1, 0]], np.float32),
            users=np.asarray([0, 1, 3], np.int32),
            points=np.asarray([[0.9, 0], [0.8, 0], [-0.9, 0]], np.float32),
        ),
        behaviour=Behaviour(
            members=np.asarray([3.0, 1]), active=np.asarray([1.0, 1]), acts=np.asarray([30.0, 2]),
            baskets=np.asarray([6.0, 0]), spend=np.asarray([90.0, 0]),
        ),
        drift=Drift(
            size_before=np.asarray([2, -1], np.int32),
            kept=np.asarray([0.5, np.nan], np.float32),
            moved=np.asarray([0.02, np.nan], np.float32),
        ),
        users=np.asarray([11, 12, 13, 14], np.int64),
        of_users=np.asarray([7, 7, 7, 2], np.int32),
    )  # fmt: skip


def test_buying_of_a_segment_is_per_customer(model: ModelVersion, drawn: Picture) -> None:
    rows = overview.groups(model.pk, drawn)
    first, second = rows.groups
    assert (str(first.segment), first.share, first.percent) == ("Tea people", 0.75, 75.0)
    assert first.buying == overview.Buying(active=pytest.approx(1 / 3), acts=10, baskets=2, spend=30, basket=15)
    assert second.buying is not None
    assert second.buying.basket == 0  # no basket, and no division
    assert rows.everybody is not None
    assert rows.everybody.spend == 22.5
    assert (first.attributes[0].share, first.attributes[0].overall) == (0.8, pytest.approx(0.6))


def test_where_interests_have_moved_since_the_name_was_given_stands_beside_it(
    model: ModelVersion, drawn: Picture
) -> None:
    tea = Segment.objects.get(number=2)
    assert [group.today for group in overview.groups(model.pk, drawn).groups] == [
        "",
        "",
    ]  # staff's; the other way round
    Segment.objects.filter(pk=tea.pk).update(automatic_name="Limes & Bananas")
    assert [group.today for group in overview.groups(model.pk, drawn).groups] == ["", "Wine & Tea"]


def test_categories_of_one_name_are_told_apart_by_their_parents(model: ModelVersion, drawn: Picture) -> None:
    for path in ("Meat", "Bakery"):
        parent = Category.objects.create(path=path, name=path)
        Category.objects.create(path=f"{path} > Frozen", name="Frozen", parent=parent)
    top = [
        {"category": each.pk, "name": each.name, "share": 0.1}
        for each in Category.objects.filter(name__in=["Frozen", "Tea"]).order_by("-path")
    ]
    Segment.objects.filter(number=7).update(top_categories=top)
    group = overview.groups(model.pk, drawn).groups[0]
    assert [each.words for each in group.attributes] == ["Tea", "Frozen (Meat)", "Frozen (Bakery)"]


def test_drift_is_told_by_segment(model: ModelVersion, drawn: Picture) -> None:
    rows = overview.groups(model.pk, drawn)
    changes = [group.change for group in rows.groups]
    assert rows.compared
    assert changes[0] == overview.SegmentChange(size_before=2, kept=0.5, moved=pytest.approx(0.02), grown=0.5)
    assert changes[0].unstable  # fewer than six in ten stayed
    assert changes[1] == overview.SegmentChange(size_before=-1, kept=None, moved=None, grown=None)


def test_a_version_without_a_picture_still_has_its_segments(model: ModelVersion, drawn: Picture) -> None:
    rows = overview.groups(model.pk, None)
    assert [group.segment.size for group in rows.groups] == [3, 1]
    assert (rows.groups[0].buying, rows.groups[0].change, rows.everybody, rows.compared) == (
        None,
        None,
        None,
        False,
    )
    assert overview.groups(None, None).groups == []


def test_the_map_has_the_centres_and_the_customers_that_are_drawn(model: ModelVersion, drawn: Picture) -> None:
    rows = overview.groups(model.pk, drawn)
    assert [(each.number, each.x, each.size) for each in overview.centres(rows, drawn)] == [(7, 1, 3), (2, -1, 1)]
    assert [(each.number, round(each.x, 1)) for each in overview.points(drawn)] == [(7, 0.9), (7, 0.8), (2, -0.9)]


def test_only_categories_above_the_overall_share_set_a_segment_apart(model: ModelVersion, drawn: Picture) -> None:
    assert [(each.words, round(each.share, 2)) for each in overview.attributes(7, drawn)] == [("Tea", 0.8)]


def test_pairs_are_found_from_both_ends_and_drawn_once(model: ModelVersion) -> None:
    tea, cup, milk = (records.item(name, title=name.title()) for name in ("tea", "cup", "milk"))
    for first, then, baskets, lift in ((tea, cup, 9, 3.0), (cup, tea, 9, 3.0), (milk, tea, 4, 5.0)):
        AssociationRule.objects.create(
            version=model, antecedents=[first.pk], consequent=then, baskets=baskets, support=0.1, confidence=0.5,
            lift=lift, p_value=0.001,
        )  # fmt: skip

    def pairs(**filters: object) -> list[tuple[str, str]]:
        _page, found = together.together(together.Filters(**filters), model=model.pk)  # type: ignore[arg-type]
        return [(first.shop_id, rule.consequent.shop_id) for first, rule in found]

    assert pairs() == [("tea", "cup"), ("cup", "tea"), ("milk", "tea")]
    assert pairs(sort="-lift")[0] == ("milk", "tea")
    assert pairs(text="MIL") == [("milk", "tea")]
    assert pairs(text="cup", baskets=5) == [("tea", "cup"), ("cup", "tea")]
    assert pairs(baskets=10) == []
    result = together.drawn(together.Filters(), model=model.pk)
    assert [(node.words, node.links) for node in result.nodes] == [("Tea", 2), ("Cup", 1), ("Milk", 1)]
    assert [lift for *_, lift in result.edges] == [3.0, 5.0]
    assert together.drawn(together.Filters(), model=None).nodes == []
