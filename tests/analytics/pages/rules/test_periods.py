"""Ready periods of a rule: the shop's own days, at the end of a week and where the clocks change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from analytics.pages.rules.form import EditorForm
from analytics.pages.rules.periods import periods
from recommendations.models import Rule
from recommendations.services.rules.form import ShopTimeField
from tests.analytics import rule_records as records


def spans(today: date) -> dict[str, tuple[str | None, str | None]]:
    return {each.code: (each.starts_at, each.ends_at) for each in periods(today)}


def test_a_week_ends_on_its_sunday() -> None:
    thursday, sunday, monday = date(2026, 11, 26), date(2026, 11, 29), date(2026, 11, 30)
    assert spans(thursday) == {
        "today": ("2026-11-26T00:00", "2026-11-26T23:59"),
        "week": ("2026-11-26T00:00", "2026-11-29T23:59"),
        "always": ("", ""),
        "custom": (None, None),
    }
    assert spans(sunday)["week"] == spans(sunday)["today"] == ("2026-11-29T00:00", "2026-11-29T23:59")
    assert spans(monday)["week"] == ("2026-11-30T00:00", "2026-12-06T23:59")


def test_a_day_begins_at_its_first_minute_where_the_clocks_skip_midnight() -> None:
    """In Cairo the clocks go forward from 0:00 to 1:00 on the last Friday of April."""
    with timezone.override(ZoneInfo("Africa/Cairo")):
        assert spans(date(2026, 4, 24))["today"] == ("2026-04-24T01:00", "2026-04-24T23:59")


def test_a_rule_ends_with_the_later_of_two_equal_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Santiago the clocks go back from 24:00 to 23:00, so that 23:59 comes twice on the 4th of April."""
    monkeypatch.setattr(timezone, "get_default_timezone", lambda: ZoneInfo("America/Santiago"))
    first, second = (ShopTimeField(second=second).clean("2026-04-04T23:59") for second in (False, True))
    assert (first, second) == (datetime(2026, 4, 5, 2, 59, tzinfo=UTC), datetime(2026, 4, 5, 3, 59, tzinfo=UTC))


@pytest.mark.django_db
def test_a_period_is_taken_without_a_script_and_typed_times_win(admin: Client) -> None:
    records.shop()
    today = timezone.localdate()
    week = spans(today)["week"]
    form = EditorForm.sent(QueryDict(f"period=week&starts_at=&ends_at=&today={today}"))
    assert (form.texts["starts_at"], form.texts["ends_at"]) == week
    typed = EditorForm.sent(QueryDict("period=week&starts_at=2030-01-01T08:00&ends_at="))
    assert (typed.texts["starts_at"], typed.texts["ends_at"]) == ("2030-01-01T08:00", "")
    assert typed.chosen_period.code == "custom"
    admin.post("/rules/new/", records.form(period="today"))
    rule = Rule.objects.get()
    assert rule.starts_at is not None
    assert rule.ends_at is not None
    assert timezone.localtime(rule.starts_at).date() == timezone.localtime(rule.ends_at).date() == today
    page = " ".join(admin.get(f"/rules/{rule.pk}/").content.decode().split())
    assert 'name="period" value="today" checked' in page


@pytest.mark.django_db
def test_the_list_says_the_times_of_a_schedule(admin: Client) -> None:
    records.shop()
    year = timezone.localdate().year
    records.rule(starts_at=f"{year}-11-26T00:00", ends_at=f"{year}-11-29T23:59")
    records.rule("Some day", starts_at="2031-02-03T18:30")
    page = " ".join(admin.get("/rules/").content.decode().split())
    assert "<span>26 Nov 00:00 –</span> <span>29 Nov 23:59</span>" in page
    assert "<span>from 3 Feb 2031 18:30</span>" in page
