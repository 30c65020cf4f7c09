"""Suspicious demand: the list, a quarantine's page with its actions, and what a key sent."""

import html
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from analytics.queries.catalogue import suspicious as query
from analytics.queries.catalogue.suspicious import described
from analytics.templatetags.suspicion import sentence
from recommendations.customer_codes import customer_code
from recommendations.event_types import EventName
from recommendations.models import ApiKey, AuditEntry, Event, Quarantine, Staff
from recommendations.services.access import keys
from recommendations.services.operations import quarantine as services
from recommendations.terms import QuarantineState, Role, Scope, SuspicionRule, Trust
from tests.analytics import quarantines, records

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12
PAGE = "/catalogue/suspicious/"
MAY = {Role.PUBLISHER, Role.ADMIN}


def text(client: Client, address: str, *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return html.unescape(answer.content.decode())


def page_of(quarantine: Quarantine) -> str:
    return f"{PAGE}{quarantine.pk}/"


def sentences(page: str) -> list[str]:
    return re.findall(r'href="/catalogue/suspicious/\d+/">([^<]+)</a>', page)


@pytest.fixture
def twins() -> Quarantine:
    return quarantines.twins(quarantines.items(), run=records.run())


def test_nothing_is_set_aside_and_the_page_says_what_is_looked_for(admin: Client) -> None:
    page = text(admin, PAGE)
    assert "Nothing is set aside: each run looks for customers who share items that hardly anyone buys" in page
    assert "Nothing was ever set aside" in page
    assert 'name="state"' not in page
    assert "Nothing matches" in text(admin, f"{PAGE}?state=deleted")


def test_each_rule_has_its_sentence(admin: Client, twins: Quarantine) -> None:
    rare = quarantines.items_of(twins)
    who = records.customer("robot")
    quarantines.of_people(SuspicionRule.RUSH, [who], rare[:1], events=12)
    quarantines.of_items(rare[:2])
    quarantines.of_people(SuspicionRule.PACE, [who, records.customer("other")], events=1_240)
    staff = Staff.objects.get()
    services.set_aside_customer(customer=who, by=staff, note="It scrapes")
    page = text(admin, PAGE)
    came = "they came within a week for 1 item that regular customers hardly ask for"
    assert sentences(page) == [
        f"0 events of {who.code} are set aside: “It scrapes” ({staff}).",
        "1,240 events of 2 customers are set aside: they act like clockwork.",
        "What customers who never bought did with 2 items since Sept. 8, 2026 is set aside: many came at once.",
        f"12 events of 1 customer are set aside: {came}.",
        "27 events of 9 customers are set aside: they share 3 items that hardly anyone buys.",
    ]
    assert f'href="/runs/{twins.run_id}/"' in page
    with translation.override("zh-hans"):
        chinese = sentence(described(Quarantine.objects.filter(pk=twins.pk)).get())
    assert chinese == "9 位顾客的 27 个事件已隔离：他们都涉及 3 种极少有人购买的商品。"  # noqa: RUF001


def test_the_first_line_counts_each_event_once(admin: Client, twins: Quarantine) -> None:
    """Who is in two quarantines, and whose acts a third one covers by their items, did them once."""
    rare = quarantines.items_of(twins)
    quarantines.of_people(SuspicionRule.RUSH, [aside.customer for aside in twins.asides.all() if aside.customer], rare)
    Event.objects.update(trust=Trust.PAGE, received_at=records.NOW - timedelta(days=1))
    quarantines.of_items(rare)
    assert "27 events of 9 customers are set aside, nothing is learned from them." in text(admin, PAGE)


def test_the_list_is_filtered_and_paged(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "PER_PAGE", 2)
    who = records.customer("robot")
    made = [quarantines.of_people(SuspicionRule.PACE, [who], events=n) for n in range(2, 6)]
    Quarantine.objects.filter(pk=made[0].pk).update(state=QuarantineState.RESTORED)
    assert [each.split()[0] for each in sentences(text(admin, f"{PAGE}?page=2"))] == ["3", "2"]
    page = text(admin, f"{PAGE}?state=restored")
    assert sentences(page) == ["2 events of 1 customer count again: they act like clockwork."]
    assert 'class="chip" href="?"' in page
    for odd in ("state=never", "page=x", "page=999999999999999999999", "state=%00"):
        assert len(sentences(text(admin, f"{PAGE}?{odd}"))) == 2


def test_a_quarantine_names_its_people_its_items_and_its_days(admin: Client, twins: Quarantine) -> None:
    rare = quarantines.items_of(twins)
    regular = records.customer("regular")
    records.event(regular, rare[0], days_ago=60)
    records.event(regular, rare[0], days_ago=3)
    page = text(admin, page_of(twins))
    assert "It currently covers 27 events." in page
    people = page[page.index('id="people-title"') :]
    assert len(re.findall(r'href="/customers/C-\w+/">C-\w+</a>', people)) == quarantines.TWINS
    assert people.count("3 / 3") == quarantines.TWINS
    assert people.count("nothing is learned from them yet") == quarantines.TWINS
    listed = page[page.index('id="items-title"') : page.index('id="people-title"')]
    assert re.findall(r'/catalogue/\d+/">([^<]+)', listed) == ["Rare 0", "Rare 1", "Rare 2"]
    figure = json.loads(re.search(r'data-figure-for="days">(.+?)</script>', page).group(1))  # type: ignore[union-attr]
    established, others = (trace["y"] for trace in figure["data"])
    assert (sum(established), max(others), sum(others)) == (1, 27, 27)


def test_who_may_not_decide_sees_no_button(client_of: Callable[[Role], Client], twins: Quarantine) -> None:
    for role in Role:
        client = client_of(role)
        page = text(client, page_of(twins))
        assert ('data-opens="restore"' in page) is (role in MAY), role
        assert ('<dialog id="delete"' in page) is (role in MAY), role
        assert ('id="key-title"' in text(client, PAGE)) is (role in MAY), role


@pytest.mark.parametrize(
    ("action", "state", "done"),
    [
        ("restore", "restored", "It counts again from the next run on."),
        ("delete", "deleted", "Its events are deleted for good within a minute."),
    ],
)
def test_a_decision_needs_a_note_and_is_made_once(
    admin: Client, twins: Quarantine, action: str, state: str, done: str
) -> None:
    address = page_of(twins)
    admin.post(f"{address}{action}/", {"note": " \x00 "})
    assert "Say why. Nothing was changed." in text(admin, address)
    twins.refresh_from_db()
    assert twins.state == QuarantineState.ASIDE
    assert admin.post(f"{address}{action}/", {"note": "A viral video"})["Location"] == address
    page = text(admin, address)
    assert done in page
    assert "“A viral video”" in page
    assert 'data-opens="restore"' not in page
    assert AuditEntry.objects.get().note == "A viral video"
    admin.post(f"{address}restore/", {"note": "Once more"})
    assert "Someone decided before you, so nothing was changed." in text(admin, address)
    twins.refresh_from_db()
    assert (twins.state, twins.note) == (state, "A viral video")
    assert "Nothing is set aside" in text(admin, PAGE)


def test_a_deleted_quarantine_keeps_its_sentence(admin: Client, twins: Quarantine) -> None:
    admin.post(f"{page_of(twins)}delete/", {"note": "Fakes"})
    assert services.sweep() == 27
    page = text(admin, page_of(twins))
    assert "27 events of 9 customers were deleted: they share 3 items that hardly anyone buys." in page
    assert page.count("nothing is learned from them yet") == quarantines.TWINS
    rush = quarantines.of_items(quarantines.items_of(twins))
    admin.post(f"{page_of(rush)}delete/", {"note": "Fakes"})
    services.sweep()
    told = "What customers who never bought did with 3 items since Sept. 8, 2026 was deleted: many came at once."
    assert told in text(admin, page_of(rush))


def test_there_is_no_such_quarantine(admin: Client) -> None:
    text(admin, f"{PAGE}999999/", status=404)
    for action in ("restore", "delete"):
        assert admin.post(f"{PAGE}999999/{action}/", {"note": "x"}).status_code == 404


def test_few_queries(admin: Client, twins: Quarantine) -> None:
    quarantines.of_items(quarantines.items_of(twins))
    for address in (PAGE, page_of(twins), "/catalogue/"):
        text(admin, address)
        with CaptureQueriesContext(connection) as queries:
            text(admin, address)
        assert len(queries) <= MOST_QUERIES, [each["sql"][:150] for each in queries]


@pytest.fixture
def key() -> ApiKey:
    """A key of a page that sent five events of two customers, the last two a week later."""
    stored, _secret = keys.create_key(name="Shop page", scopes=[Scope.EVENTS_WRITE], by=None)
    people, thing = [records.customer("a"), records.customer("b")], records.item("tea")
    for number in range(5):
        records.event(people[number % 2], thing, days_ago=1, name=EventName.VIEW_ITEM)
    lines = list(Event.objects.order_by("event_id"))
    for number, line in enumerate(lines):
        received = records.NOW - timedelta(days=1 if number < 2 else 8)
        Event.objects.filter(event_id=line.event_id).update(key_id=stored.pk, received_at=received)
    return stored


def test_what_a_key_sent_is_counted_before_it_is_set_aside(admin: Client, key: ApiKey) -> None:
    query = f"key={key.pk}&since=2026-09-01T00:00"
    page = text(admin, f"{PAGE}key/?{query}")
    assert re.search(
        r"<strong>5 events</strong> of <strong>2 customers</strong> came since Sept. 1, 2026, midnight with", page
    )
    assert "What the key sends from now on is set aside, too, until you end it." in page
    assert not Quarantine.objects.exists()
    narrower = text(admin, f"{PAGE}key/?{query}&until=2026-09-10T00:00")
    assert "<strong>3 events</strong>" in narrower
    assert "What came in from Sept. 10, 2026, midnight on is not touched." in narrower
    sent = {"key": key.pk, "since": "2026-09-01T00:00", "until": "2026-09-10T00:00"}
    refused = admin.post(f"{PAGE}key/", sent | {"note": " "})
    assert refused.status_code == 422
    assert "Say why. Nothing was changed." in refused.content.decode()
    answer = admin.post(f"{PAGE}key/", sent | {"note": "It leaked"}, follow=True)
    stored = Quarantine.objects.get()
    assert (stored.events, stored.rule, stored.reason) == (3, SuspicionRule.STAFF, "It leaked")
    page = html.unescape(answer.content.decode())
    assert answer.redirect_chain == [(page_of(stored), 302)]
    told = f"3 events that came with the key “Shop page” are set aside: “It leaked” ({Staff.objects.get()})."
    assert told in page
    assert "It is set aside: a run that starts from now on learns nothing from it." in page
    assert "Received from Sept. 1, 2026, midnight until Sept. 10, 2026, midnight with the key “Shop page”." in page
    again = text(admin, f"{PAGE}key/?{query}")
    assert "3 events of them are set aside already." in again
    entry = AuditEntry.objects.get(verb="set aside")
    assert (entry.after["key"], entry.after["events"]) == (str(key), 3)
    admin.post(f"{page_of(stored)}delete/", {"note": "Robots"})
    assert services.sweep() == 3
    page = text(admin, page_of(stored))
    assert told.replace("are set aside", "were deleted") in page
    assert "“Robots”" in page


def test_what_a_key_still_sends_is_set_aside_until_somebody_ends_it(admin: Client, key: ApiKey) -> None:
    admin.post(f"{PAGE}key/", {"key": key.pk, "since": "2026-09-01T00:00", "note": "It leaked"})
    stored = Quarantine.objects.get()
    page = text(admin, page_of(stored))
    assert "It continues: what the key sends from now on is set aside as it comes in." in page
    people = page[page.index('id="people-title"') :]
    assert people.count('<th scope="row"') == 2
    assert "tea" in page[page.index('id="items-title"') : page.index('id="people-title"')]
    alert = "Everything the key “Shop page” sends is set aside as it comes in."
    cache.clear()
    assert alert in text(admin, "/")
    admin.post(f"{page_of(stored)}end/")
    page = text(admin, page_of(stored))
    assert "It ends here: what the key sends from now on counts." in page
    assert "It continues" not in page
    cache.clear()
    assert alert not in text(admin, "/")
    admin.post(f"{page_of(stored)}end/")
    assert "It had ended already, so nothing was changed." in text(admin, page_of(stored))
    assert [entry.verb for entry in AuditEntry.objects.filter(object_type="quarantine").order_by("pk")] == [
        "set aside",
        "end",
    ]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("key=999999&since=2026-09-01T00:00", "not one of the available choices"),
        ("since=2026-09-01T00:00", "This field is required."),
        ("key={key}&since=never", "Enter a valid date/time."),
        ("key={key}&since=0001-01-01T00:00", "Enter a year from 1970 on."),
        ("key={key}&since=2026-09-01T00:00&until=9999-12-31T00:00", "Enter a year from 1970 on."),
        ("key={key}&since=2026-09-01T00:00&until=2026-08-01T00:00", "It must be later than the start."),
        ("key=%00&since=%00", "Enter a valid date/time."),
    ],
)
def test_an_odd_time_or_key_is_refused_at_its_field(admin: Client, key: ApiKey, sent: str, told: str) -> None:
    address = f"{PAGE}key/?{sent.format(key=key.pk)}"
    page = text(admin, address)
    assert told in page
    assert 'name="note"' not in page
    assert admin.post(address, {"note": "x"}).status_code == 422


