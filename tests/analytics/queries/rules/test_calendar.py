"""The calendar of rules: where bars stand, where they meet, and on which days something begins or ends."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.rules.calendar import RuleCalendar, Stretch, calendar
from analytics.queries.rules.overview import rules
from tests.analytics import rule_records as records

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday


@pytest.fixture(autouse=True)
def _shop() -> None:
    records.shop()


def weeks(around: date = MONDAY) -> RuleCalendar:
    return calendar(rules(now=NOW), around=around, now=NOW)


def places(found: RuleCalendar) -> dict[str, list[tuple[str, Stretch]]]:
    return {group.placement: [(bar.row.rule.name, bar.stretch) for bar in group.bars] for group in found.groups}


def test_bars_stand_where_rules_are_in_force() -> None:
    records.published(
        records.rule("Always"),
        records.rule("Week end", starts_at="2026-11-28T00:00", ends_at="2026-11-29T23:59"),
        records.rule("Half a day", placement="", starts_at="2026-11-24T06:00", ends_at="2026-11-24T18:00"),
        records.rule("Long over", ends_at="2026-11-01T00:00"),
    )
    records.rule("Draft", ends_at="2026-11-25T00:00")
    found = weeks()
    assert found.first == MONDAY
    assert found.now == 450
    assert places(found) == {
        "": [("Half a day", Stretch(125, 50))],
        "home": [("Always", Stretch(0, 1400)), ("Week end", Stretch(500, 200)), ("Draft", Stretch(0, 200))],
    }
    assert [bar.row.rule.name for bar in found.bars if bar.open] == ["Draft"]


def test_where_served_rules_of_a_placement_meet() -> None:
    records.published(
        records.rule("Always"),
        records.rule("Friday", starts_at="2026-11-27T00:00", ends_at="2026-11-28T00:00"),
        records.rule("Everywhere", placement="", starts_at="2026-11-27T12:00", ends_at="2026-11-29T00:00"),
        records.rule("Alone", placement="discover", ends_at="2026-11-24T00:00"),
    )
    records.rule("Draft")
    groups = {group.placement: group for group in weeks().groups}
    assert groups["home"].together == [Stretch(400, 50, 2), Stretch(450, 50, 3), Stretch(500, 100, 2)]
    assert groups["home"].most == 3
    assert (groups["discover"].together, groups["discover"].most) == ([], 0)


def test_a_changed_rule_stands_as_it_is_served() -> None:
    rule = records.rule("Friday", starts_at="2026-11-27T00:00", ends_at="2026-11-28T00:00")
    records.published(rule)
    type(rule).objects.update(starts_at=datetime(2026, 11, 30, tzinfo=UTC), ends_at=None)
    [bar] = weeks().bars
    assert (bar.stretch, bar.open, bar.row.status) == (Stretch(400, 100), False, "changed")


def test_the_agenda_says_what_begins_and_ends() -> None:
    records.published(
        records.rule("Always"), records.rule("Week end", starts_at="2026-11-28T00:00", ends_at="2026-11-29T23:59")
    )
    found = weeks()
    assert [bar.row.rule.name for bar in found.throughout] == ["Always"]
    told = [(day.day, [(turn.bar.row.rule.name, turn.begins) for turn in turns]) for day, turns in found.agenda]
    assert told == [(28, [("Week end", True)]), (29, [("Week end", False)])]
    assert weeks(date(2026, 12, 15)).now is None


def test_a_day_of_23_hours_is_as_wide_as_others() -> None:
    """The clocks go forward in Berlin on the 29th of March 2026."""
    with timezone.override(ZoneInfo("Europe/Berlin")):
        records.rule("Sunday", starts_at="2026-03-28T23:00:00+00:00", ends_at="2026-03-29T22:00:00+00:00")
        [bar] = weeks(date(2026, 3, 29)).bars
        assert bar.stretch == Stretch(600, 100)


def test_the_page_can_be_shared_and_paged(admin: Client) -> None:
    rule = records.rule("Christmas", starts_at="2031-12-24T00:00", ends_at="2031-12-26T23:59")
    records.published(rule)
    page = " ".join(admin.get("/rules/calendar/?from=2031-12-25").content.decode().split())
    assert 'id="weeks-title">22 Dec – 4 Jan</h2>' in page
    assert 'href="?from=2031-12-15"' in page
    assert 'href="?from=2031-12-29"' in page
    assert '<rect class="hue-4 " x="200" y="4" width="300" height="12"/>' in page
    assert 'class="now"' not in page
    assert "Boost or bury · 24 Dec 2031 00:00 – 26 Dec 2031 23:59" in page
    assert "No rule is in force in these weeks" in admin.get("/rules/calendar/").content.decode()
    for odd in ("1970-01-01", "9998-12-31", "never", "2026-02-31"):
        assert admin.get(f"/rules/calendar/?from={odd}").status_code == 200
