"""The calendar of campaigns: what was sent, waits and is planned, by the shop's days; shaded where limits bind."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.campaigns.calendar import CampaignCalendar, calendar
from recommendations.models import Campaign, CampaignVersion, Occurrence
from recommendations.push_terms import CampaignKind, MessageState
from tests.analytics.pages.campaigns.test_report import campaign
from tests.push_records import contact
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db


def day(shown: CampaignCalendar, of: date) -> Any:
    return next(each for each in shown.days if each.day == of)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def sending(now: datetime) -> Occurrence:
    """A campaign of every Thursday that sent two mails yesterday, and has one waiting."""
    occurrence = campaign(CampaignKind.RECURRING, weekdays=(4,), expected={"now": 40, "later": 2, "capped": 9})
    occurrence.due_at = now - timedelta(days=1)
    occurrence.counts = {"now": 3, "capped": 2, "outranked": 1, "too_little": 2, "no_address": 50, "would_send": 0}
    occurrence.save()
    own = {"campaign": occurrence.campaign, "version": occurrence.version, "occurrence": occurrence}
    for name, state in zip("abc", (MessageState.TAKEN, MessageState.UNKNOWN, MessageState.DUE), strict=True):
        at = now - timedelta(days=1)
        message(contact(name), **own, state=state, due_at=at, handed_at=None if state == "due" else at)
    Campaign.objects.exclude(pk=occurrence.campaign_id).delete()  # which the records of messages begin with
    return occurrence


def test_a_day_says_what_was_sent_and_waits_and_whom_limits_kept_back(sending: Occurrence, now: datetime) -> None:
    shown = calendar(around=timezone.localdate(now), now=now)
    yesterday = day(shown, timezone.localdate(now - timedelta(days=1)))
    [entry] = yesterday.entries
    assert (entry.campaign, entry.sent, entry.waiting, entry.sending) == (sending.campaign, 2, 1, sending.pk)
    assert (yesterday.limited, yesterday.shade) == (3 / 8, 2)
    assert (len(shown.days), shown.first.isoweekday()) == (28, 1)


def test_what_comes_is_planned_with_what_was_approved(sending: Occurrence, now: datetime) -> None:
    shown = calendar(around=timezone.localdate(now), now=now)
    planned = [(each.day, entry) for each in shown.days for entry in each.entries if entry.planned_at]
    assert planned
    assert all(of.isoweekday() == 4 and of >= timezone.localdate(now) for of, _ in planned)
    assert {entry.expected for _, entry in planned} == {42}
    sending.campaign.paused_at = now
    sending.campaign.save()
    CampaignVersion.objects.update(starts_at=now)
    paused = calendar(around=timezone.localdate(now), now=now)
    assert not [entry for each in paused.days for entry in each.entries if entry.planned_at]


@pytest.mark.parametrize("start", ["", "2026-01-07", "x", "9998-12-31", "1970-01-01", "2026-02-31"])
def test_weeks_stand_in_the_address(admin: Client, sending: Occurrence, start: str) -> None:
    page = admin.get("/campaigns/calendar/", {"from": start} if start else {})
    assert page.status_code == 200
    shown = page.context["calendar"]
    if start == "2026-01-07":
        assert (shown.first, shown.before, shown.after) == (date(2026, 1, 5), date(2025, 12, 29), date(2026, 1, 12))
        assert "Nothing was sent in these weeks" in page.content.decode()
    if not start:
        assert "38% kept back by limits" in page.content.decode()