def test_the_form_of_a_key_begins_a_day_ago(admin: Client, key: ApiKey) -> None:
    page = text(admin, f"{PAGE}key/?key={key.pk}")
    assert "This field is required." not in page
    assert f'<option value="{key.pk}" selected>' in page
    since = re.search(r'name="since" value="([^"]+)"', page)
    assert since
    ago = timezone.now() - timezone.make_aware(datetime.fromisoformat(since[1]))
    assert timedelta(hours=23) < ago < timedelta(hours=25)


def test_a_key_that_sent_nothing(admin: Client, key: ApiKey) -> None:
    page = text(admin, f"{PAGE}key/?key={key.pk}&since=2027-01-01T00:00")
    assert "Nothing came with this key in this time" in page
    assert 'name="note"' not in page


def test_a_customer_is_set_aside_from_their_page_with_a_note(
    admin: Client, client_of: Callable[[Role], Client], key: ApiKey
) -> None:
    who = records.customer("u")
    records.event(who, records.item("wine"), days_ago=2)
    address = f"/customers/{who.code}/"
    page = text(admin, address)
    assert "Confirmed</span> 1 purchase confirmed by the shop" in page
    assert '<dialog id="set-aside"' in page
    assert 'data-opens="set-aside"' not in text(client_of(Role.MERCHANDISER), address)
    admin.post(f"{address}set-aside/", {"note": ""})
    assert "Say why. Nothing was changed." in text(admin, address)
    assert not Quarantine.objects.exists()
    admin.post(f"{address}set-aside/", {"note": "A reseller"})
    stored = Quarantine.objects.get()
    page = text(admin, address)
    assert "It is set aside: a run that starts from now on learns nothing from it." in page
    assert re.search(rf'href="{page_of(stored)}">.*Set aside since .+ by The admin</a>', page)
    assert 'data-opens="set-aside"' not in page
    admin.post(f"{address}set-aside/", {"note": "Once more"})
    assert "It is set aside already, so nothing was changed." in text(admin, address)
    assert Quarantine.objects.count() == 1
    services.restore(quarantine=stored, by=None, note="Genuine", now=records.NOW)
    assert 'data-opens="set-aside"' in text(admin, address)


def test_whom_a_run_set_aside_is_told_on_their_page(admin: Client, twins: Quarantine) -> None:
    who = customer_code(twins.asides.all()[0].customer_id)
    page = text(admin, f"/customers/{who}/")
    assert re.search(rf'href="{page_of(twins)}">.*Set aside since [^<]+</a>', page)
    assert "New</span> nothing is learned from them yet" in page
