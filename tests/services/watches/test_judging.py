"""Alarms on hours whose counts are known by hand: onset, merging, ends, thin placements, outages and short days."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recommendations.models import Alarm, PlacementHour, RateWatch
from recommendations.services.watches.judging import judge_rates
from recommendations.watch_terms import AlarmDirection, WatchedRate
from tests.watch_records import HOUR, Columns, after, hours

pytestmark = pytest.mark.django_db

START = datetime(2026, 8, 3, tzinfo=UTC)  # a Monday
WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)
BROKEN = START + 6 * WEEK + DAY + 14 * HOUR  # a Tuesday, 14:00
USUAL = {"slates": 1_000, "clicked": 50, "bought": 20, "revenue": 200.0, "squares": 2_000.0}
FALLEN = {**USUAL, "clicked": 20}


@pytest.fixture(autouse=True)
def _clock(settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "UTC"


def broken(at: datetime) -> Columns:
    return FALLEN if at >= BROKEN else USUAL


def alarm(rate: WatchedRate = WatchedRate.CLICKS) -> Alarm:
    return Alarm.objects.get(rate=rate)


def watched(rate: WatchedRate = WatchedRate.CLICKS) -> RateWatch:
    return RateWatch.objects.get(rate=rate, placement="home")


def test_the_alarm_names_the_hour_from_which_clicks_are_down() -> None:
    """z = −.03 / √(.044 · .956 · .00125 + .0022²) = −3.96: each hour adds 1.14 to ln e, and ln 17,520 = 9.77: nine."""
    hours(START, BROKEN + 8 * HOUR, broken)
    assert judge_rates(after(BROKEN + 8 * HOUR)) == 0
    hours(BROKEN + 8 * HOUR, BROKEN + 9 * HOUR, broken)
    assert judge_rates(after(BROKEN + 9 * HOUR)) == 1
    raised = alarm()
    assert (raised.placement, raised.direction, raised.by_day) == ("home", AlarmDirection.FALL, False)
    assert (raised.onset, raised.raised_at) == (BROKEN, BROKEN + 9 * HOUR)
    assert raised.change == pytest.approx(-0.6)
    assert Alarm.objects.count() == 1  # nothing else moved


def test_what_is_judged_twice_is_judged_once() -> None:
    hours(START, BROKEN + 6 * HOUR, broken)
    judge_rates(after(BROKEN + 6 * HOUR))
    once = watched()
    judge_rates(after(BROKEN + 6 * HOUR))
    again = watched()
    assert (again.fall, again.fall_steps) == (pytest.approx(once.fall), once.fall_steps)
    assert once.fall_steps == 6


def test_after_an_outage_all_is_as_if_there_had_been_none() -> None:
    """One pass over thirteen hours after an outage, against a pass each hour."""
    end = BROKEN + 13 * HOUR
    hours(START, end, broken)
    for number in range(13, -1, -1):
        judge_rates(after(end - number * HOUR))
    names = ("rate", "onset", "raised_at", "times", "change")
    hourly, evidence = list(Alarm.objects.values_list(*names)), watched()
    Alarm.objects.all().delete()
    RateWatch.objects.all().delete()
    judge_rates(after(BROKEN - HOUR))
    judge_rates(after(end))
    assert list(Alarm.objects.values_list(*names)) == [(*row[:4], pytest.approx(row[4])) for row in hourly]
    assert len(hourly) == 1
    assert (watched().fall, watched().fall_steps) == (pytest.approx(evidence.fall), evidence.fall_steps)


def test_a_fall_that_goes_on_is_one_alarm_until_a_day_is_as_usual() -> None:
    mended = BROKEN + 20 * HOUR
    hours(START, mended + 48 * HOUR, lambda at: FALLEN if BROKEN <= at < mended else USUAL)
    judge_rates(after(mended))
    raised = alarm()
    assert (raised.times, raised.onset, raised.last_at) == (2, BROKEN, BROKEN + 18 * HOUR)
    judge_rates(after(mended + 21 * HOUR))  # 24 hours since it was last seen hold two that were down
    assert alarm().ended_at is None or alarm().ended_at == mended + 21 * HOUR
    judge_rates(after(mended + 24 * HOUR))
    assert alarm().ended_at is not None
    judge_rates(after(mended + 48 * HOUR))
    assert Alarm.objects.count() == 1


def test_what_somebody_has_seen_comes_back_only_half_as_bad_again() -> None:
    hours(START, BROKEN + 60 * HOUR, broken)
    judge_rates(after(BROKEN + 9 * HOUR))
    Alarm.objects.update(seen_at=BROKEN + 10 * HOUR)
    judge_rates(after(BROKEN + 40 * HOUR))
    assert (alarm().times, alarm().seen_at) == (4, BROKEN + 10 * HOUR)
    assert not Alarm.objects.unseen().exists()
    PlacementHour.objects.filter(placement="home", hour__gte=BROKEN + 40 * HOUR).update(clicked=1)
    judge_rates(after(BROKEN + 60 * HOUR))
    assert [(each.ended_at is None, each.seen_at is None) for each in Alarm.objects.order_by("pk")] == [
        (False, False), (True, True),
    ]  # fmt: skip


def test_a_placement_with_few_clicks_is_watched_by_the_day() -> None:
    """Two clicks an hour, 48 of 24,000 lists a day; then 12 a day.

    z = −36/24,000 over √(p (1 − p) · 1.25/24,000 + (.05 p)²) with p = 204/120,000: −5.0, so a day adds 3.7 to 6.59.
    """
    day = BROKEN.replace(hour=0)
    hours(
        START, day + 2 * DAY + HOUR,
        lambda at: {"slates": 1_000, "clicked": 2 if at < day else at.hour % 2},
    )  # fmt: skip
    judge_rates(after(day + 2 * DAY - HOUR))
    assert (watched().by_day, Alarm.objects.count()) == (True, 0)
    assert watched().watched_until == day + DAY
    judge_rates(after(day + 2 * DAY))
    raised = alarm()
    assert (raised.by_day, raised.onset, raised.raised_at) == (True, day, day + 2 * DAY)
    assert raised.change == pytest.approx(-0.75)


def test_nothing_is_watched_before_five_weeks() -> None:
    hours(START, START + 5 * WEEK - HOUR, lambda at: FALLEN if at >= START + 4 * WEEK else USUAL)
    judge_rates(after(START + 5 * WEEK - HOUR))
    assert watched().silent
    assert not Alarm.objects.exists()


def test_amounts_answers_without_the_model_and_slow_ones_raise_alarms_too() -> None:
    worse = {**USUAL, "revenue": 60.0, "squares": 600.0, "fallback": 100}
    hours(START, BROKEN + 30 * HOUR, lambda at: {"fallback": 20, **(worse if at >= BROKEN else USUAL)})
    for row in PlacementHour.objects.filter(placement="home", hour__gte=BROKEN):
        row.times = [0] * (len(row.times) - 1) + [1_000]
        row.save(update_fields=["times"])
    PlacementHour.objects.filter(placement="home", hour__gte=BROKEN).update(fallback=100)
    judge_rates(after(BROKEN + 30 * HOUR))
    raised = {row.rate: (row.direction, row.onset) for row in Alarm.objects.all()}
    assert raised == {
        WatchedRate.REVENUE: (AlarmDirection.FALL, BROKEN),
        WatchedRate.FALLBACK: (AlarmDirection.RISE, BROKEN),
        WatchedRate.SLOW: (AlarmDirection.RISE, BROKEN),
    }


def test_a_shop_that_falls_silent_is_alarmed_about_after_a_day() -> None:
    day = BROKEN.replace(hour=0)
    hours(START, day + DAY, lambda _at: USUAL)
    PlacementHour.objects.filter(placement="", hour__gte=day).update(events=0)
    judge_rates(after(day + DAY))
    raised = alarm(WatchedRate.EVENTS)
    assert (raised.placement, raised.onset, raised.change) == ("", day, -1)


@pytest.mark.parametrize(("start", "change"), [
    (date(2026, 2, 9), date(2026, 3, 29)),  # 23 hours
    (date(2026, 9, 14), date(2026, 10, 25)),  # 25 hours
])  # fmt: skip
def test_the_day_on_which_clocks_change_is_a_day_of_the_shop(start: date, change: date, settings: Any) -> None:
    """Clicks follow the shop's clock, few by night and many by day: held against the hour in UTC they would jump."""
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    zone = ZoneInfo("Europe/Berlin")
    begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (start, change + 5 * DAY))

    def by_clock(at: datetime) -> Columns:
        awake = 8 <= at.astimezone(zone).hour < 20
        return {"slates": 1_000, "clicked": 120 if awake else 20}

    hours(begin, end, by_clock)
    judge_rates(after(end))
    assert not watched().silent
    assert not Alarm.objects.exists()
    assert watched().watched_until == end
    assert max(watched().rise, watched().fall) == pytest.approx(0)


def test_in_the_hour_that_comes_twice_each_is_judged_once(settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00 in summer; an hour later it is 02:00 again
    hours(first - 6 * WEEK, first + 3 * HOUR, lambda _at: USUAL)
    for number in (1, 2, 3):
        judge_rates(after(first + number * HOUR))
    assert watched().watched_until == first + 3 * HOUR
    assert not Alarm.objects.exists()
