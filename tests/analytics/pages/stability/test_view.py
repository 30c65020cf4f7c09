"""The page of stability: empty, too early, ringing; what is seen leaves it, and comes back when that is undone."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone, translation

from analytics.queries.layout import read_frame
from analytics.queries.overview.alerts import alerts
from analytics.queries.overview.summary import Answers
from analytics.queries.overview.watch import KEY
from analytics.templatetags.display import day, moment
from recommendations.models import (
    Alarm,
    AuditEntry,
    ModelVersion,
    RateWatch,
    RuleBook,
    Run,
    Slate,
    StabilityReading,
    Staff,
)
from recommendations.services.access import audit
from recommendations.services.watches.judging import judge_rates
from recommendations.services.watches.pictures import first_count_at
from recommendations.terms import Role, VersionStatus
from tests.watch_records import HOUR, after, hours

pytestmark = pytest.mark.django_db
NOBODY = Answers(total=0, personalised=0, fallback=0, groups=[], replayed=0, lengths={})


def page(client: Client, address: str = "/stability/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def ringing(**fields: Any) -> Alarm:
    now = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    given: dict[str, Any] = {
        "rate": "clicks", "placement": "home", "direction": "fall", "onset": now - 3 * HOUR, "raised_at": now,
        "last_at": now, "change": -0.19,
    }  # fmt: skip
    return Alarm.objects.create(**given | fields)


def published(at: Any) -> None:
    ana = Staff.objects.create_user("ana@example.com", "correct horse", role=Role.PUBLISHER, name="Ana")
    entry = audit.record(by=ana, verb="publish", subject=RuleBook(number=8))
    AuditEntry.objects.filter(pk=entry.pk).update(at=at)


def test_a_shop_without_data(admin: Client) -> None:
    text = page(admin)
    assert "Nothing is counted yet" in text
    assert text.count("Nothing to compare yet") == 2


def test_a_shop_whose_first_lists_are_not_counted_yet(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lists at 10:20 it says at 10:55 that the hour is counted at 11:07; where that was missed, an hour later."""
    ten = timezone.now().replace(minute=0, second=0, microsecond=0)
    Slate.objects.create(
        served_at=ten + timedelta(minutes=20), recommendation_id="r-1", placement="home", source="model",
        personalised=True, items=[], scores=[], propensities=[],
    )  # fmt: skip
    due = [first_count_at(ten + timedelta(minutes=minute)) for minute in (55, 66, 68)]
    assert due == [ten + timedelta(minutes=minute) for minute in (67, 67, 127)]
    clock = SimpleNamespace(now=lambda: ten + timedelta(minutes=55))
    monkeypatch.setattr("analytics.pages.stability.view.timezone", clock)
    text = page(admin)
    assert "Nothing is counted yet" in text
    assert f"The first count comes {moment(due[0])}:" in text
    assert "Counting begins with the first lists" not in text


def test_a_shop_with_too_little_data(admin: Client) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours(end - timedelta(days=3), end, lambda _at: {"slates": 100, "clicked": 15})
    judge_rates(after(end))
    text = page(admin)
    assert "Too early for alarms" in text
    assert f"The first rate is judged from {day(end + timedelta(days=32))} on." in text
    assert "Counted until" in text
    assert "Judged until" not in text
    assert "Not watched: fewer than five weeks of data" in text
    assert 'data-figure-for="rate-chart"' in text
    chosen = page(admin, "/stability/?rate=clicks&placement=home")
    assert "15.00%" in chosen
    assert "Clicks at “For you”</h2>" in chosen
    assert "<td>For you</td>" in chosen
    assert "Events a day" in page(admin, "/stability/?rate=events&placement=")
    assert "Too early for alarms" in page(admin, "/stability/?rate=nonsense&placement=%00")


def test_a_shop_of_which_only_the_events_are_judged(admin: Client) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours(end - timedelta(days=40), end, lambda at: {"slates": 100 * (at >= end - timedelta(days=10)), "clicked": 0})
    judge_rates(after(end))
    text = page(admin)
    assert "What is watched is as usual" in text
    assert "1 of 6 rates is watched" in text
    assert f"the next from {day(end + timedelta(days=25))} on, at the earliest." in text
    assert "Everything is as usual" not in text
    RateWatch.objects.update(silent=False)
    assert "Everything is as usual" in page(admin)


def test_an_alarm_says_what_was_done_shortly_before(admin: Client) -> None:
    own = ringing()
    published(own.onset - timedelta(minutes=5))
    text = page(admin)
    onset, at = timezone.localtime(own.onset), timezone.localtime(own.onset) - timedelta(minutes=5)
    assert f"Clicks at “For you”: down 19% since {onset:%A %H:%M}." in text
    assert f"{at:%H:%M} Ana published Rule version r8" in text


