"""Who may state what: every cell of the table in ``docs/keys.md``, by a request and what became of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from recommendations.ingest.proofs import LONGEST, prove
from recommendations.models import Customer, CustomerAlias, Event, Item
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, Scope, Side, Trust
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event, when

MERGE = "/api/v1/users/merge/"
BOTH = {"user_id": "u1", "anonymous_id": "a1"}


@dataclass(frozen=True)
class Shop:
    """A page, and the shop's server."""

    page: ApiClient
    server: ApiClient

    def tell(self, side: str, **fields: Any) -> dict[str, Any]:
        """Send an event of customer u1 in the browser a1; the verdict on it."""
        row = event(**{**BOTH, "timestamp": when(minutes=5)} | fields)
        if side == "proven":
            row["proof"] = proof()
        client = self.server if side == "server" else self.page
        answer = client.post(EVENTS, row)
        assert answer.status_code in {202, 400}, answer.content
        return dict(json.loads(answer.content)["results"][0])


@pytest.fixture
def shop(db: None, client_with: Callable[..., ApiClient], valkey: redis.Redis) -> Shop:
    valkey.set("live:built", 1)
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title=f"Item {number}", price=5) for number in range(3))
    return Shop(client_with(Scope.EVENTS_WRITE, side=Side.PAGE), client_with(Scope.EVENTS_WRITE, Scope.PRIVACY_WRITE))


def proof(**ids: str | None) -> str:
    return prove(**({**BOTH} | ids), now=timezone.now()).text  # type: ignore[arg-type]


def key_of(shop_id: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int | None:
    return Customer.objects.filter(pseudonym=pseudonym(shop_id, kind=kind)).values_list("pk", flat=True).first()


def visitor() -> int | None:
    return key_of("a1", CustomerKind.ANONYMOUS)


def pairs() -> list[tuple[int, int]]:
    return list(CustomerAlias.objects.filter(undone_at=None).values_list("anonymous", "customer"))


# --- acts, and whose they are


@pytest.mark.parametrize(("side", "trust"), [("page", Trust.PAGE), ("proven", Trust.PROVEN), ("server", Trust.SERVER)])
@pytest.mark.parametrize("name", ["view_item", "add_to_cart", "add_to_wishlist", "dislike_item", "select_item"])
def test_every_source_tells_of_what_a_visitor_does(shop: Shop, side: str, trust: Trust, name: str) -> None:
    assert shop.tell(side, name=name)["verdict"] == "accepted"
    assert Event.objects.get().trust == trust


@pytest.mark.parametrize("side", ["page", "proven", "server"])
def test_a_customer_is_named_by_the_shop_alone(shop: Shop, side: str) -> None:
    told = shop.tell(side)
    named = side != "page"
    assert told.get("ignored", []) == ([] if named else ["/user_id"])
    assert Event.objects.get().customer_id == (key_of("u1") if named else visitor())
    assert pairs() == ([(visitor(), key_of("u1"))] if named else [])


def test_a_page_that_names_a_customer_and_no_visitor_is_refused(shop: Shop) -> None:
    told = shop.tell("page", anonymous_id=...)
    assert (told["verdict"], told["pointer"]) == ("rejected", "/user_id")
    assert "POST /api/v1/identity/" in told["reason"]
    assert not Customer.objects.exists()


def test_a_proof_without_a_visitor_names_the_customer_of_an_event_without_one(shop: Shop) -> None:
    assert shop.tell("page", anonymous_id=..., proof=proof(anonymous_id=None))["verdict"] == "accepted"
    assert Event.objects.get().customer_id == key_of("u1")


FALSE_PROOFS = {
    "of another customer": lambda: proof(user_id="u2"),
    "of another visitor": lambda: proof(anonymous_id="a2"),
    "of no visitor": lambda: proof(anonymous_id=None),
    "of the ids the other way round": lambda: proof(user_id="a1", anonymous_id="u1"),
    "of ids that are one text": lambda: proof(user_id="u", anonymous_id="1:a1"),
    "expired": lambda: prove(**BOTH, now=timezone.now() - LONGEST - timedelta(seconds=1)).text,
    "made to last": lambda: "f" * 12 + proof()[proof().index("."):],
    "cut": lambda: proof()[:-1],
    "lengthened": lambda: proof() + "A",
    "without its moment": lambda: proof()[proof().index("."):],
    "empty": lambda: "",
    "a point": lambda: ".",
    "of other letters": lambda: proof().upper() if proof().upper() != proof() else "é.é",
    "half a pair": lambda: "\\ud800",
    "of the pseudonym": lambda: f"{proof().partition('.')[0]}.{pseudonym('u1').hex()}",
}  # fmt: skip


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("empty", "cannot say who is signed in. Send the proof"),
        ("of another visitor", "is not of this user_id and this anonymous_id"),
        ("cut", "is not of this user_id and this anonymous_id"),
        ("expired", "The proof expired at 20"),
    ],
)
def test_it_is_told_why_a_proof_proves_nothing(shop: Shop, made: str, why: str) -> None:
    [told] = shop.tell("page", proof=FALSE_PROOFS[made]())["why_ignored"]
    assert told["pointer"] == "/user_id"
    assert why in told["reason"]
    assert "POST /api/v1/identity/" in told["reason"]


