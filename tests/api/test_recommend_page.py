"""``/api/v1/pages/{page}/recommend/``: one answer for each placement of a page, and no item in two of them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from recommendations.api import recommend
from recommendations.api.lane import Lane
from recommendations.models import Slate
from recommendations.store.live import fetch
from recommendations.store.serving import snapshot_holder
from recommendations.store.serving.slates import write_slates
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import MEMBERS, OF_A_RESULT, body, ids
from tests.api.test_recommend import path as placement_path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME = ["home", "buy_again", "discover", "trending", "new"]


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ)


def path(page: str) -> str:
    return f"/api/v1/pages/{page}/recommend/"


def slots(**counts: int) -> list[dict[str, Any]]:
    return [{"placement": placement, "n": n} for placement, n in counts.items()]


@pytest.mark.parametrize("user", ["u0", "u7", "nobody", None])
@pytest.mark.parametrize("page", ["home", "item", "cart", "category", "search", "thanks"])
def test_no_item_stands_on_a_page_twice(api: ApiClient, page: str, user: str | None) -> None:
    sent: dict[str, Any] = {"context": {"item_ids": ["tea-1"], "basket": ["tea-2"]}}
    if user:
        sent["user_id"] = user
    answer = body(api.post(path(page), sent))
    assert set(answer) == {"page", "slots"}
    assert answer["page"] == page
    for slot in answer["slots"]:
        assert set(slot) == MEMBERS
        assert all(set(result) == OF_A_RESULT for result in slot["results"])
        assert [result["rank"] for result in slot["results"]] == list(range(1, len(slot["results"]) + 1))
    every = [item for slot in answer["slots"] for item in ids(slot)]
    assert len(every) == len(set(every)) > 0
    assert len({slot["recommendation_id"] for slot in answer["slots"]}) == len(answer["slots"])


def test_similar_is_similar_and_what_goes_with_it_is_another_thing(api: ApiClient) -> None:
    answer = body(
        api.post(path("item"), {"context": {"item_ids": ["tea-1"]}, "slots": [{"placement": "item", "n": 5}]})
    )
    beside, similar = answer["slots"]
    assert {item.partition("-")[0] for item in ids(similar)} == {"tea"}
    codes = [result["reasons"][0]["code"] for result in similar["results"] if result["reasons"]]
    assert "bought_together" not in codes
    assert beside["placement"] == "also_bought"
    assert not set(ids(similar)) & set(ids(beside))


def test_a_slot_is_what_the_placement_answers_but_for_the_others(api: ApiClient) -> None:
    wishes = {"user_id": "u1", "filter": {"price": {"lte": 8}}, "exclude_item_ids": ["wine-0"], "lang": "zh-hans"}
    page = body(api.post(path("home"), {**wishes, "slots": slots(home=7, buy_again=0, discover=0)}))
    first = page["slots"][0]
    alone = body(api.post(placement_path("home"), {**wishes, "n": 7}))
    assert first.pop("recommendation_id") != alone.pop("recommendation_id")
    assert first.pop("next_cursor") != alone.pop("next_cursor")  # which leaves out what the others show, too
    assert first == alone
    assert "wine-0" not in [item for slot in page["slots"] for item in ids(slot)]


def test_slots_say_how_many_and_which(api: ApiClient) -> None:
    sent = {"user_id": "u1", "slots": [*slots(home=3, buy_again=0, cart=0), {"placement": "trending"}]}
    answer = body(api.post(path("home"), {**sent, "fields": []}))
    assert [slot["placement"] for slot in answer["slots"]] == ["home", "discover", "trending", "new"]
    assert [len(ids(slot)) for slot in answer["slots"]] == [3, 6, 6, 6]


def test_only_the_slots_that_are_named_are_asked_for(api: ApiClient) -> None:
    """Nothing is kept for, shown in or written down of a slot that the page does not have in view."""
    sent = {"user_id": "u1", "slots": [{"placement": "trending"}, *slots(home=3, new=0)], "only": True, "fields": []}
    answer = body(api.post(path("home"), sent))
    assert [(slot["placement"], len(ids(slot))) for slot in answer["slots"]] == [("home", 3), ("trending", 6)]
    alone = body(api.post(placement_path("home"), {"user_id": "u1", "n": 3, "fields": []}))
    assert ids(answer["slots"][0]) == ids(alone)
    assert write_slates() == 3
    assert body(api.post(path("home"), {"only": True}))["slots"] == []
    wrong = problem(api.post(path("home"), {"only": True, "slots": slots(cart=1)}), 400)
    assert [flaw["pointer"] for flaw in wrong["errors"]] == ["/slots/0/placement"]


def test_every_slot_is_written_as_a_slate_unless_dry(api: ApiClient) -> None:
    answer = body(api.post(path("home"), {"user_id": "u1", "fields": []}))
    assert write_slates() == 5
    rows = Slate.objects.in_bulk([row.pk for row in Slate.objects.all()]).values()
    assert {row.recommendation_id: row.placement for row in rows} == {
        slot["recommendation_id"]: slot["placement"] for slot in answer["slots"]
    }
    body(api.post(path("home"), {"user_id": "u1", "dry_run": True}))
    assert write_slates() == 0


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"n": 3}, "/n"),
        ({"slots": slots(new=1, home=101)}, "/slots/1/n"),
        ({"slots": slots(home=-1)}, "/slots/0/n"),
        ({"slots": [{"placement": "home", "count": 1}]}, "/slots/0/count"),
        ({"slots": [{"n": 3}]}, "/slots/0/placement"),
        ({"slots": {"home": 3}}, "/slots"),
        ({"slots": slots(home=3, cart=3)}, "/slots/1/placement"),
        ({"slots": [{"placement": "nowhere"}]}, "/slots/0/placement"),
        ({"slots": slots(home=3) * 2}, "/slots/1/placement"),
        ({"slots": slots(home=3) * 13}, "/slots"),
        ({"user_id": ""}, "/user_id"),
        ({"context": {"item": "tea-1"}}, "/context/item"),
        ({"placement": "home"}, "/placement"),
    ],
)
def test_a_flaw_is_refused_with_its_pointer(api: ApiClient, sent: Any, pointer: str) -> None:
    errors = problem(api.post(path("home"), sent), 400)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]


def test_an_unknown_page_is_404_and_another_method_405(api: ApiClient) -> None:
    assert "“nowhere”" in problem(api.post(path("nowhere"), {}), 404)["detail"]
    assert api.get(path("home")).status_code == 405


def test_a_search_on_a_page_waits_in_the_lane_of_searches(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend, "_searches", Lane(at_once=1, waiting=0, seconds=0.1, retry=7))
    with recommend._searches.entered():
        assert problem(api.post(path("search"), {"context": {"search_term": "tea"}}), 503)
        assert body(api.post(path("search"), {"context": {"search_term": "tea", "item_ids": ["tea-1"]}}))
        assert body(api.post(path("home"), {"user_id": "u1"}))


def test_a_page_goes_on_while_the_servers_are_away(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    body(api.post(path("home"), {"user_id": "u1"}))

    def away(*_given: Any, **_named: Any) -> Any:
        raise DatabaseError

    monkeypatch.setattr(snapshot_holder, "live_version", away)
    fetch.announce(fetch.Changed.WEIGHTS)
    assert [slot["placement"] for slot in body(api.post(path("home"), {"user_id": "u1"}))["slots"]] == HOME
