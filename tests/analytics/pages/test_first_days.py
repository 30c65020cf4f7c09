"""Pages of an installation that has nothing yet."""

import pytest
from django.test import Client

from recommendations.models import Customer
from tests.analytics import records

pytestmark = pytest.mark.django_db


def test_no_customers(admin: Client) -> None:
    page = admin.get("/customers/").content.decode()
    assert "No customers yet" in page
    assert "manage.py import_events" in page
    assert admin.get("/customers/random/")["Location"] == "/customers/"


def test_a_customer_before_the_first_model(admin: Client) -> None:
    who = records.customer("u")
    records.event(who, records.item("i", title="Green tea"), days_ago=1)
    page = admin.get(f"/customers/{who.code}/").content.decode()
    assert "No model yet" in page
    assert "Green tea" in page
    assert Customer.objects.count() == 1


def test_no_items_no_segments_no_pairs(admin: Client) -> None:
    for address, words in (
        ("/catalogue/", "No items yet"),
        ("/catalogue/items/", "No items yet"),
        ("/segments/", "No segments yet"),
        ("/segments/together/", "No pairs yet"),
    ):
        assert words in admin.get(address).content.decode(), address
    assert admin.get("/segments/1/").status_code == 404


def test_a_catalogue_before_the_first_model(admin: Client) -> None:
    what = records.item("i", title="Green tea")
    page = admin.get("/catalogue/").content.decode()
    assert "no model yet" in page
    assert "No curve yet" in page
    assert "No list yet" in page
    assert "There is no model yet." in admin.get(f"/catalogue/{what.pk}/").content.decode()
    assert "Green tea" in admin.get("/catalogue/items/").content.decode()
