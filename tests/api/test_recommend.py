"""``/api/v1/placements/{placement}/recommend/``: the contract of the answer, and what each wrong request is told."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import timezone

from recommendations.api import recommend
from recommendations.api.lane import Lane
from recommendations.models import Arm, Category, Customer, Event, Experiment, Item, Placement, RuleBook, Slate
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.serving import snapshot_holder
from recommendations.store.serving.slates import write_slates
from recommendations.terms import CustomerKind, Reason, Scope
from tests.api.conftest import ApiClient, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

PLACEMENTS = (
    "home", "discover", "buy_again", "item", "also_bought", "cart", "trending", "category", "search", "new", "email",
    "following",
)  # fmt: skip
MEMBERS = {
    "recommendation_id", "placement", "model_version", "weights_version", "rules_version", "experiment", "experiments",
    "personalised", "source", "fallback_reason", "results", "missing_item_ids", "next_cursor",
}  # fmt: skip
OF_A_RESULT = {"item_id", "rank", "score", "final", "reasons", "contributions", "rules", "product", "source"}


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ)


def path(placement: str) -> str:
    return f"/api/v1/placements/{placement}/recommend/"


def body(answer: HttpResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json"
    return dict(json.loads(answer.content))


def ids(found: dict[str, Any]) -> list[str]:
    return [result["item_id"] for result in found["results"]]


def test_the_rules_of_an_item_are_named(api: ApiClient) -> None:
    before = body(api.get(path("home"), user_id="u0"))
    assert before["rules_version"] == 0
    assert {tuple(result["rules"]) for result in before["results"]} == {()}
    asks_nothing = dict.fromkeys(("placement", "segment", "customer", "starts_at", "ends_at", "slot", "most", "share"))
    soap = {"attribute": "item", "operator": "is", "values": ["soap-3"]}
    rules = [
        {**asks_nothing, "id": 1, "name": "Soap first", "context": [], "items": [soap], "action": "pin", "slot": 1,
         "strength": None, "per": ""},
        {**asks_nothing, "id": 2, "name": "More of everything", "context": [], "items": [], "action": "boost",
         "strength": 50, "per": ""},
    ]  # fmt: skip
    RuleBook.objects.create(number=5, is_default=True, rules=rules)
    fetch.announce(fetch.Changed.RULES)
    answer = body(api.get(path("home"), user_id="u0", fields="score"))
    assert answer["rules_version"] == 5
    assert [result["rules"] for result in answer["results"][:2]] == [
        ["Soap first", "More of everything"],
        ["More of everything"],
    ]
    assert answer["results"][0]["item_id"] == "soap-3"
    assert all(result["final"] > result["score"] for result in answer["results"])


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("user", ["u0", "u1", "u2", "u3", "u4", "u55", "u30", "nobody", "never", None])
def test_the_answer_keeps_the_contract(api: ApiClient, placement: str, user: str | None) -> None:
    query = {"item_id": "wine-0"} | ({"user_id": user} if user else {})
    answer = body(api.get(path(placement), **query))
    assert answer.keys() == MEMBERS
    assert re.fullmatch("r-[0-9a-f]{32}", answer["recommendation_id"])
    assert answer["placement"] == placement
    assert answer["source"] in {"model", "popular", "none"} | ({"newest"} if placement == "new" else set())
    assert [result["rank"] for result in answer["results"]] == list(range(1, len(answer["results"]) + 1))
    items = {item.shop_id: item for item in Item.objects.filter(shop_id__in=ids(answer))}
    for result in answer["results"]:
        assert result.keys() == OF_A_RESULT
        assert abs(sum(result["contributions"].values()) - result["score"]) < 1e-6  # after the way through JSON
        item = items[result["item_id"]]
        product = result["product"]
        assert product == {
            "title": item.title, "brand": item.brand, "price": str(item.price), "currency": "USD", "url": None,
            "image_url": f"http://testserver/api/v1/items/{item.shop_id}/tile.svg", "parent_id": None,
        }  # fmt: skip
        assert re.fullmatch(r"\d+\.\d\d", product["price"])
        for reason in result["reasons"]:
            assert_reason(reason)
    if user and user.startswith("u") and placement == "discover":
        bought = Event.objects.purchases().filter(customer__pseudonym=pseudonym(user))
        assert not set(ids(answer)) & set(bought.values_list("item__shop_id", flat=True))


def assert_reason(reason: dict[str, Any]) -> None:
    assert reason["code"] in set(Reason)
    assert reason["text"]
    evidence = reason["evidence"]
    if "item_id" in evidence:
        assert Item.objects.filter(shop_id=evidence["item_id"], title=evidence["title"]).exists()
    if "category" in evidence:
        assert Category.objects.filter(path=evidence["category"], name=evidence["name"]).exists()


def test_the_picture_of_an_item_without_one_can_be_fetched(api: ApiClient) -> None:
    url = body(api.get(path("trending"), n=1))["results"][0]["product"]["image_url"]
    answer = api.get(url.removeprefix("http://testserver"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")


def test_a_picture_of_the_shop_s_own_is_passed_on(api: ApiClient) -> None:
    Item.objects.all().update(
        image_url="https://img.example/1.png", url="https://shop.example/1", updated_at=timezone.now()
    )
    product = body(api.get(path("trending"), n=1))["results"][0]["product"]
    assert (product["image_url"], product["url"]) == ("https://img.example/1.png", "https://shop.example/1")


def test_get_and_post_give_the_same_answer(api: ApiClient) -> None:
    got = body(api.get(path("cart"), user_id="u1", item_id=["cheese-0", "cheese-1"], basket="cheese-2", n=7))
    posted = body(
        api.post(
            path("cart"),
            {"user_id": "u1", "context": {"item_ids": ["cheese-0", "cheese-1"], "basket": ["cheese-2"]}, "n": 7},
        )
    )
    assert got.pop("recommendation_id") != posted.pop("recommendation_id")
    assert got == posted
    assert len(got["results"]) == 7
    assert not {"cheese-0", "cheese-1", "cheese-2"} & set(ids(got))


def test_the_whole_body_of_the_contract_is_taken(api: ApiClient) -> None:
    answer = body(
        api.post(
            path("home"),
            {
                "user_id": "u0",
                "anonymous_id": "a9",
                "session_id": "s7",
                "context": {"item_ids": ["SKU1"], "basket": [], "categories": ["Shoes > Running"], "search_term": None},
                "n": 10,
                "filter": {"price": {"gte": 2, "lte": "5.00"}, "brand": ["Brand 1", "Brand 2"], "in_stock": True,
                           "categories": ["FOOD"]},
                "exclude_item_ids": ["bread-1"],
                "diversity": 0.3,
                "fallback": "popular",
                "personalise": True,
                "lang": "en",
                "fields": ["product", "score", "reasons", "contributions"],
                "dry_run": True,
            },
        )
    )  # fmt: skip
    assert answer["missing_item_ids"] == ["SKU1"]
    assert 0 < len(answer["results"]) <= 10
    assert "bread-1" not in ids(answer)
    for result in answer["results"]:
        assert Decimal(2) <= Decimal(result["product"]["price"]) <= Decimal(5)
        assert result["product"]["brand"] in {"Brand 1", "Brand 2"}
    assert write_slates() == 0


def test_an_answer_has_only_the_fields_that_are_asked_for(api: ApiClient) -> None:
    answer = body(api.get(path("home"), user_id="u0", fields="score,reasons"))
    assert answer["results"][0].keys() == {"item_id", "rank", "source", "rules", "score", "final", "reasons"}
    bare = body(api.post(path("home"), {"user_id": "u0", "fields": []}))
    assert bare["results"][0].keys() == {"item_id", "rank", "source", "rules"}


def test_reasons_come_in_the_language_that_is_asked_for(api: ApiClient) -> None:
    def texts(**lang: str) -> list[str]:
        answer = body(api.get(path("trending"), **lang))
        return [reason["text"] for result in answer["results"] for reason in result["reasons"]]

    assert set(texts()) == {"Popular this week"}
    assert texts(lang="en-GB") == texts(lang="tlh") == texts()
    assert len(texts(lang="zh-CN")) == len(texts())


def test_an_unknown_user_is_a_cold_one_and_an_anonymous_one_may_be_known(api: ApiClient) -> None:
    cold = body(api.get(path("home"), user_id="nobody"))
    assert (cold["source"], cold["fallback_reason"], cold["personalised"]) == ("popular", "no_history", False)
    anonymous = Customer.objects.get(pseudonym=pseudonym("u1"))
    Customer.objects.filter(pk=anonymous.pk).update(
        pseudonym=pseudonym("a1", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS
    )
    assert body(api.get(path("home"), user_id="nobody", anonymous_id="a1"))["personalised"]
    assert not body(api.get(path("home"), user_id="a1"))["personalised"]


def test_an_answer_is_written_as_a_slate_with_its_id(api: ApiClient) -> None:
    answer = body(api.get(path("home"), user_id="u0"))
    body(api.get(path("home"), user_id="u0", dry_run="true"))
    assert write_slates() == 1
    row = Slate.objects.get()
    assert row.recommendation_id == answer["recommendation_id"]
    assert len(row.items) == len(answer["results"])


def test_an_unknown_placement(api: ApiClient) -> None:
    assert problem(api.get(path("nowhere")), 404)["detail"] == "There is no placement “nowhere”."


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"n": 0}, "/n"),
        ({"n": 101}, "/n"),
        ({"n": "ten"}, "/n"),
        ({"n": 1.5}, "/n"),
        ({"user_id": ""}, "/user_id"),
        ({"user_id": "x" * 129}, "/user_id"),
        ({"user_id": 7}, "/user_id"),
        ({"context": {"item_ids": "SKU1"}}, "/context/item_ids"),
        ({"context": {"item_ids": ["ok", ""]}}, "/context/item_ids/1"),
        ({"context": {"item_ids": ["x"] * 1001}}, "/context/item_ids"),
        ({"filter": {"price": {"lte": "cheap"}}}, "/filter/price/lte"),
        ({"filter": {"price": {"gte": "NaN"}}}, "/filter/price/gte"),
        ({"filter": {"price": {"lte": "Infinity"}}}, "/filter/price/lte"),
        ({"filter": {"colour": "red"}}, "/filter/colour"),
        ({"diversity": 1.01}, "/diversity"),
        ({"fields": ["product", "secrets"]}, "/fields/1"),
        ({"n_items": 3}, "/n_items"),
        ({"personalise": "no"}, "/personalise"),
        ([], ""),
        (None, ""),
    ],
)
def test_a_flaw_of_a_body_is_refused_with_its_pointer(api: ApiClient, sent: Any, pointer: str) -> None:
    errors = problem(api.post(path("home"), sent), 400)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]
    assert errors[0]["message"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"n": "0"}, ["n"]),
        ({"n": "many"}, ["n"]),
        ({"n": ["3", "4"]}, ["n"]),
        ({"user_id": ""}, ["user_id"]),
        ({"item_id": ["a", "x" * 129]}, ["item_id/1"]),
        ({"personalise": "perhaps"}, ["personalise"]),
        ({"fields": "product,secrets"}, ["fields/1"]),
        ({"colour": "red"}, ["colour"]),
    ],
)
def test_a_flaw_of_a_query_is_refused_with_its_name(api: ApiClient, query: dict[str, Any], names: list[str]) -> None:
    errors = problem(api.get(path("home"), **query), 400)["errors"]
    assert [error["pointer"] for error in errors] == names


@pytest.mark.parametrize("sent", [b"{", b"\xff", b'{"n": NaN}', b"[" * 100_000, b'{"user_id": "\\ud800"}', b""])
def test_a_body_that_is_no_json_is_refused(api: ApiClient, sent: bytes) -> None:
    problem(api.send("POST", path("home"), sent), 400)


def test_odd_but_valid_ids_are_cold_users_and_missing_items(api: ApiClient) -> None:
    for odd in ("\x00", "' OR 1=1 --", "<script>", "e\u0301", "😀", "%s", "../../etc"):
        answer = body(api.post(path("also_bought"), {"user_id": odd, "context": {"item_ids": [odd]}}))
        assert answer["missing_item_ids"] == [odd]
        assert (answer["source"], answer["fallback_reason"]) == ("popular", "no_context")


def test_a_key_needs_the_scope(client_with: Callable[..., ApiClient]) -> None:
    problem(client_with(Scope.EVENTS_WRITE).get(path("home")), 403)
    problem(ApiClient().get(path("home")), 401)
    assert ApiClient().post(path("home"), {}).status_code == 401


def test_a_process_that_has_never_reached_the_database_answers_503(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr(snapshot_holder, "load_stock", away)
    answer = api.get(path("home"))
    problem(answer, 503)
    assert answer["Retry-After"] == "1"


def test_the_context_of_categories_and_search_is_taken_by_both_methods(api: ApiClient) -> None:
    for placement, query, context in (
        ("category", {"category": ["FOOD > WINE", "FOOD > TEA"]}, {"categories": ["FOOD > WINE", "FOOD > TEA"]}),
        ("search", {"search_term": "wine 3"}, {"search_term": "wine 3"}),
        ("search", {"item_id": ["wine-3", "tea-1", "gone"]}, {"item_ids": ["wine-3", "tea-1", "gone"]}),
    ):
        got = body(api.get(path(placement), user_id="u1", n=30, fallback="popular", **query))
        posted = body(api.post(path(placement), {"user_id": "u1", "n": 30, "context": context}))
        assert got.pop("recommendation_id") != posted.pop("recommendation_id")
        assert got == posted
        assert got["results"]
    assert got["missing_item_ids"] == ["gone"]
    assert set(ids(got)) == {"wine-3", "tea-1"}


def test_an_answer_without_fillers_by_both_methods(api: ApiClient) -> None:
    for answer in (
        body(api.get(path("home"), user_id="nobody", fallback="none")),
        body(api.post(path("home"), {"user_id": "nobody", "fallback": "none"})),
    ):
        assert (answer["results"], answer["source"], answer["fallback_reason"]) == ([], "none", "no_history")
    wrong = problem(api.get(path("home"), fallback="newest"), 400)["errors"]
    assert [error["pointer"] for error in wrong] == ["fallback"]


def test_searches_wait_for_one_another_and_no_answer_from_memory_waits_for_them(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend, "_searches", lane := Lane(at_once=1, waiting=0, seconds=0, retry=3))
    with lane.entered():
        refused = api.get(path("search"), search_term="wine")
        assert (problem(refused, 503)["title"], refused["Retry-After"]) == ("Service Unavailable", "3")
        assert problem(api.post(path("search"), {"context": {"search_term": "wine"}}), 503)
        assert body(api.get(path("search"), search_term="wine", item_id="wine-1"))["results"]
        assert body(api.get(path("home"), user_id="u1"))["results"]
    assert body(api.get(path("search"), search_term="wine"))["results"]


def test_an_answer_names_its_arm_and_a_dry_run_may_choose_it(api: ApiClient) -> None:
    test = Experiment.objects.create(
        name="Shorter", kind="ab", status="running", primary="ctr", started_at=timezone.now(), salt=b"s"
    )
    test.placements.set(Placement.objects.filter(name="home"))
    for position, changes in enumerate(({}, {"placements": {"home": {"n": 3}}})):
        Arm.objects.create(experiment=test, position=position, changes=changes, share=0.5)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    one = body(api.post(path("home"), {"user_id": "u0"}))
    (arm,) = one["experiments"]
    assert one["experiment"] == arm
    assert arm["experiment_id"] == test.code
    assert len(one["results"]) == {"a": 20, "b": 3}[arm["variation_id"]]
    for letter, count in (("a", 20), ("b", 3)):
        asked = {"user_id": "u0", "experiment": {"experiment_id": test.code, "variation_id": letter}}
        dry = body(api.post(path("home"), {**asked, "dry_run": True}))
        assert (dry["experiment"]["variation_id"], len(dry["results"])) == (letter, count)
        assert problem(api.post(path("home"), asked), 400)["errors"][0]["pointer"] == "/experiment"
    unknown = {"experiment_id": "e999999", "variation_id": "a"}
    problem(api.post(path("home"), {"user_id": "u0", "dry_run": True, "experiment": unknown}), 400)
    assert body(api.post(path("discover"), {"user_id": "u0"}))["experiment"] is None
