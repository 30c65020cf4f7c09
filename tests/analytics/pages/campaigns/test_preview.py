"""The live preview and the test to oneself: what is seen is what would be sent, and nothing of it stays."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from typing import Any, ClassVar

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.customer_codes import customer_code
from recommendations.models import Audience, Campaign, CampaignVersion, Customer, Message, Permission, Slate
from recommendations.push_terms import CampaignKind, Channel, Purpose, PushModelKind, Trigger
from recommendations.services.campaigns.lifecycle import create_campaign
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.push import trying
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import BlendName, Role
from tests.analytics.pages.campaigns.forms import typed
from tests.post_office import Office, post_office
from tests.push_models import logistic, use
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


def begun(kind: CampaignKind = CampaignKind.RECURRING, trigger: Trigger | None = None) -> Campaign:
    preset = preset_of(kind, trigger)
    return create_campaign(
        name="One", kind=kind, trigger=trigger, purpose=preset.purpose, draft=preset.draft(), by=None,
        now=timezone.now(),
    )  # fmt: skip


def who(name: str = "u3") -> int:
    return Customer.objects.get(pseudonym=pseudonym(name)).pk


def code(name: str = "u3") -> str:
    return customer_code(who(name))


def look(client: Client, campaign: Campaign, *, choice: dict[str, str] | None = None, **fields: Any) -> str:
    answer = client.post(f"/campaigns/{campaign.pk}/preview/", typed(campaign, **fields) | (choice or {}))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def looked_at(page: str) -> str:
    match = re.search(r'name="customer" value="([^"]*)"', page)
    assert match
    return match[1]


def frame(client: Client, page: str) -> Any:
    match = re.search(r'<iframe[^>]* src="([^"]*)"', page)
    assert match
    return client.get(match[1])


class TestLook:
    def test_who_would_see_no_item_has_no_line_in_the_inbox(self, admin: Client) -> None:
        """Its words would be about an item that is not there: “ and 0 more”."""
        campaign = begun()
        blocks = [{"placement": "buy_again", "n": 6, "price_to": 0.01}]
        campaign.draft["what"] |= {"blocks": blocks, "texts": {"en": {"subjects": ["{first_item} and {count} more"]}}}
        campaign.save()
        CampaignVersion.objects.create(campaign=campaign, number=1, frozen=campaign.draft, starts_at=timezone.now())
        page = admin.get(f"/campaigns/{campaign.pk}/preview/?customer={code()}").content.decode()
        assert "0 items, and at least" in page
        assert " and 0 more" not in page
        assert "<iframe" not in page

    def test_what_stands_in_the_form_is_shown_and_not_saved(self, admin: Client) -> None:
        campaign = begun()
        page = look(admin, campaign, choice={"customer": code()}, en__subject__0="Hello from {shop}", en__subject__1="")
        assert f"As customer {code()} gets it" in page
        assert "<strong>Hello from Corner</strong>" in page
        assert "Every Thursday, at 5 p.m. by the customer's clock" in page  # the line of a step follows
        campaign.refresh_from_db()
        assert campaign.revision == 1
        assert not (Message.objects.exists())
        assert not (Slate.objects.exists())

    def test_the_mail_stands_in_a_frame_that_lets_nothing_run(self, admin: Client) -> None:
        page = look(admin, begun(), choice={"customer": code()}, en__heading="<script>alert(1)</script>")
        assert 'sandbox=""' in page
        answer = frame(admin, page)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "sandbox" in policy
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        html = answer.content.decode()
        assert "&lt;script&gt;" in html
        assert "<script>" not in html
        assert "(prefers-color-scheme: dark)" not in html
        assert 'href="http' not in html

    def test_what_is_typed_is_no_markup_in_the_plain_text(self, admin: Client) -> None:
        campaign = begun()
        form = typed(campaign, en__intro="Mia <i>wrote</i> <img src=x>") | {"customer": code(), "width": "text"}
        page = admin.post(f"/campaigns/{campaign.pk}/preview/", form).content.decode()
        assert "Mia &lt;i&gt;wrote&lt;/i&gt; &lt;img src=x&gt;" in page
        assert "<img src=x>" not in page

    def test_dark_and_plain_text(self, admin: Client) -> None:
        campaign = begun()
        light, dark = (
            frame(admin, look(admin, campaign, choice={"customer": code(), "width": width})).content.decode()
            for width in ("desktop", "dark")
        )
        assert "@media not all" in light
        assert "@media all" in dark
        assert 'content="dark"' in dark or "color-scheme: dark" in dark
        page = look(admin, campaign, choice={"customer": code(), "width": "text"})
        assert "<iframe" not in page
        assert "You get this because you said yes" in page

    def test_an_unknown_frame_is_empty_and_framed_as_safely(self, admin: Client) -> None:
        answer = admin.get(f"/campaigns/{begun().pk}/preview/?shown=nothing")
        assert answer.status_code == 404
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_refusals_stand_in_the_place_of_the_preview(self, admin: Client) -> None:
        page = look(
            admin, begun(), choice={"customer": code()}, en__subject__0="Hello {name}", least_items="many",
        )  # fmt: skip
        assert "<iframe" not in page
        assert '<a href="#least_items">Least items</a>' in page
        page = look(admin, begun_again(), choice={"customer": code()}, en__subject__1="Hello {name}")
        assert '<a href="#en-subject-1">Subject 2 (English)</a>' in page
        assert "“{name}” stands for nothing" in page
        assert looked_at(page) == code()  # whoever was looked at is so again

    def test_a_placement_that_is_gone_is_said(self, admin: Client) -> None:
        page = look(admin, begun(), choice={"customer": code()}, block__0__list="nowhere")
        assert "The placement “nowhere” is not there" in page

    def test_the_language_can_be_chosen(self, admin: Client) -> None:
        page = look(admin, begun(), choice={"customer": code(), "reads": "zh-hans"})
        assert "还有" in page

    def test_with_a_trigger_an_item_of_the_history_stands_for_the_occasions(self, admin: Client) -> None:
        campaign = begun(CampaignKind.TRIGGERED, Trigger.CART_LEFT)
        page = look(admin, campaign, choice={"customer": code()})
        assert "from this customer's history, stands for the item" in page
        new = Customer.objects.create(pseudonym=pseudonym("new"))
        page = look(admin, campaign, choice={"customer": new.code})
        assert "no history that could have called for the message" in page

    def test_who_would_see_too_little_is_said(self, admin: Client) -> None:
        page = look(
            admin, begun(), choice={"customer": code()}, least_items="6", block__0__list="buy_again",
            block__0__price_to="0.01",
        )  # fmt: skip
        assert "this customer gets no message" in page


class TestLikely:
    def test_how_many_keep_enough_items_stands_beside_the_chance(self, admin: Client) -> None:
        campaign = begun()
        part = f"/campaigns/{campaign.pk}/preview/?part=likely"
        sent = typed(campaign, block__0__list="home", least_chance="2", least_items="2")
        assert "“What suits” is not in use" in admin.post(part, sent).content.decode()
        line = logistic(("score", "place"), intercept=0.0, place=-1.0)
        blends = {BlendName.HOME.value: {**line, "borders": [0.0, 1.0], "steps": [0.0, 1.0]}}
        use(PushModelKind.RELEVANCE, {"blends": blends})
        page = admin.post(part, sent).content.decode()
        assert "at least 2 items that count, by 60 customers" in page
        assert re.findall(r'<tr class="is-asked"><th scope="row" class="num">(\d+)%', page) == ["2"]
        assert re.findall(r'<th scope="row" class="num">(\d+)%', page) == ["0", "1", "2", "5", "10", "20", "30", "50"]
        assert "Not finished" in admin.post(part, sent | {"least_items": "x"}).content.decode()


class TestChannels:
    CHANNELS: ClassVar = {"channel__0": "web_push", "channel__1": "webhook", "channel__2": ""}

    def test_a_message_is_shown_as_its_channels_show_it(self, admin: Client) -> None:
        campaign = begun()
        pressed = re.compile(r'name="width" value="(\w+)"')
        assert pressed.findall(look(admin, campaign, choice={"customer": code()})) == [
            "desktop",
            "phone",
            "dark",
            "text",
        ]
        page = look(admin, campaign, choice={"customer": code(), "width": "dark"}, **self.CHANNELS)
        assert pressed.findall(page) == ["notification", "webhook"]
        assert page.count('class="notice-card"') == 2  # a width of a mail is none of a notification's
        assert "<iframe" not in page
        assert "Send me this as a test" not in page
        assert "Tests go by e-mail alone: in a browser it looks as it does here." in page
        page = look(admin, campaign, choice={"customer": code(), "width": "webhook"}, **self.CHANNELS)
        assert "“Send a test” in Setup → Webhooks" in page

    def test_a_notification_follows_what_is_typed_and_is_no_markup(self, admin: Client) -> None:
        fields = self.CHANNELS | {
            "en__subject__0": "<b>Tea</b> from {shop}",
            "en__subject__1": "",
            "en__intro": "x" * 200,
        }
        answer = admin.post(f"/campaigns/{(one := begun()).pk}/preview/", typed(one, **fields) | {"customer": code()})
        page = answer.content.decode()
        assert page.count('<p class="notice-head">&lt;b&gt;Tea&lt;/b&gt; from Corner</p>') == 2
        assert page.count(f'<p class="notice-text">{"x" * 139}…</p>') == 2
        assert re.search(r'<img src="/api/v1/items/[^"]+" alt=""', page)
        page = look(admin, one, choice={"customer": code(), "reads": "zh-hans"}, **self.CHANNELS)
        assert '<div class="notices" lang="zh-hans">' in page

    def test_each_title_stands_there_and_the_customers_own_is_marked(self, admin: Client) -> None:
        page = look(admin, begun(), choice={"customer": code()}, **self.CHANNELS)
        assert page.count('class="is-title ') == 2
        assert page.count('class="is-title is-own"') == 1

    def test_a_webhook_is_shown_as_it_is_posted_and_names_nobody(self, admin: Client) -> None:
        page = look(admin, begun(), choice={"customer": code(), "width": "webhook"}, **self.CHANNELS)
        match = re.search(r"<pre[^>]*>(.*)</pre>", page, re.DOTALL)
        assert match
        told = json.loads(match[1])
        assert told["type"] == "recommendations.push"
        assert told["data"]["user_id"] == "…"
        assert told["data"]["results"][0]["product"]["title"]

    def test_who_can_be_reached_on_its_channels_is_looked_at(self, admin: Client) -> None:
        contact("u1", purposes=(Purpose.FOR_YOU,))  # by mail
        contact("u2", purposes=())
        statement = {"channel": Channel.WEB_PUSH, "purpose": Purpose.FOR_YOU, "state": "given", "since": timezone.now()}
        Permission.objects.create(contact_id=who("u2"), source="browser", **statement)
        assert looked_at(look(admin, begun(), **self.CHANNELS)) == code("u2")


def begun_again() -> Campaign:
    Campaign.objects.all().delete()
    return begun()


class TestCustomers:
    def test_one_goes_on_and_back_among_those_who_said_yes(self, admin: Client) -> None:
        campaign = begun()
        for name in ("u0", "u1", "u2"):
            contact(name, purposes=(Purpose.FOR_YOU,))
        contact("u4", purposes=(Purpose.NEWS,))
        ring = sorted([who("u0"), who("u1"), who("u2")])
        codes = [customer_code(key) for key in ring]
        assert looked_at(look(admin, campaign)) == codes[0]
        at = codes[0]
        for expected in (codes[1], codes[2], codes[0]):
            at = looked_at(look(admin, campaign, choice={"customer": at, "go": "next"}))
            assert at == expected
        assert looked_at(look(admin, campaign, choice={"customer": codes[0], "go": "previous"})) == codes[2]
        assert looked_at(look(admin, campaign, choice={"customer": codes[0], "go": "random"})) in codes
        assert looked_at(look(admin, campaign, choice={"customer": codes[0], "go": "few"})) in codes
        assert looked_at(look(admin, campaign, choice={"customer": codes[1]})) == codes[1]  # a change keeps them

    def test_a_customer_is_searched_by_code_or_by_the_shops_id(self, admin: Client) -> None:
        campaign = begun()
        assert looked_at(look(admin, campaign, choice={"who": code("u7")})) == code("u7")
        assert looked_at(look(admin, campaign, choice={"who": "u8"})) == code("u8")
        page = look(admin, campaign, choice={"who": "nobody", "customer": code()})
        assert "No customer has this code or this id." in page
        assert looked_at(page) == code()

    def test_who_is_in_no_audience_is_nobody(self, admin: Client) -> None:
        campaign = begun()
        page = look(admin, campaign, any_of=["999"])
        assert "There is nobody in view" in page
        answer = admin.post(f"/campaigns/{campaign.pk}/preview/?part=people", typed(campaign, any_of=["999"]))
        assert "<strong>0</strong> customers in view" in answer.content.decode()
        answer = admin.post(f"/campaigns/{campaign.pk}/preview/?part=people", typed(campaign))
        assert "<strong>60</strong> customers in view" in answer.content.decode()

    @pytest.mark.parametrize("choice", [{"customer": "C-0000"}, {"customer": "x", "go": "sideways"}, {"width": "x"}])
    def test_odd_choices_are_none(self, admin: Client, choice: dict[str, str]) -> None:
        assert "gets it" in look(admin, begun(), choice=choice)


class TestStored:
    def test_everybody_on_the_staff_sees_what_runs(self, client_of: Callable[[Role], Client]) -> None:
        campaign = begun()
        viewer = client_of(Role.VIEWER)
        page = unescape(viewer.get(f"/campaigns/{campaign.pk}/preview/?customer={code()}&width=text").content.decode())
        assert "For you this week" in page
        assert "Send me this as a test" not in page
        frozen = {**campaign.draft, "what": {**campaign.draft["what"], "layout": "list"}}
        frozen["what"]["texts"] = {"en": {"subjects": ["What runs"]}}
        CampaignVersion.objects.create(campaign=campaign, number=1, frozen=frozen, starts_at=timezone.now())
        assert "What runs" in viewer.get(f"/campaigns/{campaign.pk}/preview/").content.decode()
        assert viewer.post(f"/campaigns/{campaign.pk}/preview/", typed(campaign)).status_code == 403


class TestAudiences:
    def test_a_new_one_comes_into_the_open_editor_and_what_is_chosen_stays(self, admin: Client) -> None:
        campaign = begun()
        tea = Audience.objects.create(name="Tea", conditions={"all": [], "none": []})
        page = admin.get(f"/campaigns/{campaign.pk}/edit/").content.decode()
        [offered] = re.findall(r'name="offered" value="([^"]*)"', page)
        part = f"/campaigns/{campaign.pk}/preview/?part=audiences"
        sent = typed(campaign) | {"offered": offered, "any_of": [str(tea.pk)]}
        assert admin.post(part, sent).status_code == 204
        coffee = Audience.objects.create(name="Coffee", conditions={"all": [], "none": []})
        choice = admin.post(part, sent).content.decode()
        assert f'name="any_of" value="{tea.pk}" checked' in choice
        assert f'name="any_of" value="{coffee.pk}" >' in choice
        assert (
            admin.post(part, sent | {"offered": re.findall(r'"offered" value="([^"]*)"', choice)[0]}).status_code == 204
        )


class TestTest:
    def test_what_stands_in_the_form_is_sent_to_oneself(self, admin: Client, office: Office) -> None:
        campaign = begun()
        sent = typed(campaign, en__subject__0="As it stands", en__subject__1="") | {"customer": code()}
        answer = admin.post(f"/campaigns/{campaign.pk}/test/", sent, headers={"HX-Request": "true"})
        assert "The mail server took the test for admin@example.com." in answer.content.decode()
        [(_from, to, _content)] = office.got
        assert to == ["admin@example.com"]
        assert office.mails[0]["Subject"] == "[Test] As it stands"
        assert not (Message.objects.exists())
        assert not (Slate.objects.exists())

    def test_without_a_form_the_draft_is_sent_and_the_page_comes_back(self, admin: Client, office: Office) -> None:
        campaign = begun()
        back = f"/campaigns/{campaign.pk}/edit/?step=what"
        answer = admin.post(f"/campaigns/{campaign.pk}/test/", {"customer": code(), "back": back})
        assert answer["Location"] == back
        assert len(office.got) == 1

    def test_why_it_was_not_sent_is_said(
        self, admin: Client, office: Office, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = begun()

        def test_of(**fields: Any) -> str:
            sent = typed(campaign, **fields) | {"customer": fields.get("customer", code())}
            answer = admin.post(f"/campaigns/{campaign.pk}/test/", sent, headers={"HX-Request": "true"})
            return unescape(answer.content.decode())

        assert "Choose a customer" in test_of(customer="C-0000")
        assert "not finished" in test_of(least_items="x")
        office.at_data = "554 no"
        assert "did not take the test" in test_of()
        assert "within the last five seconds" in test_of()
        monkeypatch.setattr(trying, "TWICE", timedelta(0))
        office.hangs_up = "after"
        assert "is not known" in test_of()
        office.hangs_up, office.at_data = "", "250 OK"
        for _ in range(8):
            test_of()
        assert "10 tests within an hour" in test_of()
        settings.PUSH_MAIL_SERVER = {}
        assert "PUSH_EMAIL_URL" in test_of()
