"""The review of a customer shows drafts of weights and rules beside what is live."""

import re

import pytest
from django.test import Client

from recommendations.models import Customer, Item, Rule, Segment
from recommendations.terms import RuleAction
from tests.analytics.pages.customer.conftest import draft_weights, text, thing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def exclusion(item: Item, *, customer: Customer | None = None) -> Rule:
    return Rule.objects.create(
        name=f"No {item}", action=RuleAction.EXCLUDE, customer=customer,
        items=[{"attribute": "item", "operator": "is", "values": [item.shop_id]}],
    )  # fmt: skip


def test_live_beside_the_draft_weights(admin: Client, tea_drinker: Customer) -> None:
    draft = draft_weights("home", {"popularity_home": 1.0})
    page = text(admin, f"/customers/{tea_drinker.code}/?compare=weights")
    live, drafted = page.split('id="compare-draft"')
    assert "Draft weights of For you for everybody" in live
    assert "/weights/?blend=home" in live
    places = re.findall(r'<li class="(is-[\w]+)"><span class="ranked-place num">(\d+)</span>', drafted)
    assert [int(number) for _, number in places] == list(range(1, 21))
    assert {css for css, _ in places} > {"is-new"}
    assert re.search(r"\d+ are new, \d+ are out", live)
    draft.delete()
    page = text(admin, f"/customers/{tea_drinker.code}/?compare=weights")
    assert "There are no draft weights for this placement." in page


def test_the_draft_of_the_customers_own_segment_goes_before_the_one_for_everybody(
    admin: Client, tea_drinker: Customer
) -> None:
    segment = Segment.objects.get(members__customer=tea_drinker)
    draft_weights("home", {"popularity_home": 1.0})
    draft_weights("home", {"buy_again": 1.0}, segment=segment)
    page = text(admin, f"/customers/{tea_drinker.code}/?compare=weights")
    assert f"for segment “{segment}”" in page
    assert f"/weights/?blend=home&group=segment-{segment.number}" in page


def test_live_beside_the_draft_rules(admin: Client, tea_drinker: Customer) -> None:
    top = thing("tea-0")
    assert "No rule waits to be published." in text(admin, f"/customers/{tea_drinker.code}/?compare=rules")
    exclusion(top)
    page = text(admin, f"/customers/{tea_drinker.code}/?compare=both")
    live, drafted = page.split('id="compare-draft"')
    assert "There are no draft weights" in live  # the rules are compared all the same
    assert "Rule “No Tea 0”" in live
    assert re.search(r'<li class="is-out">.*?<strong>Tea 0</strong>', live, flags=re.DOTALL)
    assert "<strong>Tea 0</strong>" not in drafted.split("</section>")[0]
