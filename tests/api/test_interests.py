"""``/api/v1/users/{id}/interests/``: the numbers of the loop, and what they are made of."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import Category, Customer, Event, Item, ModelVersion, Segment, Staff
from recommendations.services.review.judgements import judge
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import writes
from recommendations.store.live.state import LiveEvent
from recommendations.store.models.main_interests import load_main_interests
from recommendations.terms import JudgementKind, Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_recommend import body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.RECOMMENDATIONS_READ)


def interests(api: ApiClient, user: str, **query: Any) -> dict[str, Any]:
    return body(api.get(f"/api/v1/users/{user}/interests/", **query))


def test_shares_are_those_that_the_loop_learned(api: ApiClient) -> None:
    names = dict(Category.objects.values_list("pk", "path"))
    for number in range(10):
        answer = interests(api, f"u{number}")
        who = Customer.objects.get(pseudonym=pseudonym(f"u{number}"))
        known = load_main_interests(ModelVersion.objects.live().get().pk, customer=who.pk)
        assert known is not None
        for half_life, share in ((90, "share"), (7, "lately")):
            shares = {names[key]: value for key, value in known.shares(0, half_life=half_life).items()}
            assert answer["categories"]
            for one in answer["categories"]:
                assert one[share] == pytest.approx(shares[one["path"]], abs=2e-6)


def test_evidence_is_what_the_customer_did(api: ApiClient) -> None:
    answer = interests(api, "u4")  # buys wine
    who = Customer.objects.get(pseudonym=pseudonym("u4"))
    lines = Event.objects.purchases().filter(customer=who)
    assert (answer["known"], answer["personalised"], answer["fallback_reason"]) == (True, True, None)
    wine = answer["categories"][0]
    assert (wine["path"], wine["name"]) == ("FOOD > WINE", "Wine")
    assert wine["share"] > wine["usual"]
    assert (wine["purchases"], wine["other_acts"]) == (lines.count(), 0)
    last = lines.order_by("-occurred_at").values_list("occurred_at", flat=True)[0]
    assert abs((datetime.fromisoformat(wine["last_at"]) - last).total_seconds()) < 60
    assert len(answer["categories"]) == 1  # nothing else was touched
    brands = {one["name"]: one for one in answer["brands"]}
    assert {name: one["purchases"] for name, one in brands.items()} == {
        f"Brand {number}": lines.filter(item__brand=f"Brand {number}").count() for number in range(3)
    }
    assert sum(one["share"] for one in answer["brands"]) == pytest.approx(1, abs=1e-5)
    assert answer["model_version"].startswith("m")
    assert len(interests(api, "u4", n=1)["brands"]) == 1


@pytest.mark.parametrize("size", [19, 20])
def test_a_segment_of_fewer_than_20_people_is_nobodys_name(api: ApiClient, size: int) -> None:
    Segment.objects.update(size=size)
    segment = interests(api, "u4")["segment"]
    assert (segment is None) == (size < 20)
    assert segment is None or segment["name"]


def test_an_unknown_customer_has_a_cold_profile(api: ApiClient) -> None:
    for user in ("nobody", "a/b", "x" * 128):
        answer = interests(api, user)
        assert (answer["known"], answer["personalised"], answer["segment"]) == (False, False, None)
        assert (answer["fallback_reason"], answer["categories"], answer["brands"]) == ("no_history", [], [])


def test_a_customer_who_objected_has_an_empty_profile(api: ApiClient) -> None:
    Customer.objects.filter(pseudonym=pseudonym("u4")).update(personalise=False)
    answer = interests(api, "u4")
    assert (answer["personalised"], answer["fallback_reason"]) == (False, "not_personalised")
    assert (answer["categories"], answer["brands"], answer["segment"]) == ([], [], None)


def test_a_flaw_of_a_query_is_refused_with_its_parameter(api: ApiClient) -> None:
    assert problem(api.get("/api/v1/users/u1/interests/", n="0"), 400)["errors"][0]["pointer"] == "n"
    assert problem(api.get("/api/v1/users/u1/interests/", colour="red"), 400)["errors"][0]["pointer"] == "colour"


def test_an_id_that_is_too_long_for_any_customer_is_refused(api: ApiClient) -> None:
    assert problem(api.get(f"/api/v1/users/{129 * 'x'}/interests/"), 400)["errors"][0]["pointer"] == "user_id"


def dislike(user: str, *shop_ids: str, days: float = 0) -> None:
    key = Customer.objects.get(pseudonym=pseudonym(user)).pk
    at = timezone.now() - timedelta(days=days)
    items = Item.objects.filter(shop_id__in=shop_ids).values_list("pk", flat=True)
    writes.remember([LiveEvent(key, EventName.DISLIKE_ITEM, item, at) for item in items])


def shares_of(api: ApiClient, user: str) -> dict[str, float]:
    return {one["name"]: one["share"] for one in interests(api, user)["categories"]}


def test_a_dislike_lowers_a_share_and_a_second_one_in_a_category_halves_it(api: ApiClient) -> None:
    writes.rebuild()
    before = shares_of(api, "u4")["Wine"]
    dislike("u4", "wine-1")
    once = shares_of(api, "u4")["Wine"]
    assert 0.9 * before < once < before
    dislike("u4", "wine-2")
    assert 0.45 * once < shares_of(api, "u4")["Wine"] < 0.5 * once
    writes.remember([writes.Forgotten(Customer.objects.get(pseudonym=pseudonym("u4")).pk)])
    dislike("u4", "wine-1", "wine-2", days=31)
    assert 0.9 * before < shares_of(api, "u4")["Wine"] < before


def test_a_verdict_of_staff_is_no_dislike(api: ApiClient) -> None:
    writes.rebuild()
    ada = Staff.objects.create_user("ada@example.com", "correct horse battery")
    before = interests(api, "u4")["categories"]
    customer = Customer.objects.get(pseudonym=pseudonym("u4"))
    for shop_id in ("wine-1", "wine-2"):
        item = Item.objects.get(shop_id=shop_id)
        judge(
            customer=customer, item=item, placement="home", judgement=JudgementKind.WRONG, rank=1, by=ada,
            now=timezone.now(),
        )  # fmt: skip
    assert interests(api, "u4")["categories"] == before
