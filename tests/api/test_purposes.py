"""What customers allow, by the API: said with a proof, by a server, and read again."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from recommendations.models import Address, ConsentStatement, Contact, Customer, PurposeWord
from recommendations.privacy_terms import EraseMode
from recommendations.push_terms import AddressState, Channel, ConsentSource, ConsentState, Purpose
from recommendations.services.privacy.purposes import standings
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem

SAY = "/api/v1/users/purposes/"
PROOF = {"form": "account", "text_version": "7"}
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def server(db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.PRIVACY_WRITE)


def held(answer: HttpResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    return dict(json.loads(answer.content)["purposes"])


def said(**fields: Any) -> dict[str, Any]:
    return {"user_id": "u1", "purpose": "personalise", "state": "refused", "proof": PROOF} | fields


def flaw(answer: HttpResponse, status: int = 400) -> str:
    return str(problem(answer, status)["errors"][0]["pointer"])


def test_a_no_holds_before_the_customer_comes_and_is_read_again(server: ApiClient) -> None:
    at = (NOW - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    told = held(server.post(SAY, said(at=at)))
    assert told["personalise"] == {"allowed": False, "state": "refused", "at": at, "source": "server"}
    assert told["measure"] == {"allowed": True, "state": None, "at": None, "source": None}
    assert told["push"]["allowed"] is False
    assert held(server.get("/api/v1/users/u1/privacy/")) == told
    word = PurposeWord.objects.get()
    assert word.proof == PROOF
    assert word.customer.pseudonym == pseudonym("u1")
    assert held(server.get("/api/v1/users/nobody/privacy/"))["personalise"]["allowed"] is True
    assert server.post(SAY, said(at=at)).status_code == 200
    assert PurposeWord.objects.count() == 1


def test_what_was_said_last_holds(server: ApiClient) -> None:
    earlier, later = ((NOW - timedelta(hours=hours)).isoformat() for hours in (2, 1))
    assert held(server.post(SAY, said(at=later)))["personalise"]["allowed"] is False
    assert held(server.post(SAY, said(at=earlier, state="given")))["personalise"]["allowed"] is False
    assert held(server.post(SAY, said(at=later, state="given")))["personalise"]["allowed"] is False
    again = held(server.post(SAY, said(state="given")))["personalise"]
    assert (again["allowed"], again["state"]) == (True, "given")
    assert Customer.objects.get().resumed_at is not None


def test_the_past_is_learned_again_only_with_a_proof(server: ApiClient) -> None:
    server.post(SAY, said(at=(NOW - timedelta(hours=1)).isoformat()))
    assert flaw(server.post(SAY, said(state="given", resume=True, proof={}))) == "/proof"
    server.post(SAY, said(state="given", resume=True))
    assert Customer.objects.get().resumed_at is None
    assert PurposeWord.objects.order_by("pk").last().resume  # type: ignore[union-attr]


def test_a_no_to_messages_is_one_at_every_address(server: ApiClient) -> None:
    customer = Customer.objects.create(pseudonym=pseudonym("u1"))
    contact = Contact.objects.create(customer=customer, language="en")
    Address.objects.create(
        contact=contact, channel=Channel.EMAIL, sealed=b"x", digest=b"d" * 32, state=AddressState.ACTIVE
    )
    ledger.record([
        Statement(
            contact=customer.pk, channel=Channel.EMAIL, purpose=Purpose.NEWS, state=ConsentState.GIVEN,
            at=NOW - timedelta(days=2), source=ConsentSource.API,
        )
    ])  # fmt: skip
    assert standings([customer.pk])[-1].allowed
    assert held(server.post(SAY, said(purpose="push", state="withdrawn")))["push"]["allowed"] is False
    closing = ConsentStatement.objects.filter(state=ConsentState.WITHDRAWN)
    assert set(closing.values_list("purpose", flat=True)) == set(Purpose)
    assert closing[0].proof == PROOF
    assert not PurposeWord.objects.exists()
    assert flaw(server.post(SAY, said(purpose="push", state="given"))) == "/state"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"purpose": "sell"}, "/purpose"), ({"state": "perhaps"}, "/state"), ({"at": "2026-01-01"}, "/at"),
        ({"at": "2999-01-01T00:00:00Z"}, "/at"), ({"at": "1900-01-01T00:00:00Z"}, "/at"),
        ({"proof": {"form": "x" * 3_000}}, "/proof"), ({"proof": {"form": "\x00"}}, "/proof"),
        ({"user_id": ""}, "/user_id"),
    ],
)  # fmt: skip
def test_bad_words_are_told_where_and_nothing_is_kept(server: ApiClient, fields: dict[str, Any], pointer: str) -> None:
    assert flaw(server.post(SAY, said(**fields))).startswith(pointer)
    assert not PurposeWord.objects.exists()


def test_of_a_blocked_id_nothing_is_kept(server: ApiClient) -> None:
    server.post(SAY, said())
    bury(subject_of("u1", []), mode=EraseMode.BLOCK, now=timezone.now())
    assert flaw(server.post(SAY, said())) == "/user_id"
