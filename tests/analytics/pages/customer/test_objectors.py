"""What staff see of who does not want to be known: what they allow and how much is held, nothing that they did."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import Customer
from recommendations.privacy_terms import DataPurpose
from tests.analytics.pages.customer.conftest import text
from tests.objectors import object_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
NOW = timezone.now()
MOST_QUERIES = 12
TEA = re.compile(r"\bTea\b")
"""The word: three letters of a random token are none."""


def test_an_objector_is_on_no_page_but_their_own(merchandiser: Client, tea_drinker: Customer) -> None:
    code, item = tea_drinker.code, "Tea 0"
    assert item in text(merchandiser, f"/customers/{code}/")
    listed = text(merchandiser, "/customers/?q=tea&text=Tea")
    assert code in listed
    object_to(tea_drinker.pk, at=NOW)
    page = text(merchandiser, f"/customers/{code}/")
    assert "This customer objects to personalisation." in page
    assert not TEA.search(page)
    assert f"/customers/{code}/held/" in page
    merchandiser.cookies["django_language"] = "zh-hans"
    assert "该顾客反对个性化。" in text(merchandiser, f"/customers/{code}/")
    del merchandiser.cookies["django_language"]
    assert code not in text(merchandiser, "/customers/?text=Tea")
    assert not TEA.search(text(merchandiser, f"/customers/{code}/why/1/?placement=home"))


def test_the_page_says_what_they_allow_with_source_and_moment(merchandiser: Client, tea_drinker: Customer) -> None:
    reach = f"/customers/{tea_drinker.code}/reach/"
    assert text(merchandiser, reach).count("Never said") >= 2
    object_to(tea_drinker.pk, DataPurpose.MEASURE, at=NOW - timedelta(days=3))
    with CaptureQueriesContext(connection) as queries:
        page = re.sub(r"\s+", " ", text(merchandiser, reach))
    assert len(queries) <= MOST_QUERIES
    rows = re.findall(r'<tr> <th scope="row" class="lead-cell">(\w+) <small', page)
    assert rows[:2] == ["Personalise", "Measure"]
    assert "Refused" in page
    assert "The shop's server" in page
    assert "Every word on these purposes" in page
    assert (NOW - timedelta(days=3)).strftime("%Y-%m-%d") in page


def test_objections_are_counted_by_week(admin: Client, tea_drinker: Customer) -> None:
    assert "Nobody objected." in text(admin, "/privacy/")
    object_to(tea_drinker.pk, DataPurpose.MEASURE, DataPurpose.PERSONALISE, at=NOW)
    other = Customer.objects.exclude(pk=tea_drinker.pk).order_by("pk")[0]
    object_to(other.pk, at=NOW)
    object_to(other.pk, at=NOW - timedelta(weeks=9))
    page = re.sub(r"\s+", " ", text(admin, "/privacy/"))
    rows = re.findall(r'<td class="num">(\d)</td><td class="num">(\d)</td>', page)
    assert rows == [("2", "1"), *[("0", "0")] * 7]  # in order, also weeks without any
    assert "Nobody objected." not in page