@pytest.mark.parametrize("made", FALSE_PROOFS.values(), ids=FALSE_PROOFS)
def test_a_false_proof_proves_nothing(shop: Shop, made: Callable[[], str]) -> None:
    told = shop.tell("page", proof=made())
    assert (told["verdict"], told["ignored"]) == ("accepted", ["/user_id"])
    assert Event.objects.get().customer_id == visitor()
    assert key_of("u1") is None
    assert pairs() == []


# --- trade


@pytest.mark.parametrize("side", ["page", "proven", "server"])
def test_a_purchase_is_kept_with_whose_word_it_is(shop: Shop, side: str) -> None:
    assert shop.tell(side, name="purchase", transaction_id="t1")["verdict"] == "accepted"
    assert Event.objects.purchases().count() == (side == "server")


@pytest.mark.parametrize(
    ("name", "fields", "sides", "pointer", "said"),
    [
        ("refund", {"transaction_id": "t1"}, {"server"}, "/name", "Only your server"),
        ("rate_item", {"rating": 4, "rating_scale": 5}, {"proven", "server"}, "/proof", "send user_id, anonymous_id"),
    ],
)
@pytest.mark.parametrize("side", ["page", "proven", "server"])
def test_a_refund_is_the_servers_a_rating_a_customers(
    shop: Shop, side: str, name: str, fields: dict[str, Any], sides: set[str], pointer: str, said: str
) -> None:
    told = shop.tell(side, name=name, **fields)
    assert told["verdict"] == ("accepted" if side in sides else "rejected")
    assert Event.objects.exists() == (side in sides)
    if side not in sides:
        assert (told["pointer"], said in told["reason"]) == (pointer, True)


@pytest.mark.parametrize("ids", [{"user_id": ...}, {"proof": ""}], ids=["a visitor", "an empty proof"])
def test_a_rating_without_a_customer_says_what_to_send(shop: Shop, ids: dict[str, Any]) -> None:
    row = event(name="rate_item", rating=4, rating_scale=5, **BOTH | ids)
    [told] = problem(shop.page.post(EVENTS, {"events": [row]}), 400)["errors"]
    assert told["pointer"] == "/events/0/proof"
    assert "send user_id, anonymous_id and the proof" in told["message"]


# --- personalisation


@pytest.mark.parametrize("side", ["page", "proven", "server"])
def test_a_no_is_the_visitors_own_or_proven(shop: Shop, side: str) -> None:
    shop.tell("server", user_id="u1", anonymous_id=...)  # the customer is known
    shop.tell(side, consent={"personalisation": False})
    objecting = set(Customer.objects.filter(personalise=False).values_list("pk", flat=True))
    assert objecting == ({visitor()} if side == "page" else {visitor(), key_of("u1")})


def test_a_page_speaks_for_no_other_key_of_the_person(shop: Shop) -> None:
    shop.tell("server")  # a1 is u1
    shop.tell("page", user_id=..., consent={"personalisation": False})
    assert list(Customer.objects.filter(personalise=False).values_list("pk", flat=True)) == [visitor()]


