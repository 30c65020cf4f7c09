"""``/api/v1/users/{id}/taste/``: said, it makes the next answer; withdrawn, it does no longer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from recommendations.models import Address, Contact, Customer, Event, Item, StatedTaste
from recommendations.services.contacts.own_data import file_of
from recommendations.services.contacts.reading import erase_contact
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import Liking, LikingKind
from recommendations.terms import Scope, Trust
from tests.api.conftest import ApiClient, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
ADDRESS = "/api/v1/users/taste-1/taste/"
WINE = {"categories": ["FOOD > WINE"]}
NOTHING = {"categories": [], "item_ids": [], "tags": []}


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(*Scope)


def send(server: ApiClient, body: Any) -> Any:
    answer = server.send("POST", ADDRESS, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def shelves(server: ApiClient) -> set[str]:
    answer = server.get("/api/v1/placements/home/recommend/", user_id="taste-1", n=5).json()
    return {one["item_id"].partition("-")[0].capitalize() for one in answer["results"]}


def test_the_next_answer_is_made_of_it(server: ApiClient) -> None:
    assert shelves(server) != {"Wine"}
    told = send(server, {**WINE, "item_ids": ["wine-1", "gone"], "tags": ["odd"]})
    assert told.pop("stated_at")
    assert told == {
        "categories": ["FOOD > WINE"], "item_ids": ["wine-1"], "tags": [], "counts": True,
        "unknown": {"categories": [], "item_ids": ["gone"], "tags": ["odd"]},
    }  # fmt: skip
    assert shelves(server) == {"Wine"}
    kept = server.get(ADDRESS).json()
    assert (kept["categories"], kept["item_ids"], kept["tags"]) == (["FOOD > WINE"], ["wine-1"], [])


def test_what_is_said_later_takes_its_place(server: ApiClient) -> None:
    Item.objects.filter(shop_id="tea-1").update(tags=["green"])
    send(server, WINE)
    send(server, {"categories": ["FOOD > TEA"], "tags": ["green", "green"]})
    kept = server.get(ADDRESS).json()
    assert (kept["categories"], kept["tags"]) == (["FOOD > TEA"], ["green"])
    assert "Tea" in shelves(server)
    assert "Wine" not in shelves(server)


def test_withdrawn_it_is_forgotten(server: ApiClient, django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    before = shelves(server)
    assert server.send("DELETE", ADDRESS).json() == {"verdict": "unchanged"}
    send(server, WINE)
    with django_capture_on_commit_callbacks(execute=True):
        assert server.send("DELETE", ADDRESS).json() == {"verdict": "withdrawn"}
    assert server.get(ADDRESS).json() == {**NOTHING, "stated_at": None, "counts": True}
    assert shelves(server) == before


def test_of_nobody_there_is_nothing(server: ApiClient) -> None:
    assert server.get("/api/v1/users/nobody/taste/").json() == {**NOTHING, "stated_at": None, "counts": True}
    assert not Customer.objects.filter(pseudonym=pseudonym("nobody")).exists()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/categories"]), ({"categories": []}, ["/categories"]), ({"brands": ["x"]}, ["/brands"]),
        ({"tags": ["x" * 101]}, ["/tags/0"]), ({"item_ids": [""]}, ["/item_ids/0"]), ({"tags": "x"}, ["/tags"]),
        ({"tags": ["a\x00"]}, ["/tags/0"]), ({"categories": ["x"] * 51}, ["/categories"]),
        ({"categories": ["GONE", "FOOD > SHOES"], "tags": ["odd"]}, ["/categories/0", "/categories/1", "/tags/0"]),
    ],
)  # fmt: skip
def test_a_bad_body_names_the_place_and_changes_nothing(
    server: ApiClient, body: dict[str, Any], pointers: list[str]
) -> None:
    send(server, WINE)
    flaws = problem(server.send("POST", ADDRESS, body), 400)["errors"]
    assert [flaw["pointer"] for flaw in flaws] == pointers
    assert all(flaw["message"] for flaw in flaws)
    assert server.get(ADDRESS).json()["categories"] == ["FOOD > WINE"]


def test_who_objects_is_told_that_it_does_not_count(server: ApiClient) -> None:
    before = shelves(server)
    Customer.objects.create(pseudonym=pseudonym("taste-1"), personalise=False)
    writes.remember([writes.Objection(Customer.objects.get(pseudonym=pseudonym("taste-1")).pk, objected=True)])
    assert send(server, WINE)["counts"] is False
    assert shelves(server) == before


def follow(server: ApiClient, name: str, target: str, kind: str = "brand", **more: Any) -> None:
    event = {
        "event_id": str(uuid4()), "name": name, "timestamp": timezone.now().isoformat(), "user_id": "taste-1",
        "target_type": kind, "target_id": target, **more,
    }  # fmt: skip
    assert server.send("POST", "/api/v1/events/", event).status_code == 202


def likings() -> tuple[Liking, ...]:
    key = Customer.objects.get(pseudonym=pseudonym("taste-1")).pk
    return tuple(one._replace(at=0) for one in fetch.state_of(key, since=None).state.liked)


def test_brands_and_categories_that_are_followed_count_until_they_are_not(server: ApiClient) -> None:
    send(server, WINE)
    follow(server, "follow", "Brand 1")
    follow(server, "follow", "FOOD > TEA", "category")
    follow(server, "follow", "u3", "customer")
    brand, tea = Liking(LikingKind.BRAND, "Brand 1", True), Liking(LikingKind.CATEGORY, "FOOD > TEA", True)
    assert likings() == (Liking(LikingKind.CATEGORY, "FOOD > WINE"), brand, tea)
    follow(server, "unfollow", "Brand 1")
    assert likings() == (Liking(LikingKind.CATEGORY, "FOOD > WINE"), tea)
    follow(server, "unfollow", "Brand 2")  # which was never followed
    assert tea in likings()


def test_a_page_alone_follows_nothing_in_anothers_name(server: ApiClient) -> None:
    send(server, WINE)
    who = Customer.objects.get(pseudonym=pseudonym("taste-1"))
    Event.objects.create(
        occurred_at=timezone.now() - timedelta(minutes=1), event_id=uuid4(), name="follow", customer=who,
        target_type="brand", target_id="Brand 2", trust=Trust.PAGE,
    )  # fmt: skip
    follow(server, "follow", "Brand 1")
    assert [one.name for one in likings() if one.followed] == ["Brand 1"]


def test_what_valkey_lost_is_made_again(server: ApiClient) -> None:
    send(server, WINE)
    follow(server, "follow", "Brand 1")
    said = likings()
    writes.rebuild(afresh=True)
    assert likings() == said


def test_it_is_in_the_file_of_the_person_and_goes_with_them(
    server: ApiClient, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    send(server, WINE)
    who = Customer.objects.get(pseudonym=pseudonym("taste-1"))
    contact = Contact.objects.create(customer=who)
    told = file_of(Address(contact=contact), now=timezone.now())["stated_taste"]
    assert (told["categories"], told["item_ids"]) == (["FOOD > WINE"], [])
    with django_capture_on_commit_callbacks(execute=True):
        erase_contact(contact, now=timezone.now())
    assert not StatedTaste.objects.exists()
    assert likings() == ()


def test_what_a_visitor_follows_is_the_customers_whom_they_become(server: ApiClient) -> None:
    send(server, WINE)
    event = {
        "event_id": str(uuid4()), "name": "follow", "timestamp": timezone.now().isoformat(), "anonymous_id": "taste-a",
        "target_type": "brand", "target_id": "Brand 1",
    }  # fmt: skip
    assert server.send("POST", "/api/v1/events/", event).status_code == 202
    pair = {"anonymous_id": "taste-a", "user_id": "taste-1"}
    assert server.send("POST", "/api/v1/users/merge/", pair).status_code == 202
    assert [one.name for one in likings()] == ["FOOD > WINE", "Brand 1"]
    assert server.send("POST", "/api/v1/users/merge/", {**pair, "undo": True}).status_code == 202
    assert [one.name for one in likings()] == ["FOOD > WINE"]
