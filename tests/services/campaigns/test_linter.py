"""What stands against a campaign: what refuses, with its place, and what is only said."""

from typing import Any

import pytest
from django.conf import LazySettings

from recommendations.models import Audience, Campaign, Contact, Customer
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.campaigns.linter import findings
from recommendations.services.campaigns.presets import PRESETS, CampaignPreset
from recommendations.store.events.pseudonyms import pseudonym
from tests.services.campaigns.test_form import TEXTS, draft, what

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    settings.PUSH_FROM, settings.POSTAL_ADDRESS, settings.SHOP_NAME = "a@shop.example", "1 Market Square", "Corner"


def campaign(given: dict[str, Any], **fields: Any) -> Campaign:
    values = {"kind": CampaignKind.ONCE, "trigger": "", "purpose": Purpose.FOR_YOU}
    return Campaign(pk=1, name="Weekly", draft=given, **values | fields)


def both(**texts: Any) -> dict[str, Any]:
    """A draft with texts in both languages."""
    return draft(what=what(texts={"en": TEXTS | texts, "zh-hans": TEXTS}))


def places(one: Campaign) -> list[tuple[str, bool]]:
    return [(each.pointer, each.refuses) for each in findings(one)]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_nothing_stands_against_what_one_begins_with(preset: CampaignPreset) -> None:
    begun = campaign(preset.draft(), kind=preset.kind, trigger=preset.trigger or "", purpose=preset.purpose)
    assert findings(begun) == []


def test_what_is_unfinished_refuses_at_its_place() -> None:
    assert places(campaign(draft(what=what(least_items=9)))) == [("/what/least_items", True)]


def test_what_the_installation_lacks_refuses_by_name(settings: LazySettings) -> None:
    settings.POSTAL_ADDRESS = ""
    [finding] = findings(campaign(both()))
    assert finding.refuses
    assert "POSTAL_ADDRESS" in finding.text


def test_a_placement_that_is_not_there_refuses() -> None:
    given = both()
    given["what"]["blocks"] = [{"placement": "home", "n": 3}, {"placement": "nowhere", "n": 3}]
    assert places(campaign(given)) == [("/what/blocks/1/placement", True)]


@pytest.mark.parametrize(
    "given", [{"what": 1}, {"what": {"blocks": 1}}, {"what": {"blocks": [1, {"placement": {}}], "texts": {"en": 1}}}]
)
def test_a_draft_of_any_shape_is_refused_and_no_more(given: dict[str, Any]) -> None:
    assert all(refuses for _pointer, refuses in places(campaign(given)))


def test_a_language_without_text_says_how_many_it_concerns() -> None:
    for name in ("li", "wu", "ann"):
        person = Customer.objects.create(pseudonym=pseudonym(name))
        Contact.objects.create(customer=person, language="en" if name == "ann" else "zh-hans")
    [finding] = findings(campaign(draft()))
    assert (finding.pointer, finding.refuses) == ("/what/texts/zh-hans", False)
    assert "2 contacts" in finding.text


def test_a_subject_is_long_by_what_it_comes_to() -> None:
    assert findings(campaign(both(subjects=["{first_item}" * 2 + "x" * 20]))) == []
    assert places(campaign(both(subjects=["ok", "{first_item}" * 2 + "x" * 21]))) == [
        ("/what/texts/en/subjects/1", False)
    ]


def test_a_purpose_that_does_not_fit_is_said() -> None:
    left = campaign(both(), kind=CampaignKind.TRIGGERED, trigger=Trigger.CART_LEFT, purpose=Purpose.NEWS)
    [finding] = findings(left)
    assert (finding.pointer, finding.refuses) == ("", False)
    assert "News and offers" in finding.text


def test_an_archived_audience_is_said() -> None:
    there = Audience.objects.create(name="Here", conditions={"all": [], "none": []})
    given = both()
    given["who"] = {"any_of": [there.pk], "none_of": [there.pk + 1]}
    assert places(campaign(given)) == [("/who/none_of", False)]
