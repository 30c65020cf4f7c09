"""Alerts name what is wrong and where to look."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.cache import cache

from analytics.queries.layout import read_frame
from analytics.queries.overview.alerts import alerts
from analytics.queries.overview.summary import Answers
from analytics.queries.overview.watch import KEY
from demo.models import Replay
from recommendations.models import ApiKey, DueLine, Evaluation, Measurement, ModelVersion, Quarantine, SourceHour
from recommendations.services.access import keys
from recommendations.services.operations import quarantine as services
from recommendations.terms import Cut, MeasuredKind, RunStatus, Scope, Side, SuspicionRule, Task, Trust
from tests.analytics import quarantines, records
from tests.sources import send_for_weeks

pytestmark = pytest.mark.django_db
NOBODY = Answers(total=0, personalised=0, fallback=0, groups=[], replayed=0, lengths={})


def measured(*, coverage: float) -> None:
    version = ModelVersion.objects.create(run=records.run())
    run = Evaluation.objects.create(
        version=version,
        cut=Cut.TEST,
        task=Task.HOME,
        window_start=records.SPLIT,
        window_end=records.NOW,
        users=9,
        seed=1,
    )
    figures = {"coverage@10": {"value": coverage, "low": coverage, "high": coverage}}
    Measurement.objects.create(evaluation=run, name="hybrid", kind=MeasuredKind.HYBRID, metrics=figures)


@pytest.fixture(autouse=True)
def nothing_remembered(settings: LazySettings) -> None:
    cache.delete(KEY)
    settings.DEMO = False


def told(answers: Answers = NOBODY) -> list[tuple[str, str, str]]:
    return [(a.level, a.text, a.address) for a in alerts(read_frame(), None, answers, now=records.NOW)]


def test_falling_coverage() -> None:
    measured(coverage=0.10)
    assert told() == []  # nothing to compare with
    measured(coverage=0.09)
    assert told() == []  # within what is usual
    measured(coverage=0.05)
    assert told() == [("warning", "Coverage fell from 9.0% to 5.0% of the catalogue with the last run.", "/quality/")]


def test_stale_events_and_fallbacks() -> None:
    records.event(records.customer("u"), records.item("tea"), days_ago=5)
    answers = Answers(total=10, personalised=0.5, fallback=0.5, groups=[], replayed=0, lengths={})
    assert told(answers) == [
        ("warning", "No event for 5 days. Is the shop still sending?", "/events/"),
        ("warning", "50% of the lists did not come from the model.", "/answers/"),
    ]


def test_where_the_demo_s_data_end_is_explained_and_no_alarm(settings: LazySettings) -> None:
    settings.DEMO = True
    records.event(records.customer("u"), records.item("tea"), days_ago=5)
    [(level, text, address)] = told()
    assert (level, address) == ("info", "/events/")
    assert text.startswith("The demo's data end on Sept. 10, 2026, so nothing has come in since.")


def test_a_replay_that_goes_on_raises_no_alert_of_stale_events() -> None:
    records.event(records.customer("u"), records.item("tea"), days_ago=5)
    replay = Replay.objects.create(starts_at=records.NOW, shift_weeks=0, status=RunStatus.RUNNING)
    assert told() == []
    replay.status = RunStatus.SUCCEEDED
    replay.save()
    assert [text for _, text, _ in told()] == ["No event for 5 days. Is the shop still sending?"]


def test_a_key_of_a_server_that_a_browser_sent() -> None:
    key, _secret = keys.create_key(name="Till", scopes=[Scope.EVENTS_WRITE], by=None)
    assert told() == []
    cache.delete(KEY)
    ApiKey.objects.filter(pk=key.pk).update(seen_in_page_at=records.NOW)
    [(level, text, address)] = told()
    assert (level, address) == ("danger", "/setup/keys/")
    assert text == (
        f"A request from a browser carried the server key “Till” ({key.prefix}…). If it is in a page, replace it."
    )


def test_lines_that_wait_and_lines_that_were_put_aside() -> None:
    at = records.NOW
    event = records.event(records.customer("u"), records.item("tea"), days_ago=0)
    line = DueLine.objects.create(occurred_at=event.occurred_at, event_id=event.event_id, line=0, due_at=at)
    assert told() == []
    DueLine.objects.filter(pk=line.pk).update(due_at=at - timedelta(minutes=11))
    cache.delete(KEY)
    assert told() == [("danger", "Sales have not been attributed for 11 minutes. Do the workers run?", "")]
    DueLine.objects.filter(pk=line.pk).update(fault="numeric field overflow")
    cache.delete(KEY)
    assert [text for _, text, _ in told()] == [
        "1 line could not be attributed and was put aside; the log of the workers says why."
    ]


def test_what_a_run_set_aside_lately_and_nobody_decided_on() -> None:
    who = records.customer("robot")
    first, second = (quarantines.of_people(SuspicionRule.PACE, [who]) for _ in range(2))
    services.set_aside_customer(customer=who, by=None, note="Staff know of what they set aside themselves")
    Quarantine.objects.update(created_at=records.NOW - timedelta(days=6))
    [(level, text, address)] = told()
    assert (level, address) == ("warning", "/catalogue/suspicious/")
    assert text == "2 kinds of suspicious demand were set aside in the last 7 days. Restore what is genuine."
    services.restore(quarantine=first, by=None, note="A crowd", now=records.NOW)
    cache.delete(KEY)
    assert [text for _, text, _ in told()] == [
        "A run set suspicious demand aside in the last 7 days. Restore it if it is genuine."
    ]
    Quarantine.objects.filter(pk=second.pk).update(created_at=records.NOW - timedelta(days=8))
    cache.delete(KEY)
    assert told() == []


def test_purchases_that_anybody_can_invent(settings: LazySettings) -> None:
    settings.PURCHASES_FROM = Trust.PAGE
    assert told() == [
        ("warning", "Purchases come from browsers, where anyone can invent them. Let your server send them.", "")
    ]


def test_a_flood_of_events_and_of_new_people() -> None:
    made = send_for_weeks(now=records.NOW)
    address = f"/catalogue/sources/#key-{made.page.pk}"
    flood = "“Shop, pages” sent 20,000 lines of events in one hour, far more than is usual"
    nameless = (
        "“Shop, pages”, or one address with it, brought more new people than the quota: 18,400 events of the last day "
        "have no name."
    )
    assert [alert for alert in told() if "Shop" in alert[1]] == [
        ("warning", f"{flood}; 86% of the people were new.", address),
        ("warning", nameless, address),
    ]


def test_customers_whom_pages_named_without_proof() -> None:
    key, _secret = keys.create_key(name="Pages", scopes=[Scope.EVENTS_WRITE], by=None, side=Side.PAGE)
    hour = SourceHour.objects.create(key=key, hour=records.NOW.replace(minute=0, second=0, microsecond=0), unproven=19)
    assert told() == []
    hour.unproven = 20
    hour.save()
    cache.clear()
    [(_level, text, address)] = told()
    assert text.startswith("20 events of the last day that came with “Pages” named a customer without a valid proof")
    assert address == f"/catalogue/sources/#key-{key.pk}"


def test_a_flood_of_the_day_before_is_no_alert_any_more() -> None:
    send_for_weeks(now=records.NOW - timedelta(days=1))
    assert not [alert for alert in told() if "Shop" in alert[1]]
