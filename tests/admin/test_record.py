"""Customers, events, imports and placements in the admin."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.admin import estimates
from recommendations.models import AuditEntry, Customer, Event, Import, Item, Placement, RejectedRow
from recommendations.services.access.policy import POLICY, Action
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.terms import Role

EVENTS = reverse("admin:recommendations_eventlisting_changelist")
CUSTOMERS = reverse("admin:recommendations_customer_changelist")


def event(number: int, **fields: object) -> Event:
    values: dict[str, object] = {
        "occurred_at": timezone.now() - timedelta(minutes=number),
        "name": "view_item",
        **fields,
    }
    return Event.objects.create(event_id=f"00000000-0000-4000-8000-{number:012}", **values)


def ids(client: Client, address: str, **parameters: object) -> list[int]:
    answer = client.get(address, parameters)
    assert answer.status_code == 200
    return [int(row.event_id.hex[-6:]) for row in answer.context["cl"].result_list]


@pytest.mark.django_db
def test_events_are_found_by_customer_item_transaction_and_id(admin: Client) -> None:
    ann = Customer.objects.create(pseudonym=pseudonym("ann"))
    shoe = Item.objects.create(shop_id="SHOE", title="Shoe")
    event(1, customer=ann, item=shoe)
    event(2, item=shoe)
    event(3, name="purchase", transaction_id="t-77")
    assert ids(admin, EVENTS) == [1, 2, 3]
    assert ids(admin, EVENTS, q="ann") == ids(admin, EVENTS, q=ann.code) == [1]
    assert ids(admin, EVENTS, q="SHOE") == [1, 2]
    assert ids(admin, EVENTS, q="t-77") == [3]
    assert ids(admin, EVENTS, q="00000000-0000-4000-8000-000000000002") == [2]
    assert ids(admin, EVENTS, q="nobody") == []
    assert ids(admin, EVENTS, name__exact="purchase") == [3]


@pytest.mark.django_db
def test_the_month_filter_follows_the_partitions(admin: Client) -> None:
    now = timezone.now()
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    event(1, occurred_at=first)
    event(2, occurred_at=first - timedelta(microseconds=1))
    before = first - timedelta(days=1)
    assert ids(admin, EVENTS, month=f"{first:%Y-%m}") == [1]
    assert ids(admin, EVENTS, month=f"{before:%Y-%m}") == [2]
    assert ids(admin, EVENTS, month="1066-10") == []


@pytest.mark.django_db
def test_many_events_are_not_counted(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        event(number)
    monkeypatch.setattr(estimates, "COUNTED", 1)
    monkeypatch.setattr(estimates, "MOST_PAGES", 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE recommendations_event")
    with CaptureQueriesContext(connection) as queries:
        answer = admin.get(EVENTS)
    assert [query["sql"] for query in queries if "COUNT(" in query["sql"]] == []
    assert answer.context["cl"].result_count >= 3
    assert answer.context["cl"].paginator.num_pages == 1


@pytest.mark.django_db
def test_customers_are_found_by_the_shops_own_id_which_is_shown_nowhere(admin: Client) -> None:
    ann = Customer.objects.create(pseudonym=pseudonym("ann-the-shopper"))
    Customer.objects.create(pseudonym=pseudonym("bob"))
    answer = admin.get(CUSTOMERS, {"q": "ann-the-shopper"})
    assert list(answer.context["cl"].result_list) == [ann]
    assert pseudonym("ann-the-shopper").hex()[:12] in answer.content.decode()
    assert list(admin.get(CUSTOMERS, {"q": ann.code}).context["cl"].result_list) == [ann]
    assert list(admin.get(CUSTOMERS, {"q": "nobody"}).context["cl"].result_list) == []
    page = admin.get(reverse("admin:recommendations_customer_change", args=[ann.pk])).content.decode()
    assert pseudonym("ann-the-shopper").hex() in page
    assert reverse("customer", args=[ann.pk]) in page


@pytest.mark.django_db
def test_an_import_leads_to_the_rows_it_refused(admin: Client) -> None:
    ours = Import.objects.create(kind="items", file="ours.csv", rejected=1, reasons={"unknown_item": 1})
    other = Import.objects.create(kind="items", file="other.csv", rejected=1)
    for source in (ours, other):
        RejectedRow.objects.create(source=source, line=7, field="title", reason="Empty.", content=f"<b>{source}</b>")
    address = f"{reverse('admin:recommendations_rejectedrow_changelist')}?source__id__exact={ours.pk}"
    assert address in admin.get(reverse("admin:recommendations_import_changelist")).content.decode()
    answer = admin.get(address)
    assert [row.source for row in answer.context["cl"].result_list] == [ours]
    assert "<b>ours" not in answer.content.decode()
    page = admin.get(reverse("admin:recommendations_import_change", args=[ours.pk])).content.decode()
    assert "1 × The catalogue has no such item; import the items first." in page


def save_placements(client: Client, **changes: str) -> int:
    """Post the list with the first placement changed."""
    rows = list(Placement.objects.order_by("id"))
    form: dict[str, str] = {"form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": str(len(rows)), "_save": "Save"}
    for place, row in enumerate(rows):
        values = {
            "id": str(row.pk),
            "n": str(row.n),
            "attribution_window": str(row.attribution_window),
            "enabled": "on",
            **(changes if place == 0 else {}),
        }
        form |= {f"form-{place}-{name}": value for name, value in values.items() if value}
    return int(client.post(reverse("admin:recommendations_placement_changelist"), form).status_code)


@pytest.mark.django_db
def test_a_placement_is_set_with_a_trail(admin: Client) -> None:
    first = Placement.objects.order_by("id")[0]
    assert save_placements(admin, n="7", enabled="") == 302
    first.refresh_from_db()
    assert (first.n, first.enabled) == (7, False)
    assert AuditEntry.objects.values_list("before", "after").get() == (
        {"n": 20, "enabled": True},
        {"n": 7, "enabled": False},
    )
    assert save_placements(admin, n="101") == 200
    first.refresh_from_db()
    assert first.n == 7


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_only_admins_set_placements_as_the_policy_says(signed_in: Callable[[Role], Client], role: Role) -> None:
    save_placements(signed_in(role), n="7")
    assert Placement.objects.order_by("id")[0].n == (7 if role in POLICY[Action.SET_PLACEMENTS] else 20)
    assert POLICY[Action.SET_PLACEMENTS] == {Role.ADMIN}


@pytest.mark.django_db
def test_a_changed_placement_is_announced(
    admin: Client, valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        save_placements(admin, n="7")
    assert valkey.hget(fetch.CHANGED, "placements") is not None
