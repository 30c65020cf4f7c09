"""What the overview says in each state of an installation."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from analytics.queries.overview.watch import KEY
from recommendations.event_types import EventName
from recommendations.models import ApiKey, AttributedLine, Event, ModelVersion
from recommendations.services.access import keys
from recommendations.terms import MeasuredKind, RunStatus, Scope, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db


def text(client: Client, address: str = "/") -> str:
    return " ".join(client.get(address).content.decode().split())


def test_where_nothing_is_taken_twice_only_what_is_served_is_told_of(admin: Client, settings: Settings) -> None:
    live = records.version(records.run())
    for task, hits in ((Task.HOME, 0.27), (Task.DISCOVER, 0.56)):
        evaluation = records.measured(live, task, {("hybrid", MeasuredKind.HYBRID): 0.4})
        for row in evaluation.rows.all():
            row.metrics |= {"hit_rate@10": {"value": hits, "low": hits, "high": hits}}
            row.save()
    assert all(words in text(admin) for words in ("27 <small>of 100", "56 <small>of 100"))
    assert "What they earn" in text(admin)
    watched, viewer = records.item("film"), records.customer("viewer")
    for progress, list_of in ((0.95, "r-1"), (0.5, "r-1"), (1.0, None)):
        just_now = (records.NOW - timezone.now()) / timedelta(days=1)
        event = records.event(viewer, watched, days_ago=just_now, name=EventName.PLAY)
        Event.objects.filter(event_id=event.event_id).update(progress=progress, recommendation_id=list_of)
    settings.SHOP_DOMAIN = "video"
    page = text(admin)
    assert "What they earn" not in page
    assert "What comes of them" in page
    assert '<p class="headline-value">2</p>' in page
    assert "<dt>From lists</dt><dd>1</dd>" in page
    assert "$" not in page.partition('class="card earns"')[2].partition("</section>")[0]
    results = text(admin, "/overview/attributed/")
    assert "Attributed revenue" not in results
    assert "56 <small>of 100" in page
    assert "27 <small>of 100" not in page
    assert 'aria-current="true">First-time' in text(admin, "/quality/")


def test_the_three_answers_stand_in_order(admin: Client) -> None:
    live = records.version(records.run())
    kinds = MeasuredKind
    values = {("hybrid", kinds.HYBRID): 0.4, ("personal_frequency", kinds.BASELINE): 0.5}
    home = records.measured(live, Task.HOME, values)
    measures = "Accuracy also counts how high up in the list it stands; the bars count only whether it is there."
    assert measures not in text(admin)  # without bars
    for row in home.rows.all():
        row.metrics |= {"hit_rate@10": {"value": 0.8, "low": 0.7, "high": 0.9}}
        row.save()
    records.measured(live, Task.DISCOVER, {("hybrid", kinds.HYBRID): 0.06})
    page = text(admin)
    places = [page.index(title) for title in ("What they earn", "What needs you", "How well they work")]
    assert places == sorted(places)
    assert "20% less accurate than what they always buy" in page
    assert "Tested on 1,983 customers: learned from purchases up to Aug. 18, 2026, measured on those of the 28" in page
    assert '<a href="/quality/">How we measure</a>' in page
    assert measures in page
    assert "NDCG" not in page
    assert "Coverage" not in page


def test_revenue_of_a_replay_says_what_it_cannot_tell(admin: Client) -> None:
    line = {"event_id": uuid.uuid4(), "line": 0, "name": "purchase", "item": records.item("i"), "position": 1}
    AttributedLine.objects.create(
        occurred_at=timezone.now(), amount="1234.5", recommendation_id="r", placement="home", touch="event",
        replay=True, transaction_id="t", **line,
    )  # fmt: skip
    page = text(admin)
    assert '<p class="headline-value">$1,234</p>' in page  # 1,234.50, to the even
    assert "All of it comes from the demo's replay. Nobody saw those lists" in page
    assert "Only a control group can tell" in page
    assert "nobody saw them" in page  # in the place of a rate


def test_it_asks_the_database_little(admin: Client, django_assert_max_num_queries: Any) -> None:
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    records.measured(records.version(records.run()), Task.HOME, {("hybrid", MeasuredKind.HYBRID): 0.4})
    admin.get("/")
    with django_assert_max_num_queries(12):
        admin.get("/")


def test_nothing_needs_anybody(admin: Client) -> None:
    cache.clear()
    assert "Nothing needs you" in text(admin)


def test_alerts_say_what_to_do(admin: Client) -> None:
    now = timezone.now()
    records.event(records.customer("u"), records.item("i"), days_ago=(records.NOW - now).days + 3)
    version = records.version(records.run())
    ModelVersion.objects.filter(pk=version.pk).update(live_since=now - timedelta(days=5))
    records.run(created=now, status=RunStatus.FAILED, done=4)
    page = text(admin)
    assert "The last run failed at “Recommend · Test”." in page
    assert "The live model is 5 days old." in page
    assert page.index("The last run failed") < page.index("The live model is")
    assert '<a class="btn" href="/runs/">Go to runs</a>' in page


def test_the_alert_of_a_key_leads_to_the_key(admin: Client) -> None:
    key, _secret = keys.create_key(name="Till", scopes=[Scope.EVENTS_WRITE], by=None)
    ApiKey.objects.filter(pk=key.pk).update(seen_in_page_at=timezone.now())
    cache.delete(KEY)
    assert '<a class="btn" href="/setup/keys/">Open the key</a>' in text(admin)


@pytest.mark.parametrize("query", ["?days=7", "?days=x&task=y", "?days=91&task=discover", "?days=-1", "?task="])
def test_odd_parameters_are_as_if_absent(admin: Client, query: str) -> None:
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    assert admin.get(f"/{query}").status_code == 200
