"""What a customer says they like stands on their page: stated, followed, and how far the list is made of it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.customer.stated_taste import confidence_words
from recommendations.event_types import EventName
from recommendations.models import AuditEntry, Customer, Event, StatedTaste
from recommendations.services.review.review import Confidence
from recommendations.services.taste import Taste, state_taste
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Trust
from tests.analytics.pages.customer.conftest import text
from tests.review import review

ALL = "what everybody buys"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def newcomer() -> Customer:
    state_taste("taste-page", Taste(categories=["FOOD > WINE"], item_ids=["tea-3"]), now=timezone.now())
    return Customer.objects.get(pseudonym=pseudonym("taste-page"))


def follow(
    who: Customer, kind: str, target: str, *, name: EventName = EventName.FOLLOW, trust: Trust = Trust.SERVER
) -> None:
    Event.objects.create(
        occurred_at=timezone.now() - timedelta(minutes=9), event_id=uuid4(), name=name, customer=who, target_type=kind,
        target_id=target, trust=trust,
    )  # fmt: skip


def test_what_they_said_is_shown_beside_the_list_made_of_it(admin: Client, newcomer: Customer) -> None:
    page = text(admin, f"/customers/{newcomer.code}/")
    assert "What they say they like" in page
    assert 'title="FOOD > WINE">Wine</span>' in page
    assert "Tea 3</a>" in page
    assert (
        "0 of 20 acts known: of the personal weight 60% goes to what they say they like and 40% to what everybody buys."
        in page
    )
    assert "What they follow" not in page


def test_of_people_only_the_number_is_told(admin: Client, newcomer: Customer) -> None:
    secret = pseudonym("u3").hex()
    follow(newcomer, "customer", secret)
    follow(newcomer, "brand", "Brand 1")
    follow(newcomer, "category", "FOOD > TEA")
    follow(newcomer, "brand", "Brand 2", trust=Trust.PAGE)  # anybody could have said so
    page = text(admin, f"/customers/{newcomer.code}/")
    follows = page[page.index("What they follow") : page.index("timeline-title")]
    assert "Brand 1" in follows
    assert ">Tea</span>" in follows
    assert "1 person" in follows
    assert "Brand 2" not in follows
    assert secret not in page
    assert Customer.objects.get(pseudonym=pseudonym("u3")).code not in page


def test_who_said_nothing_has_no_such_card(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, f"/customers/{tea_drinker.code}/")
    assert 'id="said"' not in page
    assert "acts known" not in page  # far more than twenty


def test_a_list_of_the_past_knows_nothing_that_was_said_later(newcomer: Customer) -> None:
    now = review(customer=newcomer.pk, placement="home").confidence
    assert now is not None
    assert now.stated == pytest.approx(0.6)
    past = review(customer=newcomer.pk, placement="home", as_of=timezone.now() - timedelta(days=1))
    assert past.confidence is None or past.confidence.stated == 0


def test_staff_forget_it_at_the_customers_word_and_the_trail_says_so(
    admin: Client, newcomer: Customer, django_capture_on_commit_callbacks: object
) -> None:
    address = f"/customers/{newcomer.code}/forget-taste/"
    answer = admin.post(address, follow=True)
    assert "is forgotten" in answer.content.decode()
    assert not StatedTaste.objects.exists()
    entry = AuditEntry.objects.get(object_type="statedtaste")
    assert (entry.verb, entry.before, entry.label) == ("erase", {"categories": 1, "items": 1, "tags": 0}, newcomer.code)
    assert "WINE" not in str(entry.before)
    assert "nothing was changed" in admin.post(address, follow=True).content.decode()
    assert "Stated taste" in text(admin, "/activity/")


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (None, ""),
        (Confidence(40, 1.0, 0.0, False), ""),
        (Confidence(2, 0.5, 0.0, False), "2 of 20 acts known: 50% of the personal weight goes to what everybody buys."),
        (Confidence(0, 0.0, 0.0, False), "None of 20 acts known: what would be personal is what everybody buys."),
        (
            Confidence(0, 0.0, 0.0, True),
            "None of 20 acts known: what would be personal is what people they follow take.",
        ),
        (
            Confidence(5, 5 / 8.5, 1.5 / 3.5, False),
            f"5 of 20 acts known: of the personal weight 18% goes to what they say they like and 24% to {ALL}.",
        ),
    ],
)
def test_how_far_it_is_believed_is_a_sentence(confidence: Confidence | None, words: str) -> None:
    assert confidence_words(confidence) == words