def test_a_page_takes_back_the_no_of_a_visitor_but_not_of_a_customer(shop: Shop) -> None:
    shop.tell("page", consent={"personalisation": False}, timestamp=when(minutes=9))
    shop.tell("page", consent={"personalisation": True})
    assert not Customer.objects.filter(personalise=False).exists()
    shop.tell("server")
    shop.tell("server", consent={"personalisation": False}, timestamp=when(minutes=4))
    shop.tell("page", consent={"personalisation": True}, timestamp=when(minutes=3))
    assert Customer.objects.filter(personalise=False).count() == 2
    shop.tell("proven", consent={"personalisation": True}, timestamp=when(minutes=2))
    assert not Customer.objects.filter(personalise=False).exists()


@pytest.mark.parametrize("side", ["page", "server"])
def test_a_word_of_tomorrow_is_dated_now(shop: Shop, side: str) -> None:
    shop.tell(side, user_id=..., consent={"personalisation": False}, timestamp=when(minutes=-9))
    said = Customer.objects.get().consent_at
    assert said is not None
    assert said <= timezone.now()


# --- moments and marks


@pytest.mark.parametrize(("hours", "verdict"), [(23.9, "accepted"), (24.1, "rejected")])
def test_a_page_tells_of_a_day(shop: Shop, hours: float, verdict: str) -> None:
    told = shop.tell("page", timestamp=when(hours=hours))
    assert told["verdict"] == verdict
    assert shop.tell("server", timestamp=when(hours=hours))["verdict"] == "accepted"


@pytest.mark.parametrize("side", ["page", "server"])
def test_nobody_but_the_demo_replays(shop: Shop, side: str) -> None:
    told = shop.tell(side, user_id=..., context={"source": "replay", "channel": "web"})
    assert told["ignored"] == ["/context/source"]
    assert Event.objects.values_list("source", "attributes").get() == ("api", {"channel": "web"})


def test_one_event_that_may_not_be_loses_no_neighbour(shop: Shop) -> None:
    rows = [event(**BOTH), event(name="refund", transaction_id="t1", **BOTH), event(**BOTH)]
    answer = shop.page.post(EVENTS, {"events": rows})
    assert [one["verdict"] for one in answer.json()["results"]] == ["accepted", "rejected", "accepted"]


# --- merging and parting


def test_a_page_merges_with_a_proof_and_never_parts(shop: Shop) -> None:
    assert problem(shop.page.post(MERGE, BOTH), 400)["errors"][0]["pointer"] == "/proof"
    problem(shop.page.post(MERGE, BOTH | {"proof": proof(user_id="u2")}), 400)
    assert pairs() == []
    assert shop.page.post(MERGE, BOTH | {"proof": proof()}).status_code == 202
    assert pairs() == [(visitor(), key_of("u1"))]
    problem(shop.page.post(MERGE, BOTH | {"proof": proof(), "undo": True}), 403)
    assert pairs() == [(visitor(), key_of("u1"))]


def test_a_server_parts_with_the_scope_alone(shop: Shop, client_with: Callable[..., ApiClient]) -> None:
    shop.server.post(MERGE, BOTH)
    assert "privacy:write" in problem(client_with(Scope.EVENTS_WRITE).post(MERGE, BOTH | {"undo": True}), 403)["detail"]
    assert shop.server.post(MERGE, BOTH | {"undo": True}).status_code == 202
    assert pairs() == []


@pytest.mark.parametrize("by", ["event", "merge"])
def test_the_servers_word_replaces_what_a_page_has_proved(shop: Shop, by: str) -> None:
    shop.tell("proven")
    assert pairs() == [(visitor(), key_of("u1"))]
    if by == "event":
        shop.tell("server", user_id="u2")
    else:
        assert shop.server.post(MERGE, BOTH | {"user_id": "u2"}).status_code == 202
    assert pairs() == [(visitor(), key_of("u2"))]


def test_a_page_does_not_replace_what_the_server_said(shop: Shop) -> None:
    shop.tell("server")
    shop.tell("page", user_id="u2", proof=proof(user_id="u2"))
    assert pairs() == [(visitor(), key_of("u1"))]
    problem(shop.page.post(MERGE, BOTH | {"user_id": "u2", "proof": proof(user_id="u2")}), 409)
