"""``/api/v1/campaigns/{slug}/trigger/``: an occasion counts once, and the answer says what will happen."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.utils import timezone

from recommendations.models import (
    Audience,
    AudienceMember,
    Campaign,
    Considered,
    Customer,
    Item,
    Message,
    PressureRules,
    ShopOccasion,
)
from recommendations.push_terms import CampaignKind, Channel, Priority, Purpose, SuppressionReason, Trigger
from recommendations.services.campaigns.lifecycle import approve, create_campaign, pause
from recommendations.services.push.sendings import decide_pushes
from recommendations.store.contacts import silence
from recommendations.store.contacts.sealing import digest_of
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.push_records import contact, pressure
from tests.services.campaigns.test_form import draft

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

VISIT = "/api/v1/campaigns/visit/trigger/"
BODY = {"user_id": "u1", "key": "visit-1"}


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CAMPAIGNS_TRIGGER)


@pytest.fixture(autouse=True)
def rules(settings: LazySettings) -> PressureRules:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    return pressure(quiet_from=time(0), quiet_until=time(0))


@pytest.fixture(autouse=True)
def visit() -> Campaign:
    return live("Visit", trigger=Trigger.SHOP)


def live(name: str, *, trigger: Trigger, who: dict[str, Any] | None = None) -> Campaign:
    now = timezone.now() - timedelta(minutes=1)
    parts = {"safety": {"priority": Priority.SERVICE}, "who": who or {}}
    made = create_campaign(
        name=name, kind=CampaignKind.TRIGGERED, trigger=trigger, purpose=Purpose.REMINDERS, draft=draft(**parts),
        by=None, now=now,
    )  # fmt: skip
    approve(campaign=made, revision=made.revision, expected={}, note="go", by=None, now=now)
    return made


def ask(server: ApiClient, **fields: Any) -> HttpResponse:
    return server.post(VISIT, BODY | fields)


def sku(number: int) -> str:
    return Item.objects.order_by("pk")[number].shop_id


def test_an_occasion_becomes_a_message_at_the_next_look(server: ApiClient) -> None:
    own = contact("u1")
    answer = ask(server, item_ids=["nothing like it", sku(3)])
    assert answer.status_code == 202, answer.content
    told = answer.json()
    due_at = told.pop("due_at")
    assert told == {
        "campaign": "visit", "user_id": "u1", "key": "visit-1", "item_id": sku(3), "verdict": "now", "decided": None,
    }  # fmt: skip
    assert due_at is not None
    decide_pushes(now=timezone.now() + timedelta(minutes=1))
    message = Message.objects.get()
    assert (message.customer_id, message.key, message.trigger_item) == (
        own.contact_id, "visit-1", Item.objects.get(shop_id=sku(3)).pk,
    )  # fmt: skip


def test_the_same_key_has_the_same_answer_and_sends_nothing_more(server: ApiClient, visit: Campaign) -> None:
    own = contact("u1")
    first = ask(server, item_ids=[sku(1)])
    silence.silence(Channel.EMAIL, bytes(own.digest), reason=SuppressionReason.STAFF, now=timezone.now())
    pause(campaign=visit, reason="stop", by=None, now=timezone.now())
    again = ask(server, item_ids=[sku(1)])
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    assert ShopOccasion.objects.count() == 1
    assert problem(ask(server, item_ids=[sku(2)]), 409)["code"] == "key_reused"
    assert problem(ask(server), 409)["code"] == "key_reused"


def test_the_same_key_tells_what_became_of_the_occasion(server: ApiClient, visit: Campaign) -> None:
    own = contact("u1")
    first = ask(server).json()
    look = timezone.now() + timedelta(minutes=1)
    decide_pushes(now=look)
    again = ask(server).json()
    decided = {"verdict": "now", "state": "due", "reason": None, "at": fields_of(look)}
    assert again == first | {"decided": decided}
    Message.objects.update(state="withdrawn", reason="done_already")
    assert ask(server).json()["decided"] == decided | {"state": "withdrawn", "reason": "done_already"}
    Message.objects.update(state="held")  # for comparison: it is no message of the customer's
    assert ask(server).json()["decided"] == decided | {"state": None, "reason": None}
    Message.objects.all().delete()
    Considered.objects.filter(customer=own.contact_id).update(verdict="too_little")
    assert ask(server).json() == first | {"decided": decided | {"verdict": "too_little", "state": None}}
    visit.occurrences.update(state="planned")  # a plan decides nothing
    assert ask(server).json()["decided"] is None


def fields_of(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_the_message_is_about_the_first_item_that_is_for_sale(server: ApiClient) -> None:
    contact("u1")
    Item.objects.filter(shop_id=sku(0)).update(retired_at=timezone.now())
    fetch.announce(fetch.Changed.CATALOGUE)
    assert ask(server, item_ids=[sku(0), sku(5), sku(6)]).json()["item_id"] == sku(5)
    assert ask(server, key="visit-2", item_ids=[sku(0)]).json()["item_id"] == sku(0)
    assert ask(server, key="visit-3").json()["item_id"] is None
    refused = problem(ask(server, key="visit-4", item_ids=["nothing like it"]), 400)
    assert [flaw["pointer"] for flaw in refused["errors"]] == ["/item_ids"]


@pytest.mark.parametrize("status", ["paused", "ended", "archived", "scheduled", "draft"])
def test_a_campaign_that_sends_nothing_now_takes_no_occasion(server: ApiClient, visit: Campaign, status: str) -> None:
    contact("u1")
    now = timezone.now()
    if status == "draft":
        visit.versions.update(is_live=False)
    elif status == "scheduled":
        visit.versions.update(starts_at=now + timedelta(days=1))
    else:
        Campaign.objects.update(**{f"{status}_at": now})
    refused = problem(ask(server), 409)
    assert (refused["code"], status in refused["detail"]) == ("campaign_not_live", True)
    assert not ShopOccasion.objects.exists()


def test_a_campaign_with_another_trigger_is_not_the_shops(server: ApiClient) -> None:
    live("Left in the cart", trigger=Trigger.CART_LEFT)
    contact("u1")
    answer = server.post("/api/v1/campaigns/left-in-the-cart/trigger/", BODY)
    assert problem(answer, 409)["code"] == "other_trigger"


def test_nothing_happens_to_whom_nobody_knows(server: ApiClient) -> None:
    refused = problem(ask(server, user_id="stranger"), 404)
    assert [flaw["pointer"] for flaw in refused["errors"]] == ["/user_id"]
    assert not Customer.objects.filter(pseudonym=pseudonym("stranger")).exists()
    assert problem(server.post("/api/v1/campaigns/nothing/trigger/", BODY), 404)["errors"] == []


def test_the_answer_says_why_nothing_will_be_sent(server: ApiClient, rules: PressureRules) -> None:
    assert ask(server, user_id="u2", key="a").json()["verdict"] == "no_address"
    contact("u3", purposes=(Purpose.NEWS,))
    assert ask(server, user_id="u3", key="a").json()["verdict"] == "no_consent"
    silence.silence(
        Channel.EMAIL, digest_of(Channel.EMAIL, {"email": "u4@example.com"}), reason=SuppressionReason.STAFF,
        now=timezone.now(),
    )  # fmt: skip
    contact("u4")
    assert ask(server, user_id="u4", key="a").json()["verdict"] == "suppressed"
    contact("u5", quiet_from=time(0), quiet_until=time(23, 59))
    later = ask(server, user_id="u5", key="a").json()
    assert later["verdict"] == ("later" if timezone.now().time() < time(23, 59) else "now")
    assert later["due_at"] is not None
    audience = Audience.objects.create(name="Regulars")
    AudienceMember.objects.create(audience=audience, customer=Customer.objects.get(pseudonym=pseudonym("u5")))
    live("Regulars", trigger=Trigger.SHOP, who={"any_of": [audience.pk]})
    inside, outside = (
        server.post("/api/v1/campaigns/regulars/trigger/", {"user_id": user, "key": "a"}).json()
        for user in ("u5", "u1")
    )
    assert (inside["verdict"], outside["verdict"], outside["due_at"]) == (later["verdict"], None, None)
    assert not Considered.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""), (BODY | {"key": ""}, "/key"), (BODY | {"key": "x" * 65}, "/key"), (BODY | {"key": "a\x00"}, "/key"),
        (BODY | {"item_ids": ["a\x00"]}, "/item_ids/0"), (BODY | {"item_ids": ["a"] * 21}, "/item_ids"),
        (BODY | {"user_id": "u\x00"}, "/user_id"), (BODY | {"data": {}}, ""), ([], ""),
    ],
)  # fmt: skip
def test_a_body_that_does_not_fit_is_refused_at_its_place(server: ApiClient, body: Any, pointer: str) -> None:
    [flaw] = problem(server.post(VISIT, body), 400)["errors"]
    assert flaw["pointer"].startswith(pointer)
