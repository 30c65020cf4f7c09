"""From a mail to the purchase under one id: what the shop's pages tell of it counts for the list in the mail."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from django.conf import LazySettings
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.engine.push.cases import PushCase
from recommendations.models import AttributedLine, Customer, Event, Item, Message, Slate
from recommendations.push_terms import Channel
from recommendations.services.access import keys
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.push.deciding import Sending, lists_of
from recommendations.services.push.following import settle_clicks
from recommendations.services.push.sender import ChannelSender
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from recommendations.simulation.message_lists import ListBlock, MessageLists, current_snapshot, prepared_lists
from recommendations.store.attribution.settle import settle
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.push.outcomes import PushOutcome, outcomes_of, outcomes_of_sendings
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, at_once
from tests.post_office import Office, post_office
from tests.push_records import contact, pressure
from tests.services.push.test_following import PHONE
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE = ("u1", "u2", "u3")
AGO = timedelta(days=4)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"
    settings.SHOP_URL = "https://shop.example"
    prepare_partitions(timezone.now() - AGO - timedelta(days=1), timezone.now())
    pressure(quiet_from="00:00", quiet_until="00:00")


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office() as own:
        yield own


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    monkeypatch.setattr(keys, "_beside", at_once)
    key, secret = keys.create_key(name="shop", scopes=[Scope.EVENTS_WRITE], by=None)
    keys.key_ring.drop()
    return ApiClient(f"Api-Key {key.prefix}.{secret}")


@pytest.fixture
def sent(office: Office) -> list[Message]:
    """Messages of a campaign that were taken four days ago, and nobody has bought since."""
    for name in PEOPLE:
        contact(name)
    now = timezone.now()
    campaign("weekly", now)
    decide_pushes(now=now)
    line = Smtp(SmtpServer(host="127.0.0.1", port=office.port, timeout=2), sender=lambda parcel: "back@shop.example")
    sender = ChannelSender(channel=Channel.EMAIL, line=line, holder="me", clock=timezone.now)
    assert len(sender.send_some(current_snapshot())) == len(PEOPLE)
    line.close()
    Message.objects.update(handed_at=now - AGO)
    Slate.objects.update(served_at=now - AGO)
    Event.objects.filter(occurred_at__gt=now - AGO).delete()
    return list(Message.objects.order_by("customer__pk"))


def tell(server: ApiClient, name: str, user: str, items: list[dict[str, Any]], *, at: datetime, **fields: Any) -> None:
    event = {
        "name": name, "event_id": str(uuid.uuid4()), "timestamp": at.isoformat(), "user_id": user, "items": items
    } | fields  # fmt: skip
    answer = server.post("/api/v1/events/", {"events": [event]})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.content


def attributed() -> list[AttributedLine]:
    while settle():
        pass
    return list(AttributedLine.objects.filter(name="purchase").order_by("amount"))


def line_of(message: Message, place: int, price: str) -> dict[str, Any]:
    return {"item_id": Item.objects.get(pk=message.items[place]).shop_id, "quantity": 1, "price": price}


def user_of(message: Message) -> str:
    """The shop's own id of who got it."""
    return next(name for name in PEOPLE if Customer.objects.get(pseudonym=pseudonym(name)).pk == message.customer_id)


def test_who_follows_a_mail_and_buys_counts_for_its_list(
    sent: list[Message], office: Office, server: ApiClient
) -> None:
    [mail] = [each for each in office.mails if each["To"] == f"{user_of(sent[0])}@example.com"]
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    links = re.findall(r"https?://\S+/m/c/\S+", text)
    answer = Client(HTTP_USER_AGENT=PHONE).get(urlsplit(links[2]).path)
    landed = parse_qs(urlsplit(answer["Location"]).query)
    assert landed["rid"] == [sent[0].recommendation_id]
    assert settle_clicks(now=timezone.now() + timedelta(minutes=1)) == 1
    now = timezone.now()
    bought = line_of(sent[0], 2, "3.49")
    tell(server, "view_item", user_of(sent[0]), [bought], at=now, recommendation_id=landed["rid"][0])
    # the order itself names no list, as orders of a shop's server do
    other = line_of(sent[0], 0, "2.00")
    order = [bought | {"quantity": 2}, other]
    tell(server, "purchase", user_of(sent[0]), order, at=now + timedelta(seconds=1), transaction_id="t1")
    [line] = attributed()
    assert (line.recommendation_id, line.placement, line.position, line.amount, line.touch) == (
        sent[0].recommendation_id, "email", 3, Decimal("6.98"), "click",
    )  # fmt: skip


