"""A stranger with the key of the shop's pages: their browser gets nothing that was made from a customer's history."""

from collections.abc import Callable, Mapping
from datetime import time
from itertools import cycle
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.utils import timezone

from recommendations.ingest.proofs import prove
from recommendations.models import Address, Customer, CustomerAlias, Message, PressureRules
from recommendations.push_terms import AddressState, Channel, Purpose
from recommendations.services.access import keys, quotas
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sendings import decide_pushes, plan
from recommendations.simulation.message_lists import ListBlock, MessageLists, current_snapshot, items_of_many
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push.people import reach_of
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, at_once
from tests.push_browsers import VAPID_KEY, TestBrowser
from tests.push_records import contact, pressure
from tests.services.campaigns.test_form import what
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

SHOP = "https://shop.example"
SUBSCRIPTIONS, MERGE, EVENTS = "/api/v1/push/subscriptions/", "/api/v1/users/merge/", "/api/v1/events/"
TRIES = 50

type Trick = Callable[[ApiClient, ApiClient, TestBrowser, str, str], None]


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis) -> None:
    settings.VAPID_KEY, settings.PUSH_SERVICE_HOSTS = VAPID_KEY, []
    valkey.set("live:built", 1)
    monkeypatch.setattr(keys, "_beside", at_once)
    for name in ("BROWSERS", "ADDRESS_BROWSERS", "ADDRESS_PEOPLE"):
        monkeypatch.setattr(quotas, name, 10_000)  # the limits are for floods; this stranger has time


@pytest.fixture(autouse=True)
def rules() -> PressureRules:
    return pressure(quiet_from=time(0), quiet_until=time(0))


def client(*scopes: Scope, **options: Any) -> ApiClient:
    key, secret = keys.create_key(name="shop", scopes=scopes, by=None, **options)
    keys.key_ring.drop()
    keys.rates.drop()
    return ApiClient(f"Api-Key {key.prefix}.{secret}")


@pytest.fixture
def server() -> ApiClient:
    return client(Scope.EVENTS_WRITE)


@pytest.fixture
def page() -> ApiClient:
    own = client(Scope.EVENTS_WRITE, Scope.PUSH_SUBSCRIBE, origins=[SHOP])
    own.headers["Origin"] = SHOP
    return own


def subscribe(page: ApiClient, browser: TestBrowser, **whose: str) -> int:
    return page.post(SUBSCRIPTIONS, browser.body("for_you", "reminders", "news", **whose)).status_code


def look_at(page: ApiClient, item: str = "tea-1", **who: str) -> None:
    row = {"name": "view_item", "timestamp": timezone.now().isoformat(), "items": [{"item_id": item}], **who}
    assert page.post(EVENTS, {**row, "event_id": f"{item}-{who}"[:64]}).status_code == 202


def as_visitor(page: ApiClient, _server: ApiClient, browser: TestBrowser, _user: str, visitor: str) -> None:
    assert subscribe(page, browser, anonymous_id=visitor) == 201


def by_name(page: ApiClient, _server: ApiClient, browser: TestBrowser, user: str, visitor: str) -> None:
    assert subscribe(page, browser, user_id=user, anonymous_id=visitor) == 403
    assert subscribe(page, browser, anonymous_id=user) == 201  # the customer's id for a visitor's


def with_a_foreign_proof(page: ApiClient, _server: ApiClient, browser: TestBrowser, user: str, visitor: str) -> None:
    own = prove(user_id="me", anonymous_id=visitor, now=timezone.now()).text
    assert subscribe(page, browser, user_id=user, anonymous_id=visitor, proof=own) == 403
    as_visitor(page, _server, browser, user, visitor)


def with_an_event(page: ApiClient, _server: ApiClient, browser: TestBrowser, user: str, visitor: str) -> None:
    as_visitor(page, _server, browser, user, visitor)
    look_at(page, anonymous_id=visitor, user_id=user)


def with_a_merger(page: ApiClient, _server: ApiClient, browser: TestBrowser, user: str, visitor: str) -> None:
    as_visitor(page, _server, browser, user, visitor)
    assert page.post(MERGE, {"user_id": user, "anonymous_id": visitor}).status_code == 400


def whom_the_shop_merges(page: ApiClient, server: ApiClient, browser: TestBrowser, user: str, visitor: str) -> None:
    as_visitor(page, server, browser, user, visitor)
    assert server.post(MERGE, {"user_id": user, "anonymous_id": visitor}).status_code == 202


def after_the_shop_merged(page: ApiClient, server: ApiClient, browser: TestBrowser, user: str, visitor: str) -> None:
    assert server.post(MERGE, {"user_id": user, "anonymous_id": visitor}).status_code == 202
    as_visitor(page, server, browser, user, visitor)


TRICKS: tuple[Trick, ...] = (
    as_visitor, by_name, with_a_foreign_proof, with_an_event, with_a_merger, whom_the_shop_merges,
    after_the_shop_merged,
)  # fmt: skip


