"""What a request may say beside whom it is for: filters by tags and attributes, in all three addresses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from recommendations.api import recommend, recommend_bodies
from recommendations.api.lane import Lane
from recommendations.models import Item
from recommendations.store.live import fetch
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body, ids, path
from tests.serving.test_request_filter import away

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

BATCH, PAGE = "/api/v1/recommendations/batch/", "/api/v1/pages/home/recommend/"


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ)


@pytest.fixture(autouse=True)
def _said(_empty_valkey: None) -> None:
    for shop_id, colour in (("tea-0", "red"), ("tea-1", "blue"), ("soap-1", ["red", "blue"])):
        said = {"colour": colour, "pack": 2, "vegan": True}
        Item.objects.filter(shop_id=shop_id).update(tags=["Gift"], attributes=said, updated_at=timezone.now())
    fetch.announce(*fetch.Changed)


def home(api: ApiClient, **wanted: Any) -> set[str]:
    return set(ids(body(api.post(path("home"), {"user_id": "u0", "n": 100, "fields": [], "filter": wanted}))))


def test_a_filter_speaks_of_everything_that_a_shopper_sees(api: ApiClient) -> None:
    assert home(api, tags=["Gift"]) == {"tea-0", "tea-1", "soap-1"}
    assert home(api, attributes={"colour": ["red"], "pack": [2], "vegan": [True]}) == {"tea-0", "soap-1"}
    assert home(api, tags=["Gift"], not_categories=["FOOD > TEA"]) == {"soap-1"}
    assert home(api, item_ids=["tea-0", "tea-2", "none"], not_tags=["Gift"]) == {"tea-2"}
    assert home(api, tags=["Gift"], not_brand=["Brand 1"]) == {"tea-0"}
    assert home(api, tags=["nobody has it"]) == set()


def test_pages_and_batches_take_the_same_filter(api: ApiClient) -> None:
    page = body(api.post(PAGE, {"user_id": "u0", "filter": {"tags": ["Gift"]}}))
    assert {item for slot in page["slots"] for item in ids(slot)} == {"tea-0", "tea-1", "soap-1"}
    sent = {"placement": "email", "users": [{"user_id": "u0"}, {"user_id": "u1"}], "filter": {"tags": ["Gift"]}}
    for result in body(api.post(BATCH, sent))["results"]:
        assert set(ids(result["recommendation"])) == {"tea-0", "tea-1", "soap-1"}


@pytest.mark.parametrize(
    ("wanted", "pointer", "text"),
    [
        ({"margin": {"gte": 1}}, "/filter/margin", "The field is unknown."),
        ({"cost": 1}, "/filter/cost", "The field is unknown."),
        ({"available_quantity": {"gte": 1}}, "/filter/available_quantity", "The field is unknown."),
        ({"item_ids": ["x"] * 1001}, "/filter/item_ids", "Send at most 1000 elements."),
        ({"item_ids": [""]}, "/filter/item_ids/0", "Send at least 1 character."),
        ({"tags": "Gift"}, "/filter/tags", "Send an array or null, not a string."),
        ({"attributes": {"colour": "red"}}, "/filter/attributes", "Send an array, not a string."),
        ({"attributes": {str(n): [] for n in range(21)}}, "/filter/attributes", "Send at most 20 fields."),
        ({"attributes": {str(n): ["x"] * 51 for n in range(10)}}, "/filter",
         "510 tags and values of attributes are too many; send at most 500 in a request."),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_told_where_and_what_to_send(
    api: ApiClient, wanted: dict[str, Any], pointer: str, text: str
) -> None:
    answer = problem(api.post(path("home"), {"filter": wanted}), 400)
    assert answer["errors"] == [{"pointer": pointer, "message": text}]


def test_without_postgresql_a_filter_that_has_to_be_looked_up_is_a_503(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {"user_id": "u0", "filter": {"tags": ["Gift"]}}
    wanted = ids(body(api.post(path("home"), sent)))
    other = {"user_id": "u0", "filter": {"attributes": {"colour": ["red"]}}}
    monkeypatch.setattr(Item.objects, "filter", away)
    assert ids(body(api.post(path("home"), sent))) == wanted
    users = [{"user_id": "u0"}]
    for address, more in ((path("home"), {}), (PAGE, {}), (BATCH, {"placement": "home", "users": users})):
        answer = api.post(address, {"filter": other["filter"], **more})
        assert "database" in problem(answer, 503)["detail"]
        assert answer["Retry-After"]


def test_what_has_to_be_looked_up_waits_in_a_lane_of_its_own(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(at_once=1, waiting=0, seconds=0.01, retry=1)
    monkeypatch.setattr(recommend, "_lookups", lane)
    current_snapshot()
    sent = {"filter": {"tags": ["Gift"]}}
    with lane.entered():
        problem(api.post(path("home"), sent), 503)
        body(api.post(path("home"), {}))
    body(api.post(path("home"), sent))
    with lane.entered():
        body(api.post(path("home"), sent))  # it is held


def test_the_limits_are_those_of_the_docs() -> None:
    assert (recommend_bodies.MOST_IDS, recommend_bodies.MOST_LOOKED_UP) == (1_000, 500)


def test_both_ways_to_ask_lead_from_page_to_page(api: ApiClient) -> None:
    first = body(api.get(path("home"), user_id="u0", n=40))
    assert first["next_cursor"]
    second = body(api.get(path("home"), user_id="u0", n=40, cursor=first["next_cursor"]))
    posted = body(api.post(path("home"), {"user_id": "u0", "n": 40, "cursor": first["next_cursor"]}))
    assert ids(second) == ids(posted)
    assert len({*ids(first), *ids(second)}) == 72
    assert second["next_cursor"] is None
    beside = body(api.get("/api/v1/items/tea-1/similar/", n=5))
    after = body(api.get("/api/v1/items/tea-1/similar/", n=5, cursor=beside["next_cursor"]))
    assert not {*ids(beside)} & {*ids(after)}


def test_a_cursor_that_is_none_is_refused_with_the_remedy(api: ApiClient) -> None:
    text = "This is no cursor of ours; send “next_cursor” of the answer before, or nothing for the first page."
    for answer, pointer in (
        (api.get(path("home"), cursor="r-01J"), "cursor"),
        (api.post(path("home"), {"cursor": "ä"}), "/cursor"),
        (api.get("/api/v1/items/tea-1/similar/", cursor=""), "cursor"),
    ):
        assert problem(answer, 400)["errors"] == [{"pointer": pointer, "message": text}]
    for address, more in ((PAGE, {}), (BATCH, {"placement": "home", "users": [{"user_id": "u0"}]})):
        answer = api.post(address, {"cursor": "AQ", **more})
        assert problem(answer, 400)["errors"] == [{"pointer": "/cursor", "message": "The field is unknown."}]


def test_slots_of_a_page_have_cursors_of_their_own(api: ApiClient) -> None:
    page = body(api.post(PAGE, {"user_id": "u0"}))
    on_page = {item for slot in page["slots"] for item in ids(slot)}
    slot = page["slots"][2]
    after = body(api.get(path("discover"), user_id="u0", n=6, cursor=slot["next_cursor"]))
    assert slot["placement"] == "discover"
    assert len(ids(after)) == 6
    assert not on_page & {*ids(after)}


def boosted(**more: Any) -> dict[str, Any]:
    return {
        "boosts": [{"filter": {"tags": ["Gift"]}, "strength": 100, "name": " Summer "}],
        "fields": ["score"],
        **more,
    }


def test_a_boost_lifts_in_all_three_addresses_and_is_named(api: ApiClient) -> None:
    plain = ids(body(api.post(path("home"), {"user_id": "u0", "n": 72, "fields": []})))
    answer = body(api.post(path("home"), boosted(user_id="u0", n=72)))
    for item in ("tea-0", "tea-1"):
        assert ids(answer).index(item) < plain.index(item)
    named = {result["item_id"]: result["rules"] for result in answer["results"]}
    assert named["tea-0"] == ["Summer"]
    assert named["bread-0"] == []
    page = body(api.post(PAGE, boosted(user_id="u0")))
    assert any("Summer" in result["rules"] for slot in page["slots"] for result in slot["results"])
    batch = body(api.post(BATCH, boosted(placement="home", users=[{"user_id": "u0"}], n=72)))
    assert ids(batch["results"][0]["recommendation"]) == ids(answer)


@pytest.mark.parametrize(
    ("boosts", "pointer", "text"),
    [
        ([{"strength": 1}], "/boosts/0/filter", "The field is missing."),
        ([{"filter": {}}], "/boosts/0/strength", "The field is missing."),
        ([{"filter": {}, "strength": 101}], "/boosts/0/strength", "Send a number of at most 100."),
        ([{"filter": {}, "strength": 0.5}], "/boosts/0/strength", "Send a whole number, not a number with decimals."),
        ([{"filter": {}, "strength": 1, "name": "x" * 61}], "/boosts/0/name", "Send at most 60 characters."),
        ([{"filter": {}, "strength": 1}] * 11, "/boosts", "Send at most 10 elements."),
        ([{"filter": {}, "strength": 1}, {"filter": {"price": {"lte": "NaN"}}, "strength": 1}],
         "/boosts/1/filter/price/lte", "Not a number."),
    ],
)  # fmt: skip
def test_a_wrong_boost_is_told_where(api: ApiClient, boosts: list[dict[str, Any]], pointer: str, text: str) -> None:
    assert problem(api.post(path("home"), {"boosts": boosts}), 400)["errors"] == [{"pointer": pointer, "message": text}]


def test_rotation_goes_by_every_way_to_ask(api: ApiClient) -> None:
    plain = ids(body(api.get(path("home"), user_id="u0", n=5)))
    assert ids(body(api.get(path("home"), user_id="u0", n=5, rotation=1))) == plain  # nothing was seen
    assert ids(body(api.post(path("home"), {"user_id": "u0", "n": 5, "rotation": 0.5}))) == plain
    body(api.post(PAGE, {"user_id": "u0", "rotation": 1}))
    body(api.post(BATCH, {"placement": "home", "users": [{"user_id": "u0"}], "rotation": 0}))
    body(api.get("/api/v1/items/tea-1/similar/", rotation=0.2))
    for answer in (api.get(path("home"), rotation=1.5), api.post(path("home"), {"rotation": 1.5})):
        assert problem(answer, 400)["errors"][0]["message"] == "Send a number of at most 1."
