"""From a shopper who lets the shop notify to what they bought by it, and the line in the campaign's report."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_django
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from playwright.sync_api import expect

from recommendations.event_types import EventName
from recommendations.models import AttributedLine, Campaign, CampaignVersion, Item, Message, PressureRules
from recommendations.push_terms import CampaignKind, Channel, MessageState, Purpose
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.push import ticks
from recommendations.services.push.following import settle_clicks
from recommendations.store.attribution.settle import settle
from recommendations.store.live import fetch
from recommendations.terms import Scope
from recsite.post.web import PostServer
from tests.journeys.conftest import Visitor, committed
from tests.journeys.notices import Notices
from tests.journeys.shop_process import shop_process, token
from tests.journeys.test_campaign import a_while_later
from tests.journeys.test_notifications import shop_as, turn_on
from tests.journeys.test_storefront import allow
from tests.recsite.processes import wait_for
from tests.services.campaigns.test_form import draft

pytestmark = pytest.mark.django_db

READER = "u44"  # nobody else wants them


@pytest.fixture
def post(tmp_path: Path) -> Iterator[PostServer]:
    server = PostServer(tmp_path / "post", port=0)
    server.begin()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _installed(site: str, post: PostServer, settings: pytest_django.Settings) -> None:
    settings.PUBLIC_URL, settings.PUSH_SERVICE_HOSTS = site, [post.pushes.origin]
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"

    def furnish() -> None:
        PressureRules.objects.update(quiet_from="00:00", quiet_until="00:00", holdout=0)
        Item.objects.update(url=Concat(Value("/item/"), F("shop_id")))
        fetch.announce(*fetch.Changed)

    committed(furnish)


@pytest.fixture
def shop(site: str, post: PostServer, tmp_path: Path, settings: pytest_django.Settings) -> Iterator[str]:
    server = (Scope.CATALOGUE_WRITE, Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.IDENTITY_PROVE)
    pages = (Scope.EVENTS_WRITE, Scope.PUSH_SUBSCRIBE)
    with shop_process(
        tmp_path, recsite=site, customers=[READER], push=post.pushes.origin,
        server_key=lambda _address: token(*server), browser_key=lambda address: token(*pages, origins=(address,)),
    ) as address:  # fmt: skip
        settings.SHOP_URL = address
        yield address


def attributed() -> bool:
    settle()
    return AttributedLine.objects.filter(placement="web_push", name=EventName.PURCHASE).exists()


def campaign() -> int:
    """A live campaign by browser notification."""
    form = frozen_of(draft(channels=[Channel.WEB_PUSH]), recurring=False, triggered=False)
    made = Campaign.objects.create(
        slug="tell-them", name="Tell them", kind=CampaignKind.ONCE, purpose=Purpose.FOR_YOU, draft=as_json(form)
    )
    now = timezone.now()
    CampaignVersion.objects.create(campaign=made, number=1, frozen=as_json(form), starts_at=now, is_live=True)
    return made.pk


def test_from_a_subscription_to_the_purchase_in_the_report(
    ada: Visitor, shop: str, window: Callable[..., Visitor]
) -> None:
    shopper = window(alone=True)
    page, notices, shopper.site = shopper.page, Notices(shopper.page), shop
    page.context.grant_permissions(["notifications"], origin=shop)
    shopper.visit("/")
    allow(page)
    shop_as(page, READER)
    expect(page.get_by_label("Shopping as")).to_have_value(READER)
    turn_on(shopper)

    key = committed(campaign)
    committed(lambda: ticks.decide(now=timezone.now()))
    committed(lambda: ticks.send(Channel.WEB_PUSH))
    sent = committed(lambda: list(Message.objects.filter(campaign=key).values_list("channel", "state")))
    assert sent == [(Channel.WEB_PUSH, MessageState.TAKEN)]
    [note] = notices.listed(1)
    assert note["title"] == "For you this week"
    assert note["url"].startswith(f"{ada.site}/m/c/")

    a_while_later()
    page.goto(note["url"])  # as the worker opens it
    expect(page).to_have_url(re.compile(r"/item/.*rid=r-"))
    bought = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    committed(lambda: settle_clicks(now=timezone.now() + timedelta(minutes=1)))
    assert wait_for(lambda: committed(attributed), seconds=30)  # what has just come is settled some seconds later

    ada.visit("/attributed/")
    line = ada.page.locator("#lines tbody tr").filter(has_text=bought)
    expect(line).to_contain_text("Browser notification")
    ada.visit(f"/campaigns/{key}/")
    expect(ada.page.locator("#report .lead-sentence")).to_contain_text("1 person clicked")
