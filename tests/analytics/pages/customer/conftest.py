"""A tea drinker and a merchandiser of the learned shop (``grocery.py``), and what a page of a customer holds."""

import html
import re
from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.models import BlendWeights, Customer, Item, Segment
from recommendations.services.review.why_not import Question, WhyNot, why_not
from recommendations.simulation.counterfactuals import CounterfactualKind
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Role, WeightsStatus
from tests.review import review


@pytest.fixture
def tea_drinker() -> Customer:
    """The customer u3: every fifth from the third on buys teas."""
    return Customer.objects.get(pseudonym=pseudonym("u3"))


@pytest.fixture
def merchandiser(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def thing(shop_id: str) -> Item:
    return Item.objects.get(shop_id=shop_id)


def titles(page: str) -> list[str]:
    """Titles of the cards, in order."""
    return re.findall(r"<h3>([^<]+ \d+)</h3>", page)


def outsider(who: Customer, *, kind: CounterfactualKind | None = None) -> tuple[Item, WhyNot]:
    """An item that is not shown to the customer, and that a change (of weights, of a rule …) would bring in."""
    slate = {card.item.pk for card in review(customer=who.pk, placement="home").cards}
    for item in Item.objects.exclude(pk__in=slate).order_by("pk"):
        diagnosis = why_not(Question(customer=who.pk, placement="home", item=item.pk))
        if any(kind in {None, change.kind} for change in diagnosis.suggestions):
            return item, diagnosis
    raise AssertionError(f"no {kind} brings anything in")


def draft_weights(blend: str, weights: dict[str, float], *, segment: Segment | None = None) -> BlendWeights:
    served = BlendWeights.objects.defaults().get(blend__name=blend, segment=None)
    return BlendWeights.objects.create(
        blend=served.blend, segment=segment, number=99 if segment else 98, weights=weights, parent=served,
        status=WeightsStatus.DRAFT, reason="a test",
    )  # fmt: skip
