"""The search: customers by their code or the shop's id, items by words of the title or id, the best first."""

import pytest

from analytics.queries.search import FEW_ITEMS, MOST_ITEMS, find_items, search
from recommendations.models import Item, ModelVersion, Rule
from recommendations.services.customers import FoundCustomer
from recommendations.terms import RuleAction
from tests.analytics import records
from tests.analytics.sales import sell

pytestmark = pytest.mark.django_db


def test_customers_by_their_code_and_by_the_shops_id() -> None:
    who = records.customer("household-7")
    assert search("household-7").customers == [FoundCustomer(who, "household-7")]
    assert search(f" {who.code.lower()} ").customers == [FoundCustomer(who)]
    assert search("household").customers == []  # an id is hashed: a part of it finds nothing


def test_a_number_is_the_shops_id_alone() -> None:
    first = records.customer("x")
    other = records.customer(str(first.pk))
    assert search(str(first.pk)).customers == [FoundCustomer(other, str(first.pk))]


@pytest.mark.parametrize("text", ["", "   ", "9" * 40, "²", "\u0660", "%", "'; drop table", "null"])
def test_odd_texts_find_no_customer_or_item(text: str) -> None:
    results = search(text)
    assert (results.customers, results.items) == ([], [])


def test_the_id_first_then_the_title_then_whole_words() -> None:
    inside = records.item("1", title="Steak, steamed")
    begins = records.item("2", title="Green TEA, 20 bags")
    title = records.item("3", title="Tea")
    exact = records.item("tea", title="Kettle")
    Item.objects.create(shop_id="4", title="Tea, no longer sold", retired_at=records.NOW)
    assert find_items("tea") == [exact, title, begins, inside]
    assert find_items("t") == []


@pytest.mark.parametrize("typed", ["ground beef", "beef ground", "Beef, ground", "GROUND  beef", "grou bee"])
def test_words_match_in_any_order(typed: str) -> None:
    beef = records.item("1", title="Beef, ground, 500 g")
    records.item("2", title="Beef, whole")
    assert find_items(typed) == [beef]


def test_what_sells_comes_first_and_what_has_no_price_or_sells_nothing_last() -> None:
    unsold = records.item("1", title="Banana, baby")
    rare = records.item("2", title="Banana, red")
    usual = records.item("3", title="Bananas")
    priceless = records.item("4", title="Banana, by the box")
    Item.objects.filter(pk=priceless.pk).update(price=None)
    sell({rare: [1.0], usual: [1.0, 2.0], priceless: [1.0, 1.0, 1.0]})
    assert find_items("banana") == [usual, rare, priceless, unsold]


def test_a_sale_of_long_ago_counts_less_than_one_of_now() -> None:
    old, young = records.item("1", title="Tea of old"), records.item("2", title="Tea of now")
    sell({old: [60.0, 60.0, 60.0], young: [1.0]})  # three purchases halved twice and more are less than one
    assert find_items("tea of") == [young, old]


def test_a_percent_sign_is_no_wildcard() -> None:
    records.item("1", title="Tea")
    assert find_items("%%") == []
    assert find_items("__") == []
    assert find_items("t_a") == []


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
