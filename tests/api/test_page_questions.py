"""Pages ask for recommendations with a key that everybody can read: for their own visitor, and for nobody else."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.ingest.proofs import prove
from recommendations.models import RuleBook
from recommendations.services.access import quotas
from recommendations.store.live import fetch
from recommendations.terms import Reason, Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_cors import OTHER, SHOP, cors, preflight

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME, PAGE = "/api/v1/placements/home/recommend/", "/api/v1/pages/home/recommend/"
PLACEMENTS = ("home", "discover", "buy_again", "item", "also_bought", "cart", "trending", "category", "search", "new")
INWARD = {"score", "final", "contributions"}
IMPERSONAL = {
    Reason.POPULAR, Reason.PROMOTED, Reason.NEW, Reason.SEGMENT, Reason.SIMILAR_CUSTOMERS, Reason.BOUGHT_TOGETHER,
    Reason.BOUGHT_NEXT, Reason.SIMILAR_ITEM,
}  # fmt: skip


class Browser:
    """A page of the shop: what it sends has its origin."""

    def __init__(self, client: ApiClient, origin: str = SHOP) -> None:
        client.headers = {**client.headers, "Origin": origin}
        self.client = client

    def ask(self, address: str = HOME, **body: Any) -> dict[str, Any]:
        answer = self.client.post(address, body)
        assert answer.status_code == 200, answer.content
        assert answer["Access-Control-Allow-Origin"] == SHOP
        return dict(json.loads(answer.content))


@pytest.fixture
def shop_page(client_with: Callable[..., ApiClient]) -> Browser:
    return Browser(client_with(Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, origins=[SHOP]))


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ, Scope.EVENTS_WRITE)


def proof(user_id: str = "u1", anonymous_id: str | None = "a1") -> str:
    return prove(user_id=user_id, anonymous_id=anonymous_id, now=timezone.now()).text


def slots_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return answer.get("slots", [answer])


def shown(answer: dict[str, Any]) -> list[list[str]]:
    return [[result["item_id"] for result in slot["results"]] for slot in slots_of(answer)]


def of_server(server: ApiClient, address: str, **body: Any) -> dict[str, Any]:
    return dict(json.loads(server.post(address, body).content))


# --- for whom


@pytest.mark.parametrize("address", [HOME, PAGE])
@pytest.mark.parametrize("given", ["nothing", "another's", "expired", "forged"])
def test_a_customer_without_a_proof_is_as_if_not_named(
    shop_page: Browser, server: ApiClient, address: str, given: str
) -> None:
    expired = prove(user_id="u1", anonymous_id="a1", now=timezone.now() - timedelta(days=1)).text
    true = proof()
    forged = true[:-2] + ("BA" if true.endswith("AA") else "AA")
    proofs = {"another's": proof("u2"), "expired": expired, "forged": forged}
    fields = {"proof": proofs[given]} if given in proofs else {}
    answer = shop_page.ask(address, user_id="u1", anonymous_id="a1", **fields)
    assert answer["ignored"] == ["/user_id"]
    [why] = answer["why_ignored"]
    assert why["pointer"] == "/user_id"
    assert "/api/v1/identity/" in why["reason"]
    assert shown(answer) == shown(of_server(server, address, anonymous_id="a1"))
    assert shown(answer) != shown(of_server(server, address, user_id="u1"))
    assert not any(slot["personalised"] for slot in slots_of(answer))
    assert "ignored" not in shop_page.ask(address, anonymous_id="a1")


@pytest.mark.parametrize("address", [HOME, PAGE])
def test_a_proven_customer_gets_what_the_shops_server_would_get(
    shop_page: Browser, server: ApiClient, address: str
) -> None:
    answer = shop_page.ask(address, user_id="u1", anonymous_id="a1", proof=proof())
    own = of_server(server, address, user_id="u1", anonymous_id="a1")
    for slot, other in zip(slots_of(answer), slots_of(own), strict=True):
        slot.pop("recommendation_id"), other.pop("recommendation_id")
    assert answer == own
    assert any(slot["personalised"] for slot in slots_of(answer))
    alone = shop_page.ask(address, user_id="u1", proof=proof(anonymous_id=None))
    assert any(slot["personalised"] for slot in slots_of(alone))


def test_a_get_takes_a_proof_and_names_what_is_ignored(shop_page: Browser) -> None:
    named = json.loads(shop_page.client.get(HOME, user_id="u1", anonymous_id="a1", proof=proof()).content)
    assert named["personalised"]
    assert "ignored" not in named
    unproven = json.loads(shop_page.client.get(HOME, user_id="u1", anonymous_id="a1").content)
    assert (unproven["ignored"], unproven["personalised"]) == (["user_id"], False)


def test_the_word_of_a_server_needs_no_proof(server: ApiClient) -> None:
    assert of_server(server, HOME, user_id="u1", proof="nonsense")["personalised"]


# --- what of it


@pytest.fixture
def view(server: ApiClient, django_capture_on_commit_callbacks: Any) -> Callable[[str, str], None]:
    def send(item: str, visitor: str) -> None:
        event = {
            "event_id": str(uuid.uuid4()), "name": "view_item", "items": [{"item_id": item}], "anonymous_id": visitor,
            "timestamp": (timezone.now() - timedelta(seconds=9)).isoformat(),
        }  # fmt: skip
        with django_capture_on_commit_callbacks(execute=True):
            assert server.post("/api/v1/events/", event).status_code == 202

    return send


def test_the_visit_counts_and_no_reason_tells_of_it(
    shop_page: Browser, server: ApiClient, view: Callable[[str, str], None]
) -> None:
    before = shop_page.ask(anonymous_id="a1", n=8)
    view("tea-0", "a1")
    answer, own = shop_page.ask(anonymous_id="a1", n=8), of_server(server, HOME, anonymous_id="a1", n=8)
    assert (answer["source"], answer["personalised"]) == ("session", True)
    assert shown(answer) == shown(own) != shown(before)
    assert "tea-0" in json.dumps(own["results"])
    assert "tea-0" not in json.dumps(answer["results"])
    assert not any(INWARD & result.keys() for result in answer["results"])
    assert all(result["rules"] == [] for result in answer["results"])


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_merged_visitor_learns_nothing_of_what_the_customer_did(
    shop_page: Browser, server: ApiClient, placement: str, django_capture_on_commit_callbacks: Any
) -> None:
    """A page whose visitor is a customer's gets their items, and no word on why."""
    with django_capture_on_commit_callbacks(execute=True):
        merged = server.post("/api/v1/users/merge/", {"anonymous_id": "a1", "user_id": "u1"})
        assert merged.status_code == 202
    context = {"item_ids": ["tea-1"], "basket": ["tea-2"]}
    asked = {"anonymous_id": "a1", "n": 20, "context": context, "fields": ["score", "contributions", "reasons"]}
    answer = shop_page.ask(f"/api/v1/placements/{placement}/recommend/", **asked)
    own = of_server(server, f"/api/v1/placements/{placement}/recommend/", **asked)
    assert shown(answer) == shown(own)
    assert answer["personalised"] == own["personalised"]
    for result in answer["results"]:
        assert not INWARD & result.keys()
        for reason in result["reasons"]:
            assert reason["code"] in IMPERSONAL
            assert reason["evidence"].get("item_id", "tea-1") in {"tea-1", "tea-2"}
            assert not {"days_since", "times", "segment", "share"} & reason["evidence"].keys()
            assert reason["text"]


