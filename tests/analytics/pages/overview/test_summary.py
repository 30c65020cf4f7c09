"""What the overview says in each state of an installation."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from analytics.queries.overview.watch import KEY
from recommendations.models import ApiKey, ModelVersion
from recommendations.services.access import keys
from recommendations.terms import MeasuredKind, RunStatus, Scope, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db


def text(client: Client, address: str = "/") -> str:
    return " ".join(client.get(address).content.decode().split())


def test_first_steps_are_shown_until_all_are_done(admin: Client) -> None:
    page = text(admin)
    assert "First steps" in page
    assert "No events yet" in page
    assert "Nothing measured yet" in page
    assert "No answer in this period" in page
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    records.version(records.run())
    records.published("home")
    assert "First steps" in text(admin)
    ApiKey.objects.create(name="shop", prefix="abc", digest="0" * 64, scopes=[])
    assert "First steps" not in text(admin)


def test_the_first_line_is_the_figure_with_its_interval_and_protocol(admin: Client) -> None:
    live = records.version(records.run())
    kinds = MeasuredKind
    values = {
        ("hybrid", kinds.HYBRID): 0.4,
        ("popular", kinds.BASELINE): 0.2,
        ("personal_frequency", kinds.BASELINE): 0.5,
    }
    records.measured(live, Task.HOME, values)
    records.measured(live, Task.DISCOVER, {("hybrid", kinds.HYBRID): 0.06})
    page = text(admin)
    assert "NDCG@10, 95% interval 0.390 to 0.410" in page
    assert "+100%</strong> against the most popular items" in page
    assert '<strong class="down">−20%</strong> against what the customer buys most' in page
    assert "Global time split at Aug. 18, 2026" in page
    assert "measured on what was bought in the 28 days after. Next purchases: 1,983 customers." in page
    assert page.index("How good are the recommendations?") < page.index("The last run of the loop")
    assert '<td class="num">0.390 – 0.410</td>' in page
    assert 'href="/quality/?task=home"' in page
    assert 'href="/quality/?task=discover"' in page


def test_the_strip_shows_the_six_stages_in_order(admin: Client) -> None:
    records.run()
    page = text(admin)
    places = [
        page.index(f"{stage}<span")
        for stage in ("Collect", "Preprocess", "Interests", "Recommend", "Evaluate", "Adjust")
    ]
    assert places == sorted(places)
    assert "<strong>12</strong> new events" in page


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
    assert '<a href="/runs/">View</a>' in page


def test_the_alert_of_a_key_leads_to_the_key(admin: Client) -> None:
    key, _secret = keys.create_key(name="Till", scopes=[Scope.EVENTS_WRITE], by=None)
    ApiKey.objects.filter(pk=key.pk).update(seen_in_page_at=timezone.now())
    cache.delete(KEY)
    assert f'<a href="/admin/recommendations/apikey/{key.pk}/change/">Open the key</a>' in text(admin)


@pytest.mark.parametrize("query", ["?days=7", "?days=x&task=y", "?days=91&task=discover", "?days=-1", "?task="])
def test_odd_parameters_are_as_if_absent(admin: Client, query: str) -> None:
    records.event(records.customer("u"), records.item("i"), days_ago=0)
    assert admin.get(f"/{query}").status_code == 200
