"""Quiet hours against a walk minute by minute, around jumps of the clock."""

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from recommendations.engine.push.timing import QuietHours, allowed_from, first_jump

HOURS = [
    QuietHours(time(*start), time(*end))
    for start, end in (
        ((22, 0), (8, 0)), ((21, 30), (2, 30)), ((0, 0), (3, 0)), ((1, 0), (2, 0)), ((2, 0), (2, 30)),
        ((23, 0), (1, 59)), ((8, 0), (8, 0)), ((0, 0), (23, 59)),
    )
]  # fmt: skip


def walked(at: datetime, zone: ZoneInfo, quiet: QuietHours) -> datetime:
    if not quiet.hold(at.astimezone(zone).time()):
        return at
    step = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while quiet.hold(step.astimezone(zone).time()):
        step += timedelta(minutes=1)
    return step


def jumps(zone: ZoneInfo) -> list[datetime]:
    at, found = datetime(2026, 1, 1, tzinfo=UTC), []
    while at.year < 2028:
        jump = first_jump(at, at + timedelta(days=7), zone)
        found += [jump] if jump else []
        at += timedelta(days=7)
    return found


def test_the_earliest_moment_is_that_of_a_walk_by_minutes() -> None:
    rng, around = random.Random(0), 0
    for name in rng.sample(sorted(available_timezones()), 60):
        zone = ZoneInfo(name)
        moments = [jump + timedelta(minutes=rng.randrange(-720, 720)) for jump in jumps(zone) for _ in range(6)]
        around += len(moments)
        moments += [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(525_600)) for _ in range(10)]
        for at in moments:
            quiet = rng.choice(HOURS)
            assert allowed_from(at, zone, quiet) == walked(at, zone, quiet), (name, at, quiet)
    assert around > 300


def test_what_is_known_by_hand() -> None:
    paris, night = ZoneInfo("Europe/Paris"), QuietHours(time(21), time(8))
    assert allowed_from(datetime(2026, 9, 1, 20, 30, tzinfo=UTC), paris, night) == datetime(2026, 9, 2, 6, tzinfo=UTC)
    noon = datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert allowed_from(noon, paris, night) == noon
    assert allowed_from(noon, paris, QuietHours(time(8), time(8))) == noon  # none
