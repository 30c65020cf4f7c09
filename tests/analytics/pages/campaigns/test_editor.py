"""The editor of a campaign: whatever is typed is saved or shown again, and nobody overwrites what they did not see."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from recommendations.models import Audience, Campaign, Endpoint
from recommendations.push_terms import CampaignKind, Channel, Purpose, Trigger
from recommendations.services.campaigns.lifecycle import form_of
from recommendations.services.campaigns.routes import without_route
from recommendations.store.push.triggers import views, visits
from tests.analytics.pages.campaigns.forms import begun, page_of, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_is_set")]


class TestNew:
    def test_cards_lead_to_a_whole_draft(self, admin: Client) -> None:
        page = page_of(admin.get("/campaigns/new/"))
        for code in ("once", "recurring", *Trigger):
            assert f'href="?start={code}"' in page
        page = page_of(admin.get("/campaigns/new/?start=cart_left"))
        assert 'value="Left in the cart"' in page
        assert 'value="reminders" checked' in page
        answer = admin.post("/campaigns/new/", {"start": "cart_left", "name": "Cart", "purpose": "reminders"})
        made = Campaign.objects.get()
        assert answer["Location"] == f"/campaigns/{made.pk}/edit/?step=who"
        assert (made.kind, made.trigger, made.purpose) == ("triggered", "cart_left", "reminders")
        assert form_of(made).what.texts.keys() == {"en", "zh-hans"}

    def test_a_purpose_that_does_not_fit_is_warned_of_and_taken(self, admin: Client) -> None:
        assert "do not expect such a message" in page_of(admin.get("/campaigns/new/?start=win_back"))
        admin.post("/campaigns/new/", {"start": "win_back", "name": "Back", "purpose": "news"})
        made = Campaign.objects.get()
        assert made.purpose == Purpose.NEWS
        assert "do not expect this" in page_of(admin.get(f"/campaigns/{made.pk}/edit/?step=review"))

    def test_what_was_typed_is_there_again_where_the_name_is_taken(self, admin: Client) -> None:
        begun()
        sent = {"start": "cart_left", "name": "for you this WEEK", "purpose": "news"}
        answer = admin.post("/campaigns/new/", sent)
        page = page_of(answer)
        assert answer.status_code == 422
        assert 'value="for you this WEEK"' in page
        assert 'value="news" checked' in page
        assert "already has this name" in page
        assert 'value="For you this week 2"' in page_of(admin.get("/campaigns/new/?start=recurring"))

    @pytest.mark.parametrize("sent", [{}, {"start": "nothing"}, {"start": "triggered", "name": "x"}])
    def test_without_a_kind_nothing_is_made(self, admin: Client, sent: dict[str, str]) -> None:
        assert admin.post("/campaigns/new/", sent).status_code == 422
        assert not Campaign.objects.exists()


class TestSave:
    def test_what_a_campaign_begins_with_is_saved_as_it_is(self, admin: Client) -> None:
        for kind, trigger in ((CampaignKind.RECURRING, None), (CampaignKind.TRIGGERED, Trigger.DUE_AGAIN)):
            campaign = begun(kind, trigger)
            before = form_of(campaign)
            priority = "reminder" if trigger else "campaign"
            hour = {"hour": "", "weekdays": []} if trigger else {}
            answer = save(admin, campaign, then="what", priority=priority, **hour)
            assert answer["Location"] == f"/campaigns/{campaign.pk}/edit/?step=what"
            campaign.refresh_from_db()
            assert form_of(campaign) == before

    def test_who_saves_stays_on_the_step_that_is_open(self, admin: Client) -> None:
        campaign = begun()
        page = page_of(admin.get(f"/campaigns/{campaign.pk}/edit/?step=when"))
        assert '<input type="hidden" name="step" value="when">' in page
        assert save(admin, campaign, step="when")["Location"] == f"/campaigns/{campaign.pk}/edit/?step=when"
        campaign.refresh_from_db()
        answer = save(admin, campaign, step="when", then="safety")
        assert answer["Location"] == f"/campaigns/{campaign.pk}/edit/?step=safety"

    def test_a_webhook_is_chosen_where_there_are_several(self, admin: Client) -> None:
        campaign = begun()
        first = Endpoint.objects.create(name="ERP", url="https://erp.example/", sealed_secret=b"")
        edit = f"/campaigns/{campaign.pk}/edit/?step=what"
        assert 'name="endpoint"' not in page_of(admin.get(edit))
        save(admin, campaign, **{"channel-0": "webhook"})
        campaign.refresh_from_db()
        assert [*without_route(campaign.draft)] == []
        second = Endpoint.objects.create(name="CRM", url="https://crm.example/", sealed_secret=b"")
        page = page_of(admin.get(edit))
        assert "There are several webhooks" in page
        assert '<option value="">Choose a webhook</option>' in page
        assert "The only one in use" not in page
        save(admin, campaign, **{"channel-0": "webhook", "endpoint": str(second.pk)})
        campaign.refresh_from_db()
        assert (campaign.draft["endpoint"], [*without_route(campaign.draft)]) == (second.pk, [])
        assert f'<option value="{second.pk}" selected>CRM' in page_of(admin.get(edit))
        Endpoint.objects.exclude(pk=first.pk).update(enabled=False)
        assert [each.pointer for each in without_route(campaign.draft)] == ["/endpoint"]
        page = page_of(admin.get(edit))
        assert "This webhook is off." in page
        assert '<option value="">The only one in use</option>' in page
        first.delete()
        assert [each.pointer for each in without_route({"channels": ["webhook"]})] == ["/endpoint"]

    def test_channels_stay_in_their_order_each_once_and_a_wrong_one_says_so(self, admin: Client) -> None:
        campaign = begun()
        save(admin, campaign, **{"channel-0": "web_push", "channel-1": "email", "channel-2": "web_push"})
        campaign.refresh_from_db()
        assert form_of(campaign).channels == [Channel.WEB_PUSH, Channel.EMAIL]
        page = page_of(admin.get(f"/campaigns/{campaign.pk}/edit/?step=what"))
        assert '<option value="web_push" selected>Browser notification</option>' in page
        save(admin, campaign, **{"channel-0": "pigeon"})
        campaign.refresh_from_db()
        assert campaign.draft["channels"] == ["pigeon"]
        assert 'id="channel-0-error"' in page_of(admin.get(f"/campaigns/{campaign.pk}/edit/?step=what"))

    def test_every_field_arrives(self, admin: Client) -> None:
        coffee = Audience.objects.create(name="Coffee", conditions={"all": [], "none": []})
        tea = Audience.objects.create(name="Tea", conditions={"all": [], "none": []})
        campaign = begun()
        save(
            admin, campaign, name="Weekly", any_of=[str(coffee.pk)], none_of=[str(tea.pk)], layout="list",
            least_items="2", starts="at", starts_at="2031-02-03T09:30", ends_at="2031-06-01T00:00",
            weekdays=["1", "5"], hour="08:15", clock="shop", expires_hours="48", holdout="12.5",
            priority="reminder", per_day="500", goal="categories", goal_categories=["Grocery > Tea", ""],
            goal_days="14", block__0__n="4", block__0__price_to="9.99", block__0__categories=["Grocery"],
            block__1__list="trending", block__1__n="2", en__subject__1="Another", **{"zh-hans-subject-0": "你好"},
        )  # fmt: skip
        campaign.refresh_from_db()
        form = form_of(campaign)
        assert campaign.name == "Weekly"
        assert (form.who.any_of, form.who.none_of) == ([coffee.pk], [tea.pk])
        assert (form.what.layout, form.what.least_items) == ("list", 2)
        assert [(block.placement, block.n) for block in form.what.blocks] == [("email", 4), ("trending", 2)]
        assert (form.what.blocks[0].price_to, form.what.blocks[0].categories) == (9.99, ["Grocery"])
        assert form.what.texts["en"].subjects[1] == "Another"
        assert form.what.texts["zh-hans"].subjects[0] == "你好"
        assert form.when.starts_at is not None
        assert form.when.starts_at.isoformat()[:16] == "2031-02-03T09:30"
        assert form.when.ends_at is not None
        assert (form.when.weekdays, str(form.when.hour), form.when.clock) == ([1, 5], "08:15:00", "shop")
        assert (form.when.expires_hours, form.safety.holdout, form.safety.per_day) == (48, 0.125, 500)
        assert (form.safety.goal.kind, form.safety.goal.categories, form.safety.goal.days) == (
            "categories", ["Grocery > Tea"], 14,
        )  # fmt: skip
        page = page_of(admin.get(f"/campaigns/{campaign.pk}/edit/?step=when"))
        for value in ("2031-02-03T09:30", "08:15", "12.5", "9.99", "Grocery > Tea", "Another", "你好"):
            assert f'value="{value}"' in page, value
        assert 'id="step-when" open' in page

    def test_an_unfinished_draft_is_saved_with_what_was_typed_and_says_what_is_missing(self, admin: Client) -> None:
        campaign = begun()
        wrong = {
            "least_items": "many", "expires_hours": "3", "block__0__n": "13", "starts": "at", "starts_at": "soon",
            "weekdays": [], "hour": "25:99", "holdout": "80", "en__subject__0": "Hello {name}",
            "block__0__price_to": "cheap", "en__heading": "x" * 151,
        }  # fmt: skip
        answer = save(admin, campaign, **wrong)
        assert answer.status_code == 302
        page = page_of(admin.get(answer["Location"]))
        for value in ("many", "3", "13", "soon", "80", "cheap", "Hello {name}"):
            assert f'value="{value}"' in page, value
        for field in (
            "least_items", "expires_hours", "block-0-n", "starts_at", "hour", "holdout", "en-heading",
            "block-0-price_to",
        ):  # fmt: skip
            assert f'id="{field}-error"' in page, field
        assert "fields are not finished yet" in page
        campaign.refresh_from_db()
        assert campaign.revision == 2

    def test_all_that_is_wrong_is_said_at_once_as_a_person_would_in_both_languages(self, admin: Client) -> None:
        campaign = begun()
        wrong = {
            "least_items": "13", "expires_hours": "soon", "block__0__n": "0", "block__1__list": "nowhere",
            "block__1__n": "3", "weekdays": [], "hour": "25:99", "holdout": "80", "goal_days": "", "per_day": "0",
            "en__subject__0": "Hello {name}", "block__0__price_to": "cheap",
        }  # fmt: skip
        address = save(admin, campaign, **wrong)["Location"]
        page = page_of(admin.get(address))
        for text in (
            'least_items-error">Choose 1 to 12 items.', 'block-0-n-error">Choose 1 to 12 items.',
            'expires_hours-error">Write 24 to 336 hours.', 'hour-error">Choose an hour and a minute.',
            'holdout-error">Write 0 to 50 per cent.', 'goal_days-error">Write 1 to 28 days.',
            'per_day-error">Write a whole number', 'block-0-price_to-error">Write a price above 0',
            'weekdays-error">Choose the days', 'en-subject-0-error">“{name}” stands for nothing',
            'block-1-list-error">The placement “nowhere” is not there',
        ):  # fmt: skip
            assert text in page, text
        assert "11 fields are not finished yet" in page
        assert "11 things to fix first" in page
        tags = [int(n) for n in re.findall(r"(\d+) fields?</span></summary>", page)]
        assert sum(tags) == 11
        assert "Expected" not in page
        chinese = page_of(admin.get(address, headers={"accept-language": "zh-hans"}))
        for text in ("请选择 1 到 12 件商品。", "请填写 24 到 336 小时。", "请填写 0% 到 50%。", "需先修正 11 处"):
            assert text in chinese, text
        for place in ("plan", "review"):
            assert "Least items</a> · Choose 1 to 12 items." in page_of(admin.get(f"/campaigns/{campaign.pk}/{place}/"))

    def test_a_name_in_braces_that_stands_for_nothing_is_refused_at_its_subject(self, admin: Client) -> None:
        campaign = begun()
        answer = save(admin, campaign, en__subject__1="Hello {name}")
        page = page_of(admin.get(answer["Location"]))
        assert 'id="en-subject-1-error">“{name}” stands for nothing' in page

    def test_lists_without_a_choice_are_left_out_and_complaints_stay_in_their_row(self, admin: Client) -> None:
        campaign = begun()
        rows = {"block__0__list": "", "block__2__list": "trending", "block__2__n": "x"}
        save(admin, campaign, **rows)
        campaign.refresh_from_db()
        assert [block["placement"] for block in campaign.draft["what"]["blocks"]] == ["trending"]
        save(admin, campaign, block__0__list="")
        campaign.refresh_from_db()
        assert "Choose a list" in page_of(admin.get(f"/campaigns/{campaign.pk}/edit/"))
        assert campaign.draft["what"]["blocks"] == []

    def test_a_language_with_no_text_is_none(self, admin: Client) -> None:
        campaign = begun()
        save(admin, campaign, **{f"zh-hans-{name}": "" for name in (
            "subject-0", "subject-1", "preheader", "heading", "intro", "button",
        )})  # fmt: skip
        campaign.refresh_from_db()
        assert list(campaign.draft["what"]["texts"]) == ["en"]

    def test_a_name_that_is_taken_loses_nothing(self, admin: Client) -> None:
        campaign, other = begun(), begun(CampaignKind.TRIGGERED, Trigger.CART_LEFT)
        answer = save(admin, campaign, name=other.name, en__heading="My heading")
        page = page_of(answer)
        assert answer.status_code == 422
        assert "Nothing was saved yet" in page
        assert 'value="My heading"' in page
        assert f'value="{other.name}"' in page
        campaign.refresh_from_db()
        assert campaign.revision == 1

    def test_saving_is_undone_with_one_click_but_not_what_came_after(self, admin: Client) -> None:
        campaign = begun()
        before = campaign.draft
        save(admin, campaign, en__heading="Other", name="Other name")
        page = admin.get(f"/campaigns/{campaign.pk}/edit/").content.decode()
        token = page.split('name="token" value="')[1].split('"')[0]
        admin.post("/undo/", {"token": token})
        campaign.refresh_from_db()
        assert (campaign.draft, campaign.name) == (before, "For you this week")
        admin.post("/undo/", {"token": token})
        campaign.refresh_from_db()
        assert campaign.revision == 3


class TestOccasion:
    @pytest.mark.parametrize(
        ("trigger", "line", "labels"),
        [
            (
                Trigger.VIEWED, "4 hours after the last of 2 looks at an item within 72 hours, none of it bought",
                ("Looked at it within 72 hours at least", "It comes after the last look by"),
            ),
            (
                Trigger.WIN_BACK, "After three times as long as usual without a purchase, and 30 days at least",
                ("No purchase for three times as long as usual, and at least",),
            ),
        ],
    )  # fmt: skip
    def test_its_numbers_are_said_as_the_look_takes_them(
        self, admin: Client, trigger: Trigger, line: str, labels: tuple[str, ...]
    ) -> None:
        page = page_of(admin.get(f"/campaigns/{begun(CampaignKind.TRIGGERED, trigger).pk}/edit/"))
        for text in (line, *labels):
            assert text in page, text
        assert (timedelta(hours=72), 3) == (views.WITHIN, visits.GAPS)
