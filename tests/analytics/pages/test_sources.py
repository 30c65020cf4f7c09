"""The page of sources: what each key sent, which hours were unusual, how many purchases are confirmed."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import ApiKey, Event, SourceHour
from recommendations.services.access.keys import create_key
from recommendations.terms import Role, Scope, Trust
from tests.analytics import records
from tests.sources import send_for_weeks

pytestmark = pytest.mark.django_db
ADDRESS = "/catalogue/sources/"


def section(client: Client, key: ApiKey) -> str:
    page = client.get(ADDRESS).content.decode()
    found = re.search(rf'<section class="card" id="key-{key.pk}".*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def fact(part: str, words: str) -> str:
    found = re.search(rf"<dt>{words}</dt><dd[^>]*>([^<]*)</dd>", part)
    assert found is not None, words
    return found[1]


def test_without_keys_the_page_says_so(admin: Client) -> None:
    assert "No key yet" in admin.get(ADDRESS).content.decode()


def test_a_key_that_sent_nothing(admin: Client) -> None:
    key, _secret = create_key(name="Idle", scopes=[Scope.EVENTS_WRITE], by=None)
    assert "It sent no event." in section(admin, key)


def test_an_ordinary_page_and_a_flood(admin: Client) -> None:
    made = send_for_weeks(now=timezone.now())
    part = section(admin, made.page)
    hours = SourceHour.objects.filter(key=made.page, hour__gt=timezone.now() - timedelta(days=28))
    assert fact(part, "Lines of events") == f"{sum(hour.lines for hour in hours):,}"
    assert fact(part, "People in the busiest hour") == "700"
    assert fact(part, "Accepted without a name") == "18,400"
    assert fact(part, "Refused requests") == "31"
    assert part.count('level-4 unusual"') == part.count("unusual") - part.count("unusual-hours") == 1
    assert re.search(r"20,000 lines, [\d.]+ times what is usual; 86% of the people were new", " ".join(part.split()))
    assert "No hour was unusual." in section(admin, made.server)
    page = admin.get(ADDRESS).content.decode()
    assert page.index("Shop, pages") < page.index("Shop, server")


def test_a_new_key_has_no_usual_hours(admin: Client) -> None:
    key, _secret = create_key(name="New", scopes=[Scope.EVENTS_WRITE], by=None)
    SourceHour.objects.create(key=key, hour=timezone.now().replace(minute=0, second=0, microsecond=0), lines=90_000)
    told = "The key is less than a week old: too young to tell what is usual."
    assert told in section(admin, key)
    ApiKey.objects.filter(pk=key.pk).update(created_at=timezone.now() - timedelta(days=8))
    told = section(admin, key)
    assert "less than a week old" not in told
    assert "90,000 lines, where usually none come" in told


def test_the_share_of_confirmed_purchases(
    admin: Client, valkey: redis.Redis, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    made = send_for_weeks(now=timezone.now())
    who, what = records.customer("u"), records.item("tea")
    for number, sender in enumerate((made.page, made.page, made.page, made.page, made.server)):
        event = records.event(who, what, days_ago=0)
        trust = Trust.SERVER if sender == made.server else Trust.PAGE
        order = "t3" if sender == made.server else f"t{number}"
        Event.objects.filter(pk=event.pk).update(
            key_id=sender.pk, trust=trust, transaction_id=order, occurred_at=timezone.now() - timedelta(hours=1)
        )
    assert fact(section(admin, made.page), "of them confirmed") == "25%"
    assert fact(section(admin, made.server), "of them confirmed") == "100%"


def test_the_hours_as_a_file(admin: Client) -> None:
    made = send_for_weeks(now=timezone.now())
    answer = admin.get(ADDRESS, {"format": "csv"})
    rows = list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))
    assert rows[0][:5] == ["Key", "Prefix", "Where it is used", "Hour", "Lines"]
    [flood] = [row for row in rows if row[-1] == "1"]
    assert flood[:3] == ["Shop, pages", made.page.prefix, "In a page or an app"]
    assert flood[4:14] == ["20000", "700", "600", "0", "18400", "0", "0", "0", "0", "31"]


def test_few_queries_and_everybody_may_look(client_of: Callable[[Role], Client]) -> None:
    send_for_weeks(now=timezone.now())
    viewer = client_of(Role.VIEWER)
    viewer.get(ADDRESS)
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(ADDRESS).status_code == 200
    assert len(queries) <= 12


@pytest.mark.parametrize(("who", "may"), [("admin", True), ("viewer", False)])
def test_what_a_key_sent_can_be_set_aside_from_here(client_of: Callable[[Role], Client], who: str, may: bool) -> None:
    made = send_for_weeks(now=timezone.now())
    client = client_of(Role(who))
    link = f"/catalogue/suspicious/key/?key={made.page.pk}"
    assert (link in section(client, made.page)) is may
    if may:
        assert "Received since" in client.get(link).content.decode()


def test_a_purchase_of_a_page_is_marked_until_the_server_tells_of_it(admin: Client) -> None:
    who, what = records.customer("u"), records.item("tea")
    page = records.event(who, what, days_ago=0)
    Event.objects.filter(pk=page.pk).update(trust=Trust.PAGE, transaction_id="t1")
    for address in ("/events/", f"/customers/{who.code}/"):
        assert "not confirmed" in admin.get(address).content.decode()
    server = records.event(who, what, days_ago=0)
    Event.objects.filter(pk=server.pk).update(trust=Trust.SERVER, transaction_id="t1")
    for address in ("/events/", f"/customers/{who.code}/"):
        told = admin.get(address).content.decode()
        assert "not confirmed" not in told
        assert told.count("confirmed by the server") == 1


def test_webhooks_are_sources_too(admin: Client, settings: LazySettings) -> None:
    assert "Order webhooks" not in admin.get(ADDRESS).content.decode()
    settings.SHOPIFY_WEBHOOK_SECRET = "hush-hush"
    page = admin.get(ADDRESS).content.decode()
    assert "Shopify: <code>/api/v1/hooks/shopify/</code>" in page
    assert "/catalogue/arrivals/?source=shopify" in page