def key_of(name: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return Customer.objects.get(pseudonym=pseudonym(name, kind=kind)).pk


def own_list(customer: int) -> tuple[int, ...]:
    block = MessageLists(customer=customer, blocks=(ListBlock("home", 3), ListBlock("trending", 3)))
    [items] = items_of_many([block], snapshot=current_snapshot(), now=timezone.now())
    return items.items


def test_a_strangers_browser_gets_nothing_of_a_customers(
    page: ApiClient, server: ApiClient, rules: PressureRules
) -> None:
    victims = [f"u{number}" for number in range(10)]
    for name in victims:
        contact(name)  # by e-mail they are reached, so each is decided for
    tricks = zip(range(TRIES), cycle(TRICKS), cycle(victims), strict=False)
    for number, trick, victim in tricks:
        trick(page, server, TestBrowser(f"stranger-{number}"), victim, f"visitor-{number}")
    assert CustomerAlias.objects.filter(undone_at=None).count() == TRIES // len(TRICKS) * 2
    assert Address.objects.filter(channel=Channel.WEB_PUSH, state=AddressState.ACTIVE).count() == TRIES
    now = timezone.now()
    for name in victims:
        assert {one.channel for one in reach_of(key_of(name), now=now)[0]} == {Channel.EMAIL}, name
    blocks = [{"placement": "home", "n": 3}, {"placement": "trending", "n": 3}]
    live = campaign("for-you", now, parts={"channels": [Channel.WEB_PUSH], "what": what(blocks=blocks)})
    planned = plan(live, ground=Ground(snapshot=current_snapshot(), rules=rules, now=now))
    decide_pushes(now=now)
    sent = Message.objects.filter(channel=Channel.WEB_PUSH).select_related("customer", "address")
    assert sent.count() == sum(each.verdict == "now" for each in planned) > 20
    merged = set(CustomerAlias.objects.values_list("anonymous", flat=True))
    as_visitor(page, server, TestBrowser("control"), "", "control")
    nothing = own_list(key_of("control", CustomerKind.ANONYMOUS))
    look_at(page, anonymous_id="control")
    looked = own_list(key_of("control", CustomerKind.ANONYMOUS))
    assert nothing != looked
    for each in sent:
        assert each.customer.kind == CustomerKind.ANONYMOUS
        assert each.address is not None
        assert each.address.contact_id == each.customer_id not in merged
        assert tuple(each.items) in {nothing, looked}  # as anybody gets who did no more than this visitor
    assert not {own_list(key_of(name)) for name in victims} & {nothing, looked}  # else it could not be told


def test_what_a_visitor_did_is_what_the_visitors_browser_gets(page: ApiClient) -> None:
    as_visitor(page, page, TestBrowser("one"), "u1", "v1")
    visitor = key_of("v1", CustomerKind.ANONYMOUS)
    before, now = own_list(visitor), timezone.now()
    look_at(page, anonymous_id="v1")
    assert own_list(visitor) != before
    [reach] = reach_of(visitor, now=now)[0]
    assert (reach.channel, reach.contact, reach.purposes) == (Channel.WEB_PUSH, visitor, set(Purpose))


def test_with_the_shops_proof_a_browser_is_the_customers(page: ApiClient) -> None:
    user, visitor = "u1", "v1"
    proof = prove(user_id=user, anonymous_id=visitor, now=timezone.now()).text
    subscribe(page, TestBrowser("old"), user_id=user, anonymous_id=visitor, proof=proof)
    subscribe(page, TestBrowser("new"), user_id=user, anonymous_id=visitor, proof=proof)
    newest = Address.objects.order_by("pk").last()
    assert newest is not None
    [reach] = reach_of(key_of(user), now=timezone.now())[0]
    assert (reach.channel, reach.address) == (Channel.WEB_PUSH, newest.pk)
    Address.objects.update(proven=False)  # whatever else may put it there
    assert reach_of(key_of(user), now=timezone.now())[0] == []


def test_a_merged_visitors_mail_reaches_the_customer_as_before(server: ApiClient) -> None:
    visitor = Customer.objects.create(pseudonym=pseudonym("v1", kind=CustomerKind.ANONYMOUS), kind="anonymous")
    address: Mapping[str, Any] = {"contact": contact("v2").contact}
    Address.objects.filter(contact=address["contact"]).update(proven=False)
    server.post(MERGE, {"user_id": "u1", "anonymous_id": "v1"})
    assert reach_of(key_of("u1"), now=timezone.now())[0] == []
    CustomerAlias.objects.create(anonymous_id=address["contact"].pk, customer_id=key_of("u1"), source="api")
    [reach] = reach_of(key_of("u1"), now=timezone.now())[0]
    assert (reach.channel, reach.contact) == (Channel.EMAIL, address["contact"].pk)
    assert visitor.pk != reach.contact
