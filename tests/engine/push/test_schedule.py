"""When campaigns come."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from recommendations.engine.push.schedule import moments
from recommendations.push_terms import CampaignKind

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 10, 21, 10, tzinfo=UTC)  # a Wednesday


def keys(kind: CampaignKind, *, days: float, since: float = -1, **fields: Any) -> list[str]:
    values = {"starts_at": START, "ends_at": None, "weekdays": (), "hour": None, "zone": PARIS, **fields}
    after, until = START + timedelta(days=since), START + timedelta(days=days)
    return [f"{each.key} {each.at:%H:%M}" for each in moments(kind, after=after, until=until, **values)]


def test_once_comes_once() -> None:
    assert keys(CampaignKind.ONCE, days=-0.1) == []
    assert keys(CampaignKind.ONCE, days=10) == ["1 10:00"]
    assert keys(CampaignKind.ONCE, days=10, since=0) == []


def test_a_recurring_one_comes_on_its_days_and_first_when_it_starts() -> None:
    assert keys(CampaignKind.RECURRING, days=8, weekdays=(3, 5)) == [
        "2026-10-21 10:00", "2026-10-23 00:00", "2026-10-28 00:00",
    ]  # fmt: skip


def test_an_hour_that_is_over_on_the_first_day_is_that_of_the_next() -> None:
    days: dict[str, Any] = {"days": 8, "weekdays": (3,)}  # it starts on a Wednesday at noon, in Paris
    assert keys(CampaignKind.RECURRING, hour=time(17), **days) == ["2026-10-21 10:00", "2026-10-28 00:00"]
    assert keys(CampaignKind.RECURRING, hour=time(11, 59), **days) == ["2026-10-28 00:00"]
    assert keys(CampaignKind.TRIGGERED, days=0.4, hour=time(9)) == ["2026-10-21 10:00"]


def test_a_day_begins_with_midnight_where_the_shop_is_also_when_its_clock_is_set_back() -> None:
    stops = list(
        moments(
            CampaignKind.RECURRING, starts_at=START, ends_at=None, weekdays=(6, 7, 1), hour=None, zone=PARIS,
            after=START, until=START + timedelta(days=6),
        )
    )  # fmt: skip
    assert [each.at.astimezone(UTC) for each in stops] == [
        datetime(2026, 10, 23, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    ]  # fmt: skip


def test_a_triggered_one_runs_every_day_until_it_ends() -> None:
    ends = START + timedelta(days=2)
    assert keys(CampaignKind.TRIGGERED, days=9, ends_at=ends) == [
        "2026-10-21 10:00", "2026-10-22 00:00", "2026-10-23 00:00",
    ]  # fmt: skip
