"""The panel “Why here” of a card has every term of its score, and they add up."""

import re

import pytest
from django.test import Client

from analytics.queries.customer.evidence_words import facts_in_words
from recommendations.models import Customer
from tests.analytics.pages.customer.conftest import draft_weights, text, thing
from tests.review import review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_why_here_has_every_term_and_they_add_up(admin: Client, tea_drinker: Customer) -> None:
    card = review(customer=tea_drinker.pk, placement="home").cards[0]
    panel = text(admin, f"/customers/{tea_drinker.code}/why/{card.item.pk}/")
    assert "<html" not in panel
    assert f'id="drawer-title">{card.item.title}<' in panel
    body, foot = panel.split("<tfoot>")
    terms = [float(value.replace("−", "-")) for value in re.findall(r'<td class="num">([+−]\d+\.\d{4})</td>', body)]
    exact = [term.value for term in card.waterfall if term.value is not None]
    assert terms == pytest.approx(exact, abs=5e-5)
    assert sum(exact) == pytest.approx(card.final, abs=1e-6)
    assert f"<strong>{card.final:.4f}</strong>" in foot
    assert card.reasons[0] in panel
    for value, words in facts_in_words(card.evidence[0].evidence):  # the numbers behind the words
        assert f'<span class="num">{value}</span> {words}' in panel
    assert "Candidates" in panel


def test_the_panel_is_part_of_the_page_where_the_address_opens_it(admin: Client, tea_drinker: Customer) -> None:
    card = review(customer=tea_drinker.pk, placement="home").cards[0]
    page = text(admin, f"/customers/{tea_drinker.code}/?why={card.item.pk}")
    assert "How the score adds up" in page
    absent = thing("soap-1")
    page = text(admin, f"/customers/{tea_drinker.code}/?why={absent.pk}")
    assert "It is not in this list" in page
    assert f"why_not={absent.pk}" in page


def test_why_here_of_the_draft_is_the_drafts_score(admin: Client, tea_drinker: Customer) -> None:
    draft_weights("home", {"buy_again": 1.0})
    item = review(customer=tea_drinker.pk, placement="home").cards[0].item
    panel = text(admin, f"/customers/{tea_drinker.code}/why/{item.pk}/?compare=weights&of=draft")
    assert "With the draft: position" in panel
    assert len(re.findall(r'<tr><th scope="row"><svg', panel)) == 1  # one recommender has all of the weight
