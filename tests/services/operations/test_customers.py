"""Search of customers by what staff type: an id of the shop, or our number."""

import pytest

from recommendations.models import Customer
from recommendations.services.operations.customers import LARGEST_KEY, find_customers
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind

pytestmark = pytest.mark.django_db


def test_customers_are_found_by_both_kinds_of_id_and_by_our_number() -> None:
    signed_in = Customer.objects.create(pseudonym=pseudonym("42"))
    anonymous = Customer.objects.create(
        pseudonym=pseudonym("42", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS
    )
    assert set(find_customers(typed="42")) == {signed_in, anonymous}
    assert find_customers(typed=f" {signed_in.pk} ") == [signed_in]


def test_a_customer_whose_id_is_our_number_is_found_once() -> None:
    who = Customer.objects.create(pseudonym=b"0" * 32)
    Customer.objects.filter(pk=who.pk).update(pseudonym=pseudonym(str(who.pk)))
    assert find_customers(typed=str(who.pk)) == [who]


@pytest.mark.parametrize("typed", ["", " ", "nobody", str(LARGEST_KEY), str(LARGEST_KEY + 1), "-1", "1.0"])
def test_a_search_without_a_match_finds_no_customer(typed: str) -> None:
    assert find_customers(typed=typed) == []
