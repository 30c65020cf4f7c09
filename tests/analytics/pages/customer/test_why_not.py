"""The panel “Why not” names the stage where an item is lost, and makes drafts of the changes that bring it in."""

import re

import pytest
from django.test import Client

from recommendations.models import BlendWeights, Customer, Rule
from recommendations.simulation.counterfactuals import CounterfactualKind
from tests.analytics.pages.customer.conftest import draft_weights, outsider, text, thing
from tests.review import review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_why_not_names_the_stage_and_a_change_that_brings_it_in(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker)
    panel = text(merchandiser, f"/customers/{tea_drinker.code}/why-not/{item.pk}/")
    assert diagnosis.words in panel
    assert panel.count("lost here") == 1
    assert diagnosis.suggestions[0].words in panel
    assert "Apply as draft" in panel


def test_why_not_of_a_shown_item_leads_to_why(admin: Client, tea_drinker: Customer) -> None:
    item = review(customer=tea_drinker.pk, placement="home").cards[2].item
    panel = text(admin, f"/customers/{tea_drinker.code}/why-not/{item.pk}/")
    assert "It is shown, at position 3." in panel
    assert f"why={item.pk}" in panel


def test_a_change_says_its_price_before_it_is_a_draft(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker)
    rules, weights = Rule.objects.count(), BlendWeights.objects.count()
    for change in diagnosis.suggestions:
        part = text(merchandiser, f"/customers/{tea_drinker.code}/why-not/{item.pk}/price/?key={change.key}")
        own = change.kind is CounterfactualKind.OWN_PIN
        assert ("This affects only this customer" if own else "This affects everyone") in part
        assert "Make a draft" in part
    assert (Rule.objects.count(), BlendWeights.objects.count()) == (rules, weights)
    gone = text(merchandiser, f"/customers/{tea_drinker.code}/why-not/{item.pk}/price/?key=nonsense")
    assert "no longer brings it in" in gone


def test_a_change_becomes_a_draft_that_opens_where_it_is_worked_on(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker)
    before = [card.item.pk for card in review(customer=tea_drinker.pk, placement="home").cards]
    for change in diagnosis.suggestions:
        address = f"/customers/{tea_drinker.code}/why-not/{item.pk}/apply/"
        answer = merchandiser.post(address, {"key": change.key, "replace": "yes"})
        assert answer.status_code == 302
        assert re.fullmatch(r"/weights/\?blend=home(&group=segment-\d+)?|/rules/\d+/", answer["Location"])
    assert [card.item.pk for card in review(customer=tea_drinker.pk, placement="home").cards] == before


def test_an_existing_draft_is_not_overwritten_without_asking(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker, kind=CounterfactualKind.WEIGHT)
    change = next(each for each in diagnosis.suggestions if each.kind is CounterfactualKind.WEIGHT)
    draft = draft_weights("home", {"buy_again": 1.0})
    answer = merchandiser.post(f"/customers/{tea_drinker.code}/why-not/{item.pk}/apply/", {"key": change.key})
    assert answer.status_code == 409
    assert "There is a draft already" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.weights == {"buy_again": 1.0}


def test_a_change_that_is_gone_says_so(merchandiser: Client, tea_drinker: Customer) -> None:
    answer = merchandiser.post(
        f"/customers/{tea_drinker.code}/why-not/{thing('soap-1').pk}/apply/", {"key": "weight:x"}
    )
    assert answer.status_code == 409
    assert "No draft was made" in answer.content.decode()
