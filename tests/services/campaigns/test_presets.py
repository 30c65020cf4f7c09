"""Campaigns to begin with are whole, in every language, and show the item that the occasion is about first."""

import re

import pytest
from django.conf import settings
from django.utils import timezone, translation

from recommendations.engine.push.cases import PushCase
from recommendations.models import Campaign, Customer, Item
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.campaigns.form import SUBJECT_SHOWN, CampaignForm, frozen_of
from recommendations.services.campaigns.presets import PRESETS, CampaignPreset, fits, preset_of
from recommendations.services.push.deciding import Sending, lists_of
from recommendations.services.push.letters import answers_of
from recommendations.simulation.message_lists import current_snapshot, items_of_many
from recommendations.store.events.pseudonyms import pseudonym

OF_NEWS = [each.under(Purpose.NEWS) for each in PRESETS if fits(Purpose.NEWS, each.trigger)]
HAN = re.compile(r"[一-鿿]")


def form_of(preset: CampaignPreset) -> CampaignForm:
    kind = preset.kind
    return frozen_of(preset.draft(), recurring=kind is CampaignKind.RECURRING, triggered=kind is CampaignKind.TRIGGERED)


@pytest.mark.parametrize("preset", [*PRESETS, *OF_NEWS], ids=lambda preset: f"{preset.name} {preset.purpose}")
def test_each_is_whole_in_every_language(preset: CampaignPreset) -> None:
    form = form_of(preset)
    assert set(form.what.texts) == {code for code, _name in settings.LANGUAGES}
    for code, texts in form.what.texts.items():
        for text in (*texts.subjects, texts.preheader, texts.heading, texts.intro, texts.button):
            assert bool(HAN.search(text)) is (code == "zh-hans"), text
        assert all(len(subject.replace("{first_item}", "x" * 25)) <= SUBJECT_SHOWN for subject in texts.subjects)
    assert fits(preset.purpose, preset.trigger)


def test_there_is_one_for_each_kind_and_trigger() -> None:
    expected: list[tuple[CampaignKind, Trigger | None]] = [(CampaignKind.TRIGGERED, trigger) for trigger in Trigger]
    expected += [(CampaignKind.ONCE, None), (CampaignKind.RECURRING, None)]
    assert sorted(map(str, expected)) == sorted(str((preset.kind, preset.trigger)) for preset in PRESETS)
    with pytest.raises(KeyError):
        preset_of(CampaignKind.ONCE, Trigger.SHOP)


def test_the_name_is_the_readers_and_the_texts_are_the_customers() -> None:
    preset = preset_of(CampaignKind.TRIGGERED, Trigger.DUE_AGAIN)
    with translation.override("zh-hans"):
        assert HAN.search(preset.title)
        assert preset.draft()["what"]["texts"]["en"]["heading"] == "Running low?"


@pytest.mark.parametrize("preset", OF_NEWS, ids=lambda preset: preset.trigger or preset.kind)
def test_a_campaign_of_news_speaks_of_nobodys_taste(preset: CampaignPreset) -> None:
    draft = preset.draft()
    english = str(draft["what"]["texts"]["en"])
    assert preset.purpose is Purpose.NEWS
    assert not re.search(r"\b(you|your|picked|chosen)\b", english, re.IGNORECASE), english
    assert [block["placement"] for block in draft["what"]["blocks"]][-1] == "trending"


def test_other_purposes_begin_with_the_words_of_the_kind() -> None:
    once = preset_of(CampaignKind.ONCE)
    assert once.under(Purpose.FOR_YOU) is once.under(Purpose.REMINDERS) is once
    cart = preset_of(CampaignKind.TRIGGERED, Trigger.CART_LEFT)
    assert cart.under(Purpose.NEWS) is cart


def test_reminders_are_not_what_a_weekly_campaign_sends() -> None:
    assert not fits(Purpose.REMINDERS, None)
    assert not fits(Purpose.NEWS, Trigger.CART_LEFT)


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "trigger", [each.trigger for each in PRESETS if any("trigger" in block.values() for block in each.blocks)]
)
def test_the_item_of_the_occasion_stands_first_and_only_once(trigger: Trigger) -> None:
    preset, now = preset_of(CampaignKind.TRIGGERED, trigger), timezone.now()
    customer, tea = Customer.objects.get(pseudonym=pseudonym("u3")).pk, Item.objects.get(shop_id="tea-0").pk
    campaign = Campaign(pk=1, kind=preset.kind, trigger=trigger, purpose=preset.purpose)
    case = PushCase(1, customer, "key", now, tea)
    sending, snapshot = Sending(campaign=campaign, form=form_of(preset), cases=[case]), current_snapshot()
    wanted = lists_of(case, sending, customer=customer, but=frozenset())
    [(decided, _good)] = items_of_many([wanted], snapshot=snapshot, now=now)
    shown = [one.item for answer in answers_of(wanted, snapshot=snapshot, now=now) for one in answer.shown]
    assert shown[0] == decided[0] == tea
    assert len(shown) == len(set(shown)) >= 4