def test_rules_are_not_named_to_a_page(shop_page: Browser, server: ApiClient) -> None:
    asks_nothing = dict.fromkeys(("placement", "segment", "customer", "starts_at", "ends_at", "slot", "most", "share"))
    rule = {**asks_nothing, "id": 1, "name": "Win back who left", "context": [], "items": [], "action": "boost",
            "strength": 50, "per": ""}  # fmt: skip
    RuleBook.objects.create(number=5, is_default=True, rules=[rule])
    fetch.announce(fetch.Changed.RULES)
    assert "Win back" in json.dumps(of_server(server, HOME, anonymous_id="a1"))
    assert "Win back" not in json.dumps(shop_page.ask(anonymous_id="a1"))


# --- from where, and how often


@pytest.mark.parametrize(("address", "methods"), [(HOME, "GET, POST"), (PAGE, "POST")])
def test_the_preflight_of_a_question(shop_page: Browser, address: str, methods: str) -> None:
    answer = preflight(address, SHOP)
    assert (answer.status_code, answer["Access-Control-Allow-Methods"]) == (204, methods)
    assert answer["Access-Control-Max-Age"] == "3600"
    assert cors(preflight(address, OTHER)) == {}


@pytest.mark.parametrize("address", [HOME, PAGE])
def test_no_preflight_where_keys_of_the_origin_only_send(client_with: Callable[..., ApiClient], address: str) -> None:
    client_with(Scope.EVENTS_WRITE, origins=[SHOP])
    problem(preflight(address, SHOP), 403)


