"""Weights for an audience on the pages: who is offered, whose weights act, and the way back to those of everybody."""

from typing import Any

import pytest
from django.test import Client

from recommendations.models import Audience, AudienceMember, Customer
from recommendations.services.weights.blending import publish
from recommendations.services.weights.drafts import draft_of, save_draft
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import BlendName
from tests.review import review
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def audience() -> Audience:
    """Two customers: too few to promise figures."""
    nobody_said = {"all": [], "none": []}
    made = Audience.objects.create(name="Tea lovers", position=1, generation=1, size=2, conditions=nobody_said)
    keys = Customer.objects.filter(pseudonym__in=[pseudonym("u0"), pseudonym("u1")]).values_list("pk", flat=True)
    AudienceMember.objects.bulk_create([AudienceMember(audience=made, customer_id=key) for key in keys])
    return made


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_audience_can_be_chosen_and_has_a_draft_of_its_own(publisher: Client, audience: Audience) -> None:
    group = f"audience-{audience.pk}"
    assert f'<option value="{group}" >Audience: Tea lovers</option>' in text(publisher, "/weights/")
    page = text(publisher, f"/weights/?group={group}")
    assert f'<option value="{group}" selected>' in page
    assert "This audience has no weights of its own." in page
    assert "Fewer than ten of these customers bought anything in the tuning window" in page
    answer = publisher.post("/weights/save/", {"blend": "home", "group": group, "w.als": "100"})
    assert answer["Location"] == f"/weights/?blend=home&group={group}"
    draft = draft_of(BlendName.HOME, audience)
    assert draft is not None
    assert draft_of(BlendName.HOME) is None
    assert "Publish weights of “For you” for audience “Tea lovers”?" in text(publisher, f"/weights/?group={group}")
    told = text(publisher, f"/weights/publication/?blend=home&group={group}")
    assert "they are for audience “Tea lovers” and nobody else" in told
    assert f'href="/weights/?blend=home&amp;group={group}"' in text(publisher, "/audiences/")
    assert "(draft)" in text(publisher, f"/audiences/{audience.pk}/")
    refused = publisher.post(f"/audiences/{audience.pk}/archive/", follow=True).content.decode()
    assert f"“Tea lovers” has its own weights ({draft})" in refused


def test_pages_say_whose_weights_act_until_they_are_withdrawn(
    publisher: Client, audience: Audience, django_capture_on_commit_callbacks: Any
) -> None:
    customer = Customer.objects.get(pseudonym=pseudonym("u0"))
    draft = save_draft(
        blend=BlendName.HOME, group=audience, values={"weights": {"als": 1}}, revision=None, by=None, now=NOW
    )  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        own = publish(weights=draft, by=None, now=NOW, note="Their own", override=True)
    acting = f"v{own.number}, for audience “Tea lovers”"
    page = text(publisher, f"/customers/{customer.code}/?placement=home")
    assert acting in page
    assert f'href="/audiences/{audience.pk}/"' in page
    item = review(customer=customer.pk, placement="home").cards[0].item.pk
    assert acting in text(publisher, f"/customers/{customer.code}/why/{item}/?placement=home")
    page = text(publisher, f"/weights/?group=audience-{audience.pk}")
    assert "Take offline…" in page
    assert "Weights of an audience go before those of a segment." in page
    assert "Take offline…" not in text(publisher, "/weights/")
    unexplained = publisher.post(f"/weights/{own.pk}/withdrawn/", {"note": ""}, follow=True).content.decode()
    assert "Say why: it stays in Activity. Nothing was changed." in unexplained
    with django_capture_on_commit_callbacks(execute=True):
        publisher.post(f"/weights/{own.pk}/withdrawn/", {"note": "Sold out"})
    assert ", for everybody" in text(publisher, f"/customers/{customer.code}/?placement=home")
    again = publisher.post(f"/weights/{own.pk}/withdrawn/", {"note": "Again"}, follow=True).content.decode()
    assert "is no longer live, so nothing was changed." in again
    told = text(publisher, "/activity/")
    assert "withdrew" in told
    assert "Sold out" in told


def test_the_list_says_which_audience_goes_first(publisher: Client, audience: Audience) -> None:
    words = "A customer in several audiences gets the weights of the first in this list"
    assert words not in text(publisher, "/audiences/")
    Audience.objects.create(name="Coffee lovers", position=2, conditions={"all": [], "none": []})
    assert words in text(publisher, "/audiences/")
