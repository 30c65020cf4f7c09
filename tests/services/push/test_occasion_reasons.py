"""What a mail says of the item that it is about: why that one, with the day or the price, in the reader's language."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import Campaign, CampaignVersion, Customer, Item, ItemPrice
from recommendations.push_terms import CampaignKind, Trigger
from recommendations.services.campaigns.form import as_json
from recommendations.services.campaigns.lifecycle import form_of
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.push import ticks
from recommendations.services.push.trying import CampaignLook, look_at
from recommendations.store.events.pseudonyms import pseudonym
from tests import push_acts
from tests.post_office import post_office
from tests.push_records import contact, pressure
from tests.services.push.test_preview_is_sent import part

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

NOON = push_acts.NOW  # a Tuesday


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"


def who() -> int:
    return Customer.objects.get(pseudonym=pseudonym("u3")).pk


def of(trigger: Trigger) -> Campaign:
    preset = preset_of(CampaignKind.TRIGGERED, trigger)
    draft = preset.draft()
    draft["what"]["least_items"] = 1
    return Campaign.objects.create(
        slug=trigger, name=trigger, kind=CampaignKind.TRIGGERED, trigger=trigger, purpose=preset.purpose,
        draft=draft,
    )  # fmt: skip


def look(trigger: Trigger, *, language: str = "en", now: datetime = NOON) -> CampaignLook:
    campaign = of(trigger)
    return look_at(campaign, form_of(campaign), customer=who(), language=language, now=now)


def soap(price: float | None = None) -> int:
    item = Item.objects.get(shop_id="soap-1")
    if price is not None:
        ItemPrice.objects.filter(item=item).delete()
        push_acts.price(item.pk, float(item.price or 0), hours=9_000)
        push_acts.price(item.pk, price, hours=2_000)
    return item.pk


@pytest.mark.parametrize(("hours", "english", "chinese"), [
    (1, "In your cart since today", "今天起在您的购物车中"),
    (24, "In your cart since Monday", "星期一起在您的购物车中"),
    (6 * 24, "In your cart since Wednesday", "星期三起在您的购物车中"),
    (7 * 24, "In your cart since September 8", "9月8日起在您的购物车中"),
])  # fmt: skip
def test_what_lies_in_the_cart_says_since_when(hours: float, english: str, chinese: str) -> None:
    push_acts.cart(who(), soap(), hours=hours)
    for language, words in (("en", english), ("zh-hans", chinese)):
        Campaign.objects.all().delete()
        seen = look(Trigger.CART_LEFT, language=language)
        assert seen.occasion is not None
        assert seen.occasion.item == soap()
        for text in (seen.letter.html, seen.letter.text):
            assert text.count(words) == 1


def test_what_was_looked_at_says_when_whatever_browser_it_was() -> None:
    push_acts.view(who(), soap(), hours=30)
    push_acts.view(push_acts.visitor("v", of=who()), soap(), hours=25)  # half past ten of the day before
    push_acts.view(push_acts.visitor("other"), soap(), hours=1)
    assert "You looked at it on Monday" in look(Trigger.VIEWED).letter.text
    Campaign.objects.all().delete()
    assert "您在星期一看过" in look(Trigger.VIEWED, language="zh-hans").letter.text


def test_what_is_back_says_so() -> None:
    push_acts.view(who(), soap(), hours=30)
    assert "\nBack in stock\n" in look(Trigger.BACK_IN_STOCK).letter.text
    Campaign.objects.all().delete()
    assert "到货" in look(Trigger.BACK_IN_STOCK, language="zh-hans").letter.text


@pytest.mark.parametrize(("times", "words"), [(1.5, "Now 33% cheaper"), (1.0, ""), (0.5, "")])
def test_what_is_cheaper_says_by_how_much_than_the_reader_saw(times: float, words: str) -> None:
    now_costs = float(Item.objects.get(pk=soap()).price or 0)
    soap(price=now_costs * times)
    push_acts.view(who(), soap(), hours=30)
    push_acts.price(soap(), now_costs, hours=20)
    push_acts.view(who(), soap(), hours=10)  # they know the new price, and yet it is cheaper than it was
    seen = look(Trigger.PRICE_DROP)
    assert seen.occasion is not None
    assert seen.occasion.item == soap()
    assert ("cheaper" in seen.letter.html) is bool(words)
    assert words in seen.letter.html
    if words:
        Campaign.objects.all().delete()
        assert "比您看到时便宜 33%" in look(Trigger.PRICE_DROP, language="zh-hans").letter.html


def test_the_others_have_their_own_reasons_and_it_costs_one_query() -> None:
    push_acts.view(who(), soap(), hours=1)
    campaign = of(Trigger.VIEWED)
    campaign.draft["what"]["blocks"].append({"placement": "home", "n": 4})
    with CaptureQueriesContext(connection) as queries:
        seen = look_at(campaign, form_of(campaign), customer=who(), language="", now=NOON)
    assert sum(each["sql"].startswith("SELECT event.occurred_at FROM") for each in queries.captured_queries) == 1
    assert seen.items == 5
    assert seen.letter.text.count("You looked at it today") == 1
    own = ("Bought by customers", "Popular", "Usually bought", "Often bought", "New in")
    assert sum(line.startswith(own) for line in seen.letter.text.splitlines()) == 4, seen.letter.text


@pytest.mark.parametrize(("trigger", "act"), [
    (Trigger.CART_LEFT, push_acts.cart), (Trigger.PRICE_DROP, push_acts.view),
])  # fmt: skip
def test_the_mail_says_what_the_preview_said(trigger: Trigger, act: Callable[..., str], settings: LazySettings) -> None:
    now, pressure_off = timezone.now(), {"quiet_from": "00:00", "quiet_until": "00:00"}
    pressure(**pressure_off)
    contact("u3")
    hours = (NOON - now) / timedelta(hours=1)
    price = float(Item.objects.get(pk=soap()).price or 0)
    soap(price=price * 2)
    act(who(), soap(), hours=hours + 30)
    push_acts.price(soap(), price, hours=hours + 20)
    campaign = of(trigger)
    form = form_of(campaign)
    CampaignVersion.objects.create(campaign=campaign, number=1, frozen=as_json(form), starts_at=now)
    seen = look_at(campaign, form, customer=who(), language="", now=now).letter
    assert "In your cart since" in seen.html or "Now 50% cheaper" in seen.html
    assert ticks.decide(now=now) == 1
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        assert ticks.send() == 1
    [mail] = office.mails
    assert (part(mail, "html"), part(mail, "plain")) == (seen.html + "\n", seen.text)
