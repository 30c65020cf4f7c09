"""Numbers that somebody types into the admin and a column cannot hold: the form says so, the server does not fall."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations.models import ApiKey, Item, Placement, Promotion

pytestmark = pytest.mark.django_db
NUMBERS = [
    "1e-999", "5e-324", "1e400", "1e9999999999999999999", "9" * 5_000, "-1", "NaN", "1_000", "9223372036854775808",
    "9999999999.995", "٣", "9999999999 00:00:00",
]  # fmt: skip
NUMERIC = (forms.IntegerField, forms.FloatField, forms.DecimalField, forms.DurationField)


@pytest.fixture
def records() -> dict[str, Any]:
    item = Item.objects.create(shop_id="A1", title="Tea", price=1)
    week = timezone.now().date()
    return {
        "item": item,
        "promotion": Promotion.objects.create(item=item, week=week, mailer=1),
        "placement": Placement.objects.get(name="home"),
        "apikey": ApiKey.objects.create(name="x", prefix="p", digest="0" * 64, scopes=["events:write"]),
    }


class Fields(HTMLParser):
    """Fields of a page's forms as a browser would send them untouched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, Any] = {}
        self._select = self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        name = of.get("name") or ""
        if tag == "input" and name and of.get("type") not in {"submit", "file", "checkbox", "search"}:
            self.sent[name] = of.get("value") or ""
        elif tag == "input" and of.get("type") == "checkbox" and "checked" in of:
            self.sent[name] = of.get("value") or "on"
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in of:
            self.sent.setdefault(self._select, []).append(of.get("value") or "")
        elif tag == "textarea":
            self._text = name
            self.sent[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.sent[self._text] += data


@pytest.mark.parametrize("name", ["item", "promotion", "placement"])
def test_unstorable_numbers_in_a_form(admin: Client, records: dict[str, Any], name: str) -> None:
    address = reverse(f"admin:recommendations_{name}_change", args=[records[name].pk])
    admin.raise_request_exception = False
    page = admin.get(address)
    form, untouched = page.context["adminform"].form, Fields(page.content.decode()).sent
    assert admin.post(address, untouched).status_code == 302
    numeric = [field for field, kind in form.fields.items() if isinstance(kind, NUMERIC)]
    assert numeric
    for field in numeric:
        for number in NUMBERS:
            answer = admin.post(address, untouched | {field: number})
            assert answer.status_code in {200, 302}, (field, number)
            if answer.status_code == 200:
                assert answer.context["adminform"].form.errors, (field, number)


@pytest.mark.parametrize("name", ["item", "promotion", "placement"])
def test_unstorable_numbers_in_a_list_that_is_edited(admin: Client, records: dict[str, Any], name: str) -> None:
    address = reverse(f"admin:recommendations_{name}_changelist")
    admin.raise_request_exception = False
    page = admin.get(address)
    formset, untouched = page.context["cl"].formset, Fields(page.content.decode()).sent
    numeric = [
        form.add_prefix(field)
        for form in formset.forms[:1]
        for field, kind in form.fields.items()
        if isinstance(kind, NUMERIC)
    ]
    assert numeric
    for field in numeric:
        for number in NUMBERS:
            answer = admin.post(address, untouched | {field: number, "_save": "Save"})
            assert answer.status_code in {200, 302}, (field, number)


@pytest.mark.parametrize("name", ["item", "promotion", "placement", "apikey"])
def test_unstorable_numbers_in_an_address(admin: Client, records: dict[str, Any], name: str) -> None:
    admin.raise_request_exception = False
    listing = reverse(f"admin:recommendations_{name}_changelist")
    for number in NUMBERS:
        for parameter in ("p", "q", "id__exact", "department", "week"):
            assert admin.get(listing, {parameter: number}).status_code in {200, 302, 400}, (parameter, number)
        assert admin.get(f"{listing}{number}/change/").status_code in {200, 302, 404}, number