@pytest.mark.parametrize("origin", [OTHER, "null", "", "https://shop.example:8443"])
@pytest.mark.parametrize("address", [HOME, PAGE])
def test_other_pages_and_nobodys_are_told_nothing(shop_page: Browser, origin: str, address: str) -> None:
    shop_page.client.headers["Origin"] = origin
    answer = shop_page.client.post(address, {"anonymous_id": "a1"})
    problem(answer, 403)
    assert cors(answer) == {}


@pytest.mark.parametrize("address", [HOME, PAGE])
def test_a_servers_key_in_a_browser_is_refused(server: ApiClient, address: str) -> None:
    browser = Browser(server)
    answer = browser.client.post(address, {})
    assert problem(answer, 403)["detail"].startswith("This is a server key, and a browser sent it.")
    assert cors(answer) == {}


OTHERS = (
    ("GET", "/api/v1/items/tea-0/similar/"), ("GET", "/api/v1/items/tea-0/similar/?by=text"),
    ("GET", "/api/v1/items/tea-0/also-bought/"),
    ("GET", "/api/v1/users/u1/interests/"), ("POST", "/api/v1/recommendations/batch/"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "address"), OTHERS)
@pytest.mark.parametrize("origin", [SHOP, None])
def test_a_page_asks_for_nothing_else(shop_page: Browser, method: str, address: str, origin: str | None) -> None:
    if origin is None:
        del shop_page.client.headers["Origin"]
    answer = shop_page.client.send(method, address, {"users": [{"user_id": "u1"}], "placement": "home"})
    assert "A key in a page cannot do this" in problem(answer, 403)["detail"]
    assert cors(answer) == cors(preflight(address, SHOP, method)) == {}


def test_an_address_asks_so_often(shop_page: Browser, server: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "ADDRESS_QUESTIONS", 3)
    rates = [shop_page.client.get(HOME)["RateLimit"] for _ in range(3)]
    assert [rate.rpartition('"address_questions";r=')[2].partition(";")[0] for rate in rates] == ["2", "1", "0"]
    for answer in (shop_page.client.get(HOME), shop_page.client.post(PAGE, {})):
        told = problem(answer, 429)
        assert (told["quota"], told["limit"]) == ("address_questions", 3)
        assert 0 < int(answer["Retry-After"]) <= 60
        assert answer["Access-Control-Allow-Origin"] == SHOP
    other = shop_page.client._client.get(HOME, headers=shop_page.client.headers, REMOTE_ADDR="192.0.2.9")
    assert other.status_code == 200
    assert server.get(HOME).status_code == 200


# --- the key itself


def test_a_page_sends_with_the_key_it_asks_with(shop_page: Browser) -> None:
    event = {"event_id": "e1", "name": "view_homepage", "anonymous_id": "a1", "timestamp": timezone.now().isoformat()}
    assert shop_page.client.post("/api/v1/events/", event).status_code == 202
    token = shop_page.client.headers["Authorization"].removeprefix("Api-Key ")
    beacon = json.dumps({"api_key": token, "events": [{**event, "event_id": "e2"}]})
    sent = ApiClient()._client.post("/api/v1/events/", beacon, "text/plain", headers={"Origin": SHOP})
    assert sent.json()["accepted"] == 1
