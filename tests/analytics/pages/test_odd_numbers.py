"""Numbers that somebody types into a form of the dashboard and nobody means: each is refused at its field."""

from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.models import Rule
from recommendations.terms import Role
from tests.analytics import rule_records as records
from tests.analytics.rule_records import form

pytestmark = pytest.mark.django_db
NUMBERS = ["1e-999", "5e-324", "1e400", "1e9999999999999999999", "9" * 500, "NaN", "1_000", "9223372036854775808", "²"]
FIELDS = {"strength": "boost", "slot": "pin", "most": "cap", "share": "minimum_share"}


@pytest.fixture(autouse=True)
def _shop() -> None:
    records.shop()


@pytest.mark.parametrize(("field", "action"), FIELDS.items())
def test_odd_numbers_in_a_rule_are_no_server_error(admin: Client, field: str, action: str) -> None:
    admin.raise_request_exception = False
    for number in NUMBERS:
        assert admin.post("/rules/new/", form(action=action, **{field: number})).status_code in {200, 302, 422}, number
        assert admin.post("/rules/effect/", form(action=action, **{field: number})).status_code in {200, 422}, number
        assert admin.get(f"/rules/new/?action={action}&{field}={number}&brand=x").status_code == 200, number


@pytest.mark.parametrize("attribute", ["price", "discount", "margin", "listed_days"])
def test_odd_numbers_in_a_condition_are_no_server_error(admin: Client, attribute: str) -> None:
    admin.raise_request_exception = False
    for number in NUMBERS:
        row = {
            "items-1-attribute": attribute, "items-1-was": attribute, "items-1-operator": "at_most",
            "items-1-typed": number,
        }  # fmt: skip
        answers = [admin.post(address, form(**row)) for address in ("/rules/conditions/items/", "/rules/new/")]
        assert {answer.status_code for answer in answers} <= {200, 302, 422}, number
    for rule in Rule.objects.all():
        assert admin.get(f"/rules/{rule.pk}/").status_code == 200
    assert admin.get("/rules/").status_code == 200


@pytest.mark.parametrize("field", ["w.als", "promotion", "diversity", "least_coverage", "least_diversity", "segment"])
def test_odd_numbers_in_weights_are_no_server_error(client_of: Callable[[Role], Client], field: str) -> None:
    client = client_of(Role.PUBLISHER)
    client.raise_request_exception = False
    for number in NUMBERS:
        sent = {"blend": "home", "w.als": "50", "w.buy_again": "50", field: number}
        for address in ("/weights/save/", "/weights/suggest/"):
            assert client.post(address, sent).status_code in {200, 302, 404, 409, 422}, (address, number)
        assert client.get("/weights/effect/", sent).status_code in {200, 404, 422}, number
