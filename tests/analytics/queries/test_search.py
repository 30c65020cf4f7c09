"""The box in the frame: customers by code or by the shop's id, items by title or id."""

import pytest

from analytics.queries.search import FEW_ITEMS, MOST_ITEMS, find_items, search
from recommendations.models import Item, ModelVersion, Rule
from recommendations.services.customers import FoundCustomer
from recommendations.terms import RuleAction
from tests.analytics import records

pytestmark = pytest.mark.django_db


def test_customers_by_their_code_and_by_the_shops_id() -> None:
    who = records.customer("household-7")
    assert search("household-7").customers == [FoundCustomer(who, "household-7")]
    assert search(f" {who.code.lower()} ").customers == [FoundCustomer(who)]
    assert search("household").customers == []  # an id is hashed: a part of it finds nothing


def test_a_number_is_an_id_of_the_shop_and_never_ours() -> None:
    first = records.customer("x")
    other = records.customer(str(first.pk))
    assert search(str(first.pk)).customers == [FoundCustomer(other, str(first.pk))]


@pytest.mark.parametrize("text", ["", "   ", "9" * 40, "²", "\u0660", "%", "'; drop table", "null"])
def test_odd_texts_find_no_customer_or_item(text: str) -> None:
    results = search(text)
    assert (results.customers, results.items) == ([], [])


def test_items_by_title_in_any_case_best_first() -> None:
    inside = records.item("1", title="Green TEA, 20 bags")
    begins = records.item("2", title="Tea pot")
    exact = records.item("tea", title="Kettle")
    Item.objects.create(shop_id="3", title="Tea, no longer sold", retired_at=records.NOW)
    assert find_items("tea") == [exact, begins, inside]
    assert find_items("t") == []


def test_a_percent_sign_is_no_wildcard() -> None:
    records.item("1", title="Tea")
    assert find_items("%%") == []
    assert find_items("__") == []


def test_more_items_than_are_shown() -> None:
    for number in range(MOST_ITEMS + 1):
        records.item(f"i{number}", title=f"Tea {number:02}")
    results = search("Tea")
    assert (len(results.items), results.more_items) == (MOST_ITEMS, True)
    assert len(find_items("Tea")) == FEW_ITEMS


def test_rules_by_a_part_of_their_name() -> None:
    spring = Rule.objects.create(name="Spring: teas first", action=RuleAction.BOOST)
    Rule.objects.create(name="Spring of last year", action=RuleAction.BOOST, archived_at=records.NOW)
    assert search("spring").rules == [spring]
    assert search("s").rules == []


def test_a_run_by_the_model_it_made() -> None:
    version = ModelVersion.objects.create(run=records.run())
    assert search(f"M{version.pk}").runs == [version]
    assert search(f"m{version.pk + 1}").runs == search("m" * 3).runs == search("m²").runs == []
