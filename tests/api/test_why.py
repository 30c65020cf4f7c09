"""``fields=why``: why an item is shown, and what its customer can do about it, by links of their own."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.models import Customer, Event, Item, RuleBook
from recommendations.services.contacts.objection import set_personalised
from recommendations.services.contacts.tokens import LASTS, LinkKind, SignedLink, opened
from recommendations.services.privacy.own_links import own_address
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.terms import Scope
from tests.api.conftest import ApiClient
from tests.api.test_cors import SHOP
from tests.api.test_page_questions import HOME, PAGE, Browser, proof
from tests.public.pages import HEADERS, UNKNOWN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

CODES = ["dislike", "object", "my_data"]


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    writes.rebuild()
    return client_with(Scope.RECOMMENDATIONS_READ)


def key_of(user_id: str) -> int:
    return Customer.objects.values_list("pk", flat=True).get(pseudonym=pseudonym(user_id))


def asked(api: ApiClient, **query: Any) -> list[dict[str, Any]]:
    answer = json.loads(api.get(HOME, **{"fields": "why", **query}).content)
    return list(answer["results"])


def codes(results: list[dict[str, Any]]) -> list[list[str]]:
    return [[action["code"] for action in result["why"]["actions"]] for result in results]


def url_of(results: list[dict[str, Any]], code: str, *, place: int = 0) -> str:
    [url] = [action["url"] for action in results[place]["why"]["actions"] if action["code"] == code]
    return str(url)


def test_it_is_there_only_where_it_is_asked_for(api: ApiClient) -> None:
    whole = json.loads(api.get(HOME, user_id="u1").content)["results"]
    assert all("why" not in result for result in whole)
    reasons = {result["item_id"]: result["reasons"][0]["text"] for result in whole if result["reasons"]}
    results = asked(api, user_id="u1")
    assert results[0].keys() == {"item_id", "rank", "source", "rules", "why"}
    assert {each["item_id"]: each["why"]["text"] for each in results if each["item_id"] in reasons} == {
        item: f"{text}." for item, text in reasons.items()
    }


def test_links_are_signed_for_this_customer_and_item(api: ApiClient, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://recsite.example"
    results = asked(api, user_id="u1", lang="zh-hans")
    assert codes(results) == [CODES] * len(results)
    keys = dict(Item.objects.values_list("shop_id", "pk"))
    for place, result in enumerate(results):
        for code, kind, item in (
            ("dislike", LinkKind.DISLIKE, keys[result["item_id"]]),
            ("object", LinkKind.OBJECT, 0),
            ("my_data", LinkKind.MY_DATA, 0),
        ):
            url = urlsplit(url_of(results, code, place=place))
            assert (url.netloc, url.query) == ("recsite.example", "language=zh-hans")
            assert opened(url.path.split("/")[3], kind, now=timezone.now()) == SignedLink(kind, key_of("u1"), item=item)
    why = results[0]["why"]
    assert why["main_parameters_url"] == "https://recsite.example/how-we-recommend/?lang=zh-hans"
    assert [action["label"] for action in why["actions"]] == ["不再推荐此商品", "关闭个性化推荐", "我的数据"]


def test_strangers_and_those_who_object_get_no_links(api: ApiClient) -> None:
    set_personalised(key_of("u2"), may=False, now=timezone.now())
    for query in ({}, {"user_id": "never"}, {"user_id": "u2"}, {"user_id": "u1", "personalise": "false"}):
        results = asked(api, **query)
        assert results
        assert codes(results) == [[]] * len(results)
        assert all(result["why"]["text"] and result["why"]["main_parameters_url"] for result in results)


def test_pages_and_batches_give_each_customer_their_own(api: ApiClient) -> None:
    page = json.loads(api.post(PAGE, {"user_id": "u1", "fields": ["why"]}).content)["slots"]
    assert all(codes(slot["results"]) == [CODES] * len(slot["results"]) for slot in page)
    users = [{"user_id": "u1"}, {"user_id": "u3"}, {"user_id": "never"}]
    batch = {"placement": "home", "users": users, "n": 2, "fields": ["why"]}
    answers = [each["recommendation"] for each in json.loads(
        api.post("/api/v1/recommendations/batch/", batch).content)["results"]]  # fmt: skip
    assert [codes(each["results"]) for each in answers] == [[CODES] * 2, [CODES] * 2, [[], []]]
    keys = [opened(urlsplit(url_of(each["results"], "object")).path.split("/")[3], LinkKind.OBJECT, now=timezone.now())
            for each in answers[:2]]  # fmt: skip
    assert [link and link.key for link in keys] == [key_of("u1"), key_of("u3")]


def test_a_page_gets_links_for_whom_it_proves(client_with: Callable[..., ApiClient]) -> None:
    page = Browser(client_with(Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, origins=[SHOP]))
    named = {"user_id": "u1", "anonymous_id": "a1", "fields": ["why"]}
    assert not any(map(any, codes(page.ask(**named)["results"])))
    assert codes(page.ask(**named, proof=proof())["results"])[0] == CODES


def test_what_a_rule_put_there_is_the_shops_choice(api: ApiClient) -> None:
    nothing = dict.fromkeys(("placement", "segment", "customer", "starts_at", "ends_at", "slot", "most", "share"))
    soap = {"attribute": "item", "operator": "is", "values": ["soap-3"]}
    rules = [
        {**nothing, "id": 1, "name": "Soap first", "context": [], "items": [soap], "action": "pin", "slot": 1,
         "strength": None, "per": ""},
        {**nothing, "id": 2, "name": "More of it", "context": [], "items": [], "action": "boost", "strength": 50,
         "per": ""},
    ]  # fmt: skip
    RuleBook.objects.create(number=5, is_default=True, rules=rules)
    fetch.announce(fetch.Changed.RULES)
    texts = [each["why"]["text"] for each in asked(api, user_id="u1")]
    assert texts[0] == "Chosen by the shop."
    assert texts[1].endswith(". Moved up by the shop.")
    assert asked(api, user_id="u1", lang="zh-hans")[0]["why"]["text"] == "由商家推荐。"


def test_an_item_is_taken_away_by_a_button(api: ApiClient) -> None:
    results = asked(api, user_id="u1")
    gone, page = results[0]["item_id"], urlsplit(url_of(results, "dislike")).path
    looked = Client().get(page)
    assert f"No longer recommend “{Item.objects.get(shop_id=gone).title}”?" in looked.content.decode()
    assert {name: looked[name] for name in HEADERS} == HEADERS
    Client().post(page, {"act": "something"})
    assert gone in [each["item_id"] for each in asked(api, user_id="u1")]
    assert "is not recommended to you any more" in Client().post(page, {"act": "dislike"}).content.decode()
    assert gone not in [each["item_id"] for each in asked(api, user_id="u1")]
    again = Client().get(page).content.decode()
    assert "is not recommended to you any more" in again
    assert "<button" not in again
    event = Event.objects.get(name="dislike_item", source="link")
    assert (event.customer_id, event.item and event.item.shop_id) == (key_of("u1"), gone)


def test_an_objection_holds_from_the_next_answer_on_and_is_taken_back(api: ApiClient) -> None:
    stranger, results = asked(api, user_id="never"), asked(api, user_id="u1")
    assert [each["item_id"] for each in results] != [each["item_id"] for each in stranger]
    page = urlsplit(url_of(results, "object")).path
    assert "Stop recommendations that go by what you do?" in Client().get(page).content.decode()
    assert codes(asked(api, user_id="u1")) == codes(results)
    assert "no longer go by what you do" in Client().post(page, {"act": "object"}).content.decode()
    assert asked(api, user_id="u1") == stranger
    dislike = urlsplit(url_of(results, "dislike")).path
    assert "What you do is not used here." in Client().post(dislike, {"act": "dislike"}).content.decode()
    assert not Event.objects.filter(name="dislike_item", source="link").exists()
    assert "by what you do are on again" in Client().post(page, {"act": "allow"}).content.decode()
    again = asked(api, user_id="u1")
    assert [each["item_id"] for each in again] == [each["item_id"] for each in stranger]  # what was before stays out
    assert "Stop recommendations that go by what you do?" in Client().get(page).content.decode()


@pytest.mark.parametrize("kind", [LinkKind.DISLIKE, LinkKind.OBJECT, LinkKind.MY_DATA])
def test_links_that_are_not_the_customers_open_nothing(kind: LinkKind) -> None:
    now, item = timezone.now(), Item.objects.earliest("pk")
    own, others = key_of("u1"), [each for each in LASTS if each is not kind]
    wrong = [own_address(other, own, item=item.pk, now=now) for other in others if other in "nom"]
    wrong = [re.sub("/m/./", f"/m/{kind}/", each) for each in wrong]
    wrong.append(own_address(kind, 10**9, item=item.pk, now=now))
    wrong.append(own_address(kind, own, item=item.pk, now=now - timedelta(days=30, minutes=2)))
    right = own_address(kind, own, item=item.pk, now=now - timedelta(days=29, hours=23))
    wrong += [right[:-2] + "/", right[:-10] + right[-9:]]
    for url in wrong:
        answer = Client().get(urlsplit(url).path)
        assert (answer.status_code, UNKNOWN in answer.content.decode()) == (404, True), url
    assert Client().get(urlsplit(right).path).status_code == 200
    Customer.objects.filter(pk=own).update(erased_at=now)
    assert Client().get(urlsplit(right).path).status_code == 404
