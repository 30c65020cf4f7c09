"""What stands in the frame of every page."""

import pytest
from pytest_django import DjangoAssertNumQueries

from analytics.queries.layout import DEMO_CLOCK, LiveWeights, read_frame
from recommendations.models import ShopSetting
from recommendations.terms import RunStatus
from tests.analytics import records

pytestmark = pytest.mark.django_db


def test_a_new_installation_has_nothing_live(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        frame = read_frame()
    assert (frame.demo, frame.demo_data) == (True, False)
    assert (frame.model, frame.live_since, frame.tested_until, frame.newest_event, frame.clock_weeks) == (None,) * 4 + (
        0,
    )
    assert frame.weights == ()


def test_the_frame_has_live_versions_and_the_newest_event(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    records.version(records.run(), live=False)
    live = records.version(records.run())
    records.published("home", number=3)
    records.published("discover", number=2)
    records.event(records.customer("u"), records.item("i"), days_ago=2)
    newest = records.event(records.customer("v"), None, days_ago=1)
    ShopSetting.objects.create(key=DEMO_CLOCK, value={"shift_weeks": 464})
    with django_assert_num_queries(1):
        frame = read_frame()
    assert (frame.model, frame.live_since, frame.tested_until) == (live.pk, records.NOW, records.SPLIT)
    assert frame.newest_event == newest.occurred_at
    assert frame.weights == (LiveWeights(blend="For you", number=3), LiveWeights(blend="Discover", number=2))
    assert (frame.clock_weeks, frame.demo_data) == (464, True)


def test_a_version_that_failed_is_not_live() -> None:
    records.version(records.run(status=RunStatus.FAILED), live=False)
    assert read_frame().model is None
