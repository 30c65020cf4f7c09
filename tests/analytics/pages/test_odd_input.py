"""What no page offers but anybody may send: each is answered, and none with a fault of the server."""

from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.models import Rule, Staff
from recommendations.terms import Role, RuleAction
from tests.analytics import records

pytestmark = pytest.mark.django_db

FAR, EARLY, HUGE = "9999-12-31", "0001-01-03", str(2**63 - 1)


@pytest.mark.parametrize(
    "address",
    [
        f"/activity/?until={FAR}", f"/activity/?from={EARLY}", f"/events/?until={FAR}", f"/events/?until={EARLY}",
        f"/customers/?page={HUGE}", f"/events/?page={HUGE}", f"/activity/?page={HUGE}", "/rules/new/?price=1e9999999",
        "/rules/new/?discount=inf", "/rules/new/?discount=1e400", f"/rules/new/?slot={'9' * 5000}",
        "/activity/?q=%00", "/events/?name=%00", "/rules/?placement=%00", "/customers/?text=%00",
    ],
)  # fmt: skip
def test_odd_addresses_are_answered(admin: Client, address: str) -> None:
    assert admin.get(address).status_code == 200


@pytest.mark.parametrize("edit", [f"items:drop:{'9' * 5000}", f"items:out:0:{'9' * 5000}", "items:take:²"])
def test_odd_buttons_of_the_builder_are_answered(admin: Client, edit: str) -> None:
    fields = {"name": "Teas", "action": "exclude", "items-0-attribute": "brand", "items-0-values": "x", "edit": edit}
    assert admin.post("/rules/new/", fields).status_code == 200


def test_a_nul_in_a_typed_field_is_no_server_error(client_of: Callable[[Role], Client]) -> None:
    client, who, tea = client_of(Role.PUBLISHER), records.customer("u"), records.item("tea")
    rule = Rule.objects.create(name="Teas", action=RuleAction.EXCLUDE, author=Staff.objects.get())
    card = {"placement": "home\x00", "judgement": "odd", "note": "odd\x00 one", "action": "pin", "rank": "1"}
    posts = {
        f"/customers/{who.code}/judge/{tea.pk}/": card,
        f"/customers/{who.code}/rule/{tea.pk}/": card,
        f"/customers/{who.code}/set-aside/": {"note": "a\x00b"},
        "/catalogue/suspicious/key/": {"key": "\x00", "since": "\x00", "note": "\x00"},
        "/rules/publish/": {"rule": rule.pk, "note": "\x00", "based_on": "0"},
        "/rules/withdraw/": {"rule": rule.pk, "note": "a\x00b", "based_on": "0"},
        "/rules/roll-back/": {"book": "1", "note": "a\x00b"},
        "/weights/publish/": {"blend": "home", "note": "a\x00b", "revision": "1"},
        "/segments/1/rename/": {"name": "a\x00b"},
        f"/rules/{rule.pk}/": {"name": "a\x00b", "action": "exclude", "revision": "1"},
    }
    client.raise_request_exception = False
    answers = {address: client.post(address, sent).status_code for address, sent in posts.items()}
    assert {address: status for address, status in answers.items() if status >= 500} == {}