def test_overview_has_the_alarm_with_its_cause(settings: Any) -> None:
    settings.DEMO = False
    own = ringing(by_day=True)
    published(own.onset - timedelta(minutes=5))
    ringing(rate="revenue", direction="rise", change=0.4)
    ringing(rate="interests", placement="", direction="rise", change=0.234)
    cache.delete(KEY)
    lines = {line.text: line for line in alerts(read_frame(), None, NOBODY, now=timezone.now())}
    onset, at = timezone.localtime(own.onset), timezone.localtime(own.onset) - timedelta(minutes=5)
    text = f"Clicks at “For you”: down 19% since {onset:%A}. Shortly before: {at:%H:%M} Ana published Rule version r8."
    assert (lines[text].level, lines[text].address) == ("warning", "/stability/?rate=clicks&placement=home")
    assert [line.level for words, line in lines.items() if words.startswith("Revenue at “For you”: up 40%")] == ["info"]
    shifted = "What customers are interested in changed more than is usual with the last run: a shift of 0.23."
    assert lines[shifted].address == "/stability/"


def test_in_chinese(admin: Client) -> None:
    ringing()
    with translation.override("zh-hans"):
        admin.cookies["django_language"] = "zh-hans"
        text = page(admin)
    assert "“猜你喜欢”的点击自" in text
    assert "起下降 19%。" in text


def test_what_is_seen_rings_no_more_until_that_is_undone(client_of: Callable[[Role], Client]) -> None:
    client, own = client_of(Role.MERCHANDISER), ringing()
    answer = client.post(f"/stability/{own.pk}/seen/", follow=True)
    text = answer.content.decode()
    assert not Alarm.objects.unseen().exists()
    assert "1 alarm of the last eight weeks is over" in text
    assert "seen by The merchandiser" in text
    token = next(str(each.extra_tags) for each in answer.context["messages"])
    client.post("/undo/", {"token": token, "back": "/stability/"})
    assert Alarm.objects.unseen().get() == own
    assert client.post("/stability/999/seen/").status_code == 404


def test_shifts_and_changes_of_the_last_runs(admin: Client) -> None:
    now = timezone.now()
    versions = [
        ModelVersion.objects.create(run=Run.objects.create(now=now), status=VersionStatus.READY) for _ in range(2)
    ]
    churn = {
        "customers": 500, "whole": 0.123, "settings": True, "noise": 0.021,
        "parts": {"model": 0.08, "weights": 0.031, "rules": 0.012, "catalogue": 0.0},
    }  # fmt: skip
    shift = {
        "interests": {"psi": 0.012, "js": 0.002, "noise": 0.004},
        "popularity": {"psi": 1.5, "js": 0.2, "noise": 4.7},
    }
    StabilityReading.objects.create(version=versions[0], at=now - timedelta(days=1))
    StabilityReading.objects.create(version=versions[1], before=versions[0], at=now, churn=churn, shifts=shift)
    text = page(admin)
    for words in (
        "12.3%",
        "8.0%",
        "3.1%",
        "1.2%",
        "2.1%",
        "new settings, too",
        "0.012",
        "0.004",
        ">0.100<",
        ">14.100<",
    ):
        assert words in text
    assert f"{versions[1]} against {versions[0]}" in text
    assert text.count('data-figure-for="') == 2
    words = (
        "With the last run lists changed by 12.3%, most of that because of new data and new settings. "
        "From chance alone they would change by 2.1%."
    )
    assert text.count(words) == 2  # beside the picture, and where it is read aloud
    assert f"{words} The table below holds the same numbers." in text


@pytest.mark.parametrize(
    ("whole", "noise", "parts", "words"),
    [
        (0.0, 0.0, {"model": 0.0}, "The last run changed no list. From chance alone nothing would change."),
        (0.02, 0.03, {"model": 0.02}, "changed by 2%, no more than from chance alone (3%)."),
        (0.05, 0.01, {"model": 0.01, "settings": 0.04}, "because of new settings. From chance alone they would change"),
        (0.05, None, {"rules": 0.05}, "because of other rules. What would change from chance alone is not known"),
    ],
)
def test_what_is_said_of_a_change(
    admin: Client, whole: float, noise: float | None, parts: dict[str, float], words: str
) -> None:
    now = timezone.now()
    version = ModelVersion.objects.create(run=Run.objects.create(now=now), status=VersionStatus.READY)
    every = dict.fromkeys(("model", "weights", "rules", "catalogue"), 0.0) | parts
    churn = {"customers": 500, "whole": whole, "settings": "settings" in parts, "parts": every, "noise": noise}
    StabilityReading.objects.create(version=version, at=now, churn=churn)
    text = page(admin)
    assert words in text
    assert "new settings, too" not in text
    assert ("New settings" in text) is True
    admin.cookies["django_language"] = "zh-hans"
    assert "最近一次运行" in page(admin)
