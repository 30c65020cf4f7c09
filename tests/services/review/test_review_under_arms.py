"""Staff see of a customer in an experiment what the shop gets for them, and are told that it is so."""

import pytest
from django.utils import timezone

from recommendations.models import Customer, Experiment, Item
from recommendations.services.review.page_review import review_page
from recommendations.services.review.why_not import Question, why_not
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.terms import CustomerKind, Cut
from tests.review import review
from tests.services.review.experiments import begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def running(_empty_valkey: None) -> Experiment:
    writes.rebuild()
    return begin()


def customer(number: int = 0) -> int:
    return Customer.objects.get(pseudonym=pseudonym(f"u{number}")).pk


def asked_for(number: int = 0) -> list[int]:
    """What the shop gets for a customer."""
    request = Request(placement="home", user_id=f"u{number}", n=8, dry_run=True)
    return [shown.item for shown in serve(request, now=timezone.now()).shown]


@pytest.mark.parametrize("number", range(3))
def test_the_list_is_that_of_the_customers_arm(number: int) -> None:
    own = review(customer=customer(number), placement="home", n=8)
    assert [card.item.pk for card in own.cards] == asked_for(number)
    assert [arm.position for arm in own.answer.arms] == [
        arm.position for arm in serve(Request(placement="home", user_id=f"u{number}"), now=timezone.now()).arms
    ]
    assert own.cards[0].item.shop_id == "soap-3"  # the arm's rule


def test_the_tested_list_and_other_placements_are_under_no_arm() -> None:
    assert review(customer=customer(), placement="home", cut=Cut.TEST).answer.arms == ()
    assert review(customer=customer(), placement="discover").answer.arms == ()


def test_a_visitor_is_in_no_experiment_on_who_is_signed_in(running: Experiment) -> None:
    Experiment.objects.filter(pk=running.pk).update(signed_in=True)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    kind = CustomerKind.ANONYMOUS
    visitor = Customer.objects.create(pseudonym=pseudonym("v", kind=kind), kind=kind)
    assert review(customer=visitor.pk, placement="home").answer.arms == ()
    assert review(customer=customer(), placement="home").answer.arms


def test_the_page_is_as_the_customer_gets_it() -> None:
    home = next(each for each in review_page(page="home", customer=customer()) if each.placement == "home")
    assert home.cards[0].item.shop_id == "soap-3"
    nobody = next(each for each in review_page(page="home", customer=None) if each.placement == "home")
    assert nobody.cards[0].item.shop_id != "soap-3"


def test_nothing_is_suggested_where_the_experiment_keeps_weights_and_rules() -> None:
    shown = asked_for()
    absent = Item.objects.exclude(pk__in=shown).filter(shop_id__startswith="tea-").first()
    assert absent is not None
    asked = Question(customer=customer(), placement="home", item=absent.pk, n=8)
    answer = why_not(asked)
    assert answer.suggestions == []
    assert "experiment" in answer.remedy
    Experiment.objects.all().delete()
    fetch.announce(fetch.Changed.EXPERIMENTS)
    assert why_not(asked).suggestions
