"""Search of customers by what staff type: an id of the shop, or the code."""

import pytest

from recommendations.customer_codes import customer_code
from recommendations.models import Customer, CustomerAlias
from recommendations.services.customers import FoundCustomer, find_customers
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind

pytestmark = pytest.mark.django_db


def signed_in(shop_id: str) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(shop_id))


def visitor(shop_id: str) -> Customer:
    anonymous = CustomerKind.ANONYMOUS
    return Customer.objects.create(pseudonym=pseudonym(shop_id, kind=anonymous), kind=anonymous)


def test_customers_are_found_by_both_kinds_of_id_and_by_their_code() -> None:
    unnamed, named = visitor("42"), signed_in("42")
    assert find_customers(typed="42") == [FoundCustomer(named, "42"), FoundCustomer(unnamed, "42")]
    assert find_customers(typed=f" {named.code.lower()} ") == [FoundCustomer(named)]


def test_the_number_of_our_own_finds_nobody() -> None:
    assert find_customers(typed=str(signed_in("42").pk)) == []


def test_a_visitor_who_was_merged_is_the_customer() -> None:
    unnamed, named = visitor("cookie"), signed_in("42")
    CustomerAlias.objects.create(anonymous=unnamed, customer=named, source="api")
    assert find_customers(typed="cookie") == [FoundCustomer(named, "cookie")]
    assert find_customers(typed=unnamed.code) == [FoundCustomer(named)]


def test_an_id_of_the_shop_that_looks_like_a_code_comes_first() -> None:
    coded = signed_in("42")
    named_so = signed_in(coded.code)
    assert find_customers(typed=coded.code) == [FoundCustomer(named_so, coded.code), FoundCustomer(coded)]


@pytest.mark.parametrize("typed", ["", " ", "nobody", customer_code(2**63 - 1), "C-", "-1", "1.0", "\x00"])
def test_a_search_without_a_match_finds_no_customer(typed: str) -> None:
    assert find_customers(typed=typed) == []
