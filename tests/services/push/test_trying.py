"""A campaign before anybody gets it: what is seen is what would be sent, and a test leaves nothing behind."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.channels.protocol import Later, Taken
from recommendations.models import AuditEntry, Campaign, Considered, Customer, Item, Message, Slate, Staff
from recommendations.push_terms import CampaignKind, Trigger
from recommendations.services.campaigns.lifecycle import NotReadyError, form_of
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.push.trying import SentJustNowError, TooManyTestsError, look_at, send_test, with_few_items
from recommendations.store.events.pseudonyms import pseudonym
from tests import push_acts
from tests.post_office import Office, post_office
from tests.push_records import contact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"


@pytest.fixture
def office(settings: LazySettings) -> Iterator[Office]:
    with post_office() as own:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": own.port, "timeout": 2}
        yield own


@pytest.fixture
def ann() -> Staff:
    return Staff.objects.create(email="ann@shop.example", name="Ann")


def who(name: str = "u3") -> int:
    return Customer.objects.get(pseudonym=pseudonym(name)).pk


def campaign(kind: CampaignKind = CampaignKind.ONCE, trigger: Trigger | None = None, **what: Any) -> Campaign:
    preset = preset_of(kind, trigger)
    draft = preset.draft()
    draft["what"] |= what
    return Campaign.objects.create(
        slug=f"one-{Campaign.objects.count()}",
        name=f"One {Campaign.objects.count()}",
        kind=kind,
        trigger=trigger or "",
        purpose=preset.purpose,
        draft=draft,
    )


def look(one: Campaign, customer: int, *, language: str = "", now: datetime | None = None) -> Any:
    return look_at(
        one, form_of(one), customer=customer, language=language, now=now or timezone.now(),
    )  # fmt: skip


class TestLook:
    def test_a_customer_sees_their_own_items_in_their_own_language(self) -> None:
        one = campaign(layout="list")
        contact("u3")
        seen = look(one, who())
        assert seen.language == "en"
        assert seen.enough
        assert seen.items == 6
        assert seen.inbox[0].subject == seen.letter.subject == "Picked for you at Corner"
        assert seen.inbox[0].preheader.endswith(" and 5 more")
        assert "You get this because you said yes" in seen.letter.text
        assert look(one, who(), language="zh-hans").letter.subject == "Corner 为您精选"

    def test_every_subject_stands_in_the_inbox_and_one_is_the_customers(self) -> None:
        seen = look(campaign(CampaignKind.RECURRING), who())
        assert len(seen.inbox) == 2
        assert seen.letter.subject == seen.inbox[seen.variant].subject

    def test_an_item_of_the_history_stands_for_that_of_the_occasion(self) -> None:
        left = campaign(CampaignKind.TRIGGERED, Trigger.CART_LEFT)
        before = look(left, who()).occasion
        assert before.title.lower().startswith("tea")
        soap = Item.objects.get(shop_id="soap-1")
        push_acts.cart(who(), soap.pk, hours=1)
        push_acts.view(who(), Item.objects.get(shop_id="tea-1").pk, hours=0.5)
        seen = look(left, who(), now=push_acts.NOW)
        assert seen.occasion.item == soap.pk  # what lay in the cart, and not what was seen last
        assert soap.title in seen.letter.subject

    def test_somebody_without_a_history_has_no_such_item(self) -> None:
        new = Customer.objects.create(pseudonym=pseudonym("new"))
        assert look(campaign(CampaignKind.TRIGGERED, Trigger.CART_LEFT), new.pk).occasion is None

    def test_too_few_items_are_said(self) -> None:
        one = campaign(blocks=[{"placement": "home", "n": 2}])
        one.draft["what"]["least_items"] = 2
        assert look(one, who()).enough
        one.draft["what"]["blocks"] = [{"placement": "buy_again", "n": 6, "price_to": 0.01}]
        assert not look(one, who()).enough

    def test_who_has_few_items_is_found(self) -> None:
        one = campaign(blocks=[{"placement": "buy_again", "n": 6}], least_items=1)
        new = Customer.objects.create(pseudonym=pseudonym("new"))
        people = [who("u0"), new.pk, who("u1")]
        now = timezone.now()
        assert with_few_items(one, form_of(one), people, now=now) == new.pk
        assert with_few_items(one, form_of(one), [], now=now) is None


class TestSend:
    def test_it_goes_to_oneself_and_leaves_nothing_behind(self, office: Office, ann: Staff) -> None:
        one, now = campaign(), timezone.now()
        contact("u3")
        outcome = send_test(one, form_of(one), customer=who(), by=ann, now=now)
        assert isinstance(outcome, Taken)
        [(_sender, to, content)] = office.got
        assert to == ["ann@shop.example"]
        [mail] = office.mails
        assert mail["Subject"] == "[Test] Picked for you at Corner"
        assert mail["List-Unsubscribe"] is None
        html = mail.get_body(("html",)).get_content()
        assert "only you get this" in html
        assert 'href="http' not in html
        assert b"/m/" not in content
        assert not (Message.objects.exists())
        assert not (Slate.objects.exists())
        assert not (Considered.objects.exists())
        entry = AuditEntry.objects.get(verb="send test")
        assert (entry.staff, entry.after) == (ann, None)

    def test_ten_an_hour_and_no_more(self, office: Office, ann: Staff) -> None:
        one, now = campaign(), timezone.now()
        for place in range(10):
            send_test(one, form_of(one), customer=who(), by=ann, now=now + place * timedelta(minutes=1))
        with pytest.raises(TooManyTestsError):
            send_test(one, form_of(one), customer=who(), by=ann, now=now + timedelta(minutes=10))
        assert len(office.got) == 10
        bo = Staff.objects.create(email="bo@shop.example")
        send_test(one, form_of(one), customer=who(), by=bo, now=now)
        send_test(one, form_of(one), customer=who(), by=ann, now=now + timedelta(hours=1, seconds=5))

    def test_a_second_click_sends_nothing(self, office: Office, ann: Staff) -> None:
        one, other = campaign(), campaign()
        send_test(one, form_of(one), customer=who(), by=ann, now=timezone.now())
        with pytest.raises(SentJustNowError):
            send_test(one, form_of(one), customer=who(), by=ann, now=timezone.now())
        send_test(other, form_of(other), customer=who(), by=ann, now=timezone.now())
        send_test(one, form_of(one), customer=who(), by=ann, now=timezone.now() + timedelta(seconds=6))
        assert len(office.got) == 3

    def test_what_the_server_says_is_the_answer(self, office: Office, ann: Staff) -> None:
        office.at_data = "451 not now"
        one = campaign()
        outcome = send_test(one, form_of(one), customer=who(), by=ann, now=timezone.now())
        assert isinstance(outcome, Later)
        assert "not now" in outcome.reason

    def test_without_a_server_nothing_is_tried_and_it_is_named(self, ann: Staff, settings: LazySettings) -> None:
        settings.PUSH_MAIL_SERVER = {}
        one = campaign()
        with pytest.raises(NotReadyError) as error:
            send_test(one, form_of(one), customer=who(), by=ann, now=timezone.now())
        assert error.value.settings == ["PUSH_EMAIL_URL"]
        assert not AuditEntry.objects.filter(verb="send test").exists()

    def test_a_mark_of_the_law_is_seen_in_the_inbox(self, settings: LazySettings) -> None:
        settings.SUBJECT_MARK = "广告"
        seen = look(campaign(), who())
        assert seen.inbox[0].subject == seen.letter.subject == "广告 Picked for you at Corner"
