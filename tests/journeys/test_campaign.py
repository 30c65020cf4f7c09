"""A merchandiser's campaign, from its first word to the purchase that it led to; each step as its people take it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_django
from aiosmtpd.controller import Controller
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from playwright.sync_api import Page, expect

from recommendations.event_types import EventName
from recommendations.models import AttributedLine, Campaign, Item, Message, PressureRules, SendPlan
from recommendations.push_terms import Channel, MessageState
from recommendations.services.campaigns.lifecycle import pause
from recommendations.services.push import ticks
from recommendations.services.push.following import settle_clicks
from recommendations.services.push.plans import make_plan
from recommendations.store.attribution.settle import settle
from recommendations.store.live import fetch
from recommendations.terms import Scope
from recsite.post.mails import PostOffice
from tests.journeys.conftest import Visitor, committed
from tests.journeys.shop_process import shop_process, token
from tests.journeys.test_storefront import allow
from tests.post_office import free_port
from tests.push_records import contact
from tests.recsite.processes import wait_for

pytestmark = pytest.mark.django_db

expect.set_options(timeout=15_000)
READER = "u45"  # nobody else wants them
NAME = "Tea time"


@pytest.fixture(autouse=True)
def _installed(site: str, tmp_path: Path, settings: pytest_django.Settings) -> Iterator[None]:
    """Somebody to write to at any hour, a post office, and all that sending needs."""
    settings.MAILBOX, settings.PUBLIC_URL, settings.FOUR_EYES = tmp_path / "post", site, False
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"
    port = free_port()
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": port}

    def furnish() -> None:
        contact(READER)
        thursdays = Campaign.objects.get(name="For you this week")  # on its day it would reach the reader first
        pause(campaign=thursdays, reason="", by=None, now=timezone.now())
        PressureRules.objects.update(quiet_from="00:00", quiet_until="00:00", holdout=0)
        Item.objects.update(url=Concat(Value("/item/"), F("shop_id")))
        fetch.announce(*fetch.Changed)

    committed(furnish)
    controller = Controller(PostOffice(settings.MAILBOX), hostname="127.0.0.1", port=port)
    controller.start()
    yield
    controller.stop()


@pytest.fixture
def shop(site: str, tmp_path: Path, settings: pytest_django.Settings) -> Iterator[str]:
    server = (Scope.CATALOGUE_WRITE, Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ)
    with shop_process(
        tmp_path, recsite=site, customers=[READER], server_key=lambda _address: token(*server),
        browser_key=lambda address: token(Scope.EVENTS_WRITE, origins=(address,)),
    ) as address:  # fmt: skip
        settings.SHOP_URL = address
        yield address


def test_from_a_new_campaign_to_the_line_in_attributed(ada: Visitor, shop: str) -> None:
    page = ada.page
    write(ada)
    planned = plan_of_everybody(ada)
    page.get_by_role("link", name="Approve…").click()
    page.get_by_label("Note").fill("For the tea drinkers")
    page.get_by_role("button", name=re.compile("^Approve")).click()
    expect(page.get_by_role("heading", name=re.compile(NAME))).to_contain_text("Live")
    assert ada.complaints() == []

    key = committed(lambda: Campaign.objects.get(name=NAME).pk)
    committed(lambda: ticks.decide(now=timezone.now()))
    committed(ticks.send)
    assert committed(lambda: Message.objects.filter(campaign=key, state=MessageState.TAKEN).count()) == planned
    a_while_later()

    ada.visit(f"/mailbox/?q={READER}@example.com")
    page.locator("tbody th a").first.click()
    letter = page.frame_locator("iframe.mail-frame")
    expect(letter.get_by_role("heading", name="Time for tea?")).to_be_visible()
    with page.expect_popup() as popup:
        letter.get_by_role("link").nth(2).click()
    bought = buy(popup.value)
    committed(lambda: settle_clicks(now=timezone.now() + timedelta(minutes=1)))
    assert wait_for(lambda: committed(attributed), seconds=30)  # the shop may thank before its order has come

    ada.visit("/attributed/")
    line = page.locator("#lines tbody tr").filter(has_text=bought)
    expect(line).to_contain_text("E-mail")
    ada.visit(f"/campaigns/{key}/")
    expect(page.locator("#report .lead-sentence")).to_contain_text("1 person clicked")
    expect(page.frame_locator("#campaign-preview iframe").get_by_role("heading", name="Time for tea?")).to_be_visible()
    assert ada.complaints() == []


def attributed() -> bool:
    settle()
    return AttributedLine.objects.filter(placement=Channel.EMAIL, name=EventName.PURCHASE).exists()


def write(ada: Visitor) -> None:
    """From the list to a draft whose preview shows its words."""
    page = ada.page
    ada.visit("/campaigns/")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_role("link", name="Once", exact=True).click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_role("button", name="Create draft").click()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Heading").first.fill("Time for tea?")
    preview = page.frame_locator("#campaign-preview iframe")
    expect(preview.get_by_role("heading", name="Time for tea?")).to_be_visible()
    assert ada.complaints() == []
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{page.url.partition('?')[0]}?step=review")
    expect(page.get_by_text("Nothing stands against it").first).to_be_visible()


def plan_of_everybody(ada: Visitor) -> int:
    """The plan, and why one person would get it and with what; how many would get it.

    It is those whom no other campaign reaches first, which the hour of the day decides.
    """
    page = ada.page
    page.get_by_role("link", name="Send plan").first.click()
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_role("button", name="Cancel the plan")).to_be_visible()
    committed(lambda: make_plan(SendPlan.objects.latest("created_at").pk))
    lead = page.locator(".lead-sentence").first
    expect(lead).to_have_text(re.compile(r"[1-9]\d* would get it at once"))
    planned = re.search(r"(\d+) would get it at once", lead.inner_text())
    assert planned
    plan = page.url
    page.get_by_role("link", name="Sent now").click()
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sent now")
    page.get_by_role("link", name=re.compile("Show")).or_(
        page.get_by_role("button", name=re.compile("Show"))
    ).first.click()
    expect(page.locator("#person-lists li, #person-lists tbody tr").first).to_be_visible()
    assert ada.complaints() == []
    page.goto(plan)
    return int(planned[1])


def a_while_later() -> None:
    """Let some time pass since the mail left: who follows a link at once is taken for a scanner."""
    before = timezone.now() - timedelta(minutes=5)
    committed(lambda: Message.objects.update(handed_at=before))


def buy(shop: Page) -> str:
    """What the mail led to, bought by its reader; its title."""
    expect(shop).to_have_url(re.compile(r"/item/.*rid=r-"))
    landed = shop.url
    allow(shop)
    shop.get_by_label("Shopping as").select_option(READER)
    shop.get_by_role("button", name="Change").click()
    expect(shop.get_by_label("Shopping as")).to_have_value(READER)
    shop.goto(landed)
    title = shop.get_by_role("heading", level=1).inner_text()
    shop.get_by_role("button", name="Add to basket").click()
    shop.get_by_role("button", name="Buy now").click()
    expect(shop.get_by_role("heading", name="Thank you")).to_be_visible()
    return title