def test_the_item_of_the_occasion_may_come_again_and_nothing_else(sent: list[Message]) -> None:
    live = LiveCampaign(
        campaign=sent[0].campaign, version=sent[0].version, form=msgspec.convert(sent[0].version.frozen, CampaignForm)
    )
    about, other = sent[0].items[:2]
    case = PushCase(live.campaign.pk, sent[0].customer_id, "1", timezone.now(), about)
    sending = Sending(campaign=live.campaign, form=live.form, cases=[case])
    wanted = lists_of(case, sending, customer=case.customer, but=frozenset({about, other}))
    assert wanted.but == {other}


@pytest.mark.parametrize("gate", ["open", "excluded", "sold out"])
def test_the_item_of_the_occasion_is_not_scored_and_passes_the_same_gates(gate: str) -> None:
    """Of one item no order has to be found: a sending of thousands would take ten times as long."""
    who, now = contact("u1").contact_id, timezone.now()
    about = Item.objects.order_by("pk")[5].pk
    if gate == "sold out":
        Item.objects.filter(pk=about).update(availability="out_of_stock")
    snapshot = current_snapshot()
    state = fetch.state_of(who, since=None).state
    block = ListBlock("search", 1, (about,))
    wanted = MessageLists(customer=who, blocks=(block,), but=frozenset({about} if gate == "excluded" else ()))
    lists = {
        ranks: [(prepared.request.ranks, list(items)) for prepared, items in prepared_lists(
            wanted, snapshot=snapshot, state=state, now=now, ranks_one=ranks
        )]
        for ranks in (True, False)
    }  # fmt: skip
    items = [about] if gate == "open" else []
    assert lists == {True: [(True, items)], False: [(False, items)]}


@pytest.mark.parametrize(("hours", "counts"), [(71, True), (73, False)])
def test_a_click_in_a_mail_counts_for_three_days(
    sent: list[Message], server: ApiClient, hours: int, counts: bool
) -> None:
    now, user, item = timezone.now(), user_of(sent[1]), line_of(sent[1], 1, "5.00")
    landed = {"recommendation_id": sent[1].recommendation_id}
    tell(server, "select_item", user, [item], at=now - hours * HOUR, **landed)
    tell(server, "purchase", user, [item], at=now, transaction_id="t1")
    assert bool(attributed()) is counts


def test_revenue_of_a_campaign_is_that_of_its_lists_to_the_cent(sent: list[Message], server: ApiClient) -> None:
    now = timezone.now()
    for number, message in enumerate(sent):
        for place, price in enumerate(("0.10", "0.20", "19.99")):
            item = line_of(message, place, price) | {"quantity": number + 1}
            fields = {"recommendation_id": message.recommendation_id, "transaction_id": f"t{number}"}
            tell(server, "purchase", user_of(message), [item], at=now - HOUR, **fields)
    back = line_of(sent[2], 2, "19.99") | {"quantity": 1}
    tell(server, "refund", user_of(sent[2]), [back], at=now, transaction_id="t2")
    wholly = line_of(sent[0], 2, "19.99")
    tell(server, "refund", user_of(sent[0]), [wholly], at=now, transaction_id="t0")
    lines = attributed()
    total = sum((line.amount - line.refunded for line in lines), Decimal(0))
    assert total == Decimal("20.29") * 6 - 2 * Decimal("19.99")
    key, occurrence = sent[0].campaign_id, sent[0].occurrence_id
    outcome = outcomes_of([key])[key]
    assert outcome == PushOutcome(taken=3, people=3, buyers=3, lines=8, revenue=total)
    assert outcomes_of_sendings(key) == {occurrence: outcome}
    of_slates = AttributedLine.objects.filter(placement="email", name="purchase").aggregate(
        amount=Sum("amount"), refunded=Sum("refunded")
    )
    assert of_slates["amount"] - of_slates["refunded"] == outcome.revenue
