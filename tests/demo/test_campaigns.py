"""Campaigns of the demo: three live and one in review, once, and only where mail stays on the machine."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from demo.campaigns import A_DAY, begin_campaigns
from recommendations.models import Campaign, CampaignVersion, Endpoint, Message, Occurrence, PressureRules
from recommendations.push_terms import CampaignStatus, MessageState, Trigger
from recommendations.services.campaigns.lifecycle import end
from recommendations.services.push.sendings import decide_pushes
from tests.push_records import contact, pressure

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
NOW = timezone.now()


@pytest.fixture(autouse=True)
def rules() -> PressureRules:
    caps = [{"channel": "email", "most": 1, "hours": 24}]
    return pressure(caps=caps, quiet_from="00:00", quiet_until="00:00")


@pytest.fixture(autouse=True)
def demo(settings: LazySettings, tmp_path: Path) -> Path:
    """A demo whose pages answer, and whose mail stays with it."""
    settings.DEMO, settings.DATA, settings.FOUR_EYES = True, tmp_path, False
    settings.POST_OFFICE, settings.PUSH_MAIL_SERVER = "smtp://127.0.0.1:1", {"host": "127.0.0.1", "port": 1}
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "push@shop.example", "1 Market Square"
    published = tmp_path / "demo.json"
    published.write_text(json.dumps({"url": "http://127.0.0.1:1/", "api_key": "a.b"}), encoding="utf-8")
    return published


def statuses() -> dict[str, CampaignStatus]:
    live = {each.campaign_id: each for each in CampaignVersion.objects.filter(is_live=True)}
    return {each.slug: each.status(live=live.get(each.pk), now=NOW) for each in Campaign.objects.all()}


def test_three_are_live_and_one_is_in_review() -> None:
    assert begin_campaigns(now=NOW) == 4
    assert statuses() == {
        "running-low": CampaignStatus.LIVE, "left-in-the-cart": CampaignStatus.LIVE,
        "for-you-this-week": CampaignStatus.LIVE, "new-in-what-you-like": CampaignStatus.IN_REVIEW,
    }  # fmt: skip
    weekly = CampaignVersion.objects.get(campaign__slug="for-you-this-week")
    assert {4, (NOW + timedelta(minutes=3)).isoweekday()} == set(weekly.frozen["when"]["weekdays"])
    assert {each.frozen["safety"]["per_day"] for each in CampaignVersion.objects.all()} == {A_DAY}
    assert CampaignVersion.objects.get(campaign__trigger=Trigger.CART_LEFT).frozen["occasion"]["hours"] == 1
    assert "first weekday" in weekly.note
    left = CampaignVersion.objects.get(campaign__trigger=Trigger.CART_LEFT)
    assert left.frozen["channels"] == ["web_push", "email"]


def test_the_post_office_knows_the_secret_of_the_webhook_that_is_made_once(settings: LazySettings, demo: Path) -> None:
    settings.WEBHOOK_HOSTS = frozenset({"http://127.0.0.1:8077"})
    begin_campaigns(now=NOW)
    made = Endpoint.objects.get()
    assert made.url == "http://127.0.0.1:8077/hooks/till/"
    file = demo.parent / "post" / "webhook-secret"
    assert file.read_text(encoding="utf-8").startswith("whsec_")
    assert file.stat().st_mode & 0o077 == 0
    Campaign.objects.all().delete()
    begin_campaigns(now=NOW)
    assert Endpoint.objects.get() == made


def test_they_are_begun_once_whatever_staff_do_with_them() -> None:
    begin_campaigns(now=NOW)
    assert begin_campaigns(now=NOW) == 0
    for each in Campaign.objects.all():
        end(campaign=each, by=None, now=NOW)
    assert begin_campaigns(now=NOW) == 0
    assert Campaign.objects.count() == 4


def test_nothing_begins_where_mail_leaves_the_machine(settings: LazySettings) -> None:
    settings.POST_OFFICE = ""
    assert begin_campaigns(now=NOW) == 0


def test_nothing_begins_before_the_pages_answer(demo: Path) -> None:
    demo.unlink()
    assert begin_campaigns(now=NOW) == 0


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_first_mails_wait_minutes_after_it(settings: LazySettings, language: str) -> None:
    settings.SHOP_LANGUAGE = language
    for number in range(20):
        contact(f"u{number}")
    assert begin_campaigns(now=NOW) == 4
    decide_pushes(now=NOW + timedelta(minutes=1))
    assert Occurrence.objects.filter(state="decided").count() >= 1
    waiting = Message.objects.filter(state=MessageState.DUE)
    assert 0 < waiting.count() <= 20
    assert {each.due_at <= NOW + timedelta(minutes=3) for each in waiting} == {True}
