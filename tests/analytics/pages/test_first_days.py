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
    page = admin.get(f"/customers/{who.pk}/").content.decode()
    assert "No model yet" in page
    assert "Green tea" in page
    assert Customer.objects.count() == 1
