"""What staff think, as the page of quality says it, on a shop that was really learned."""

from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.models import Customer, Staff
from recommendations.services.review.judgements import judge
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import JudgementKind, Role
from tests.review import review
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def text(client: Client, address: str = "/quality/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def judged(*judgements: JudgementKind) -> None:
    """The first items of one customer, one judgement each."""
    customer = Customer.objects.get(pseudonym=pseudonym("u0"))
    by = Staff.objects.create_user("judge@example.com", role=Role.MERCHANDISER)
    cards = review(customer=customer.pk, placement="home").cards
    for card, judgement in zip(cards, judgements, strict=False):
        judge(
            customer=customer, item=card.item, placement="home", judgement=judgement, note="Look <here>",
            rank=card.rank, by=by, now=NOW,
        )  # fmt: skip


def test_before_the_first_judgement_the_page_says_where_to_give_one(admin: Client) -> None:
    page = text(admin)
    assert "No verdicts yet" in page
    assert "verdicts-chart" not in page


def test_shares_of_judgements_have_intervals(admin: Client) -> None:
    judged(JudgementKind.GOOD, JudgementKind.GOOD, JudgementKind.ODD, JudgementKind.WRONG)
    page = text(admin)
    assert "4 verdicts on the newest model: 50% good (95% interval 15% to 85%)." in page
    assert '<td class="num" data-label="Wrong">1 · 25%<br><small>5% – 70%</small></td>' in page
    assert 'data-figure-for="verdicts-chart"' in page


def test_wrong_items_say_whether_they_are_still_shown(client_of: Callable[[Role], Client]) -> None:
    judged(JudgementKind.WRONG)
    page = text(client_of(Role.VIEWER), "/quality/wrong/")
    assert "still at position 1" in page
    assert "Look &lt;here&gt;" in page
    judged_item = review(customer=Customer.objects.get(pseudonym=pseudonym("u0")).pk, placement="home").cards[0].item
    assert judged_item.title in page


def test_without_an_item_judged_wrong_the_page_says_so(admin: Client) -> None:
    judged(JudgementKind.GOOD)
    assert "Nothing was called wrong." in text(admin, "/quality/wrong/")
