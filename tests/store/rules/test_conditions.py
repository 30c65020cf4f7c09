"""Items that conditions match, asked of the record and of a serving process alike."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.models import Category, Customer, Item, Placement, Promotion, Rule, RuleBook, Segment
from recommendations.store.rules.conditions import (
    ATTRIBUTES,
    OPERATORS,
    ConditionError,
    check,
    default_book,
    frozen,
    kind_of,
    matching,
    parsed,
)
from recommendations.store.serving.rule_matching import Lookup
from recommendations.store.serving.stock import load_stock, with_changes
from recommendations.terms import Availability, Operator, RuleAction

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)
WEEK = date(2026, 9, 14)

type Asked = Mapping[str, Any]


@pytest.fixture
def shop() -> None:
    """Six items of which every attribute has more than one value."""
    paths = ("SHOES", "SHOES > RUNNING", "SHOES > RUNNING > TRAIL", "HATS", "SHOES-AND-MORE")
    shoes, running, trail, hats, other = (Category.objects.create(path=path, name=path) for path in paths)
    facts: list[dict[str, Any]] = [
        {"brand": "Acme", "price": "80", "original_price": "100", "cost": "40", "tags": ["new", "sale"]},
        {"brand": "Acme", "price": "50", "original_price": "50", "cost": "45", "attributes": {"size": "M"}},
        {"brand": "Bolt", "price": "20", "cost": "25", "attributes": {"size": ["S", "M"], "pack": 6}},
        {"brand": "", "price": "0", "original_price": "0", "cost": "1", "attributes": {"vegan": True}},
        {"brand": "Bolt", "tags": ["sale"], "availability": Availability.OUT_OF_STOCK},
        {"brand": "O'Neil 100%", "price": "9.99", "availability": Availability.PREORDER},
    ]
    items = [
        Item(shop_id=f"i{number}", title=f"Item {number}", listed_at=NOW - number * 10 * DAY, **fact)
        for number, fact in enumerate(facts)
    ]
    Item.objects.bulk_create(items)
    for item, categories in zip(items, ([running], [trail], [shoes, hats], [hats], [other], []), strict=True):
        item.categories.set(categories)
    Promotion.objects.create(item=items[0], week=WEEK, mailer=0.5)
    Promotion.objects.create(item=items[1], week=WEEK, display=0, mailer=0)
    Promotion.objects.create(item=items[2], week=WEEK - 7 * DAY, display=1)
    Promotion.objects.create(item=items[3], week=WEEK + 7 * DAY, display=1)


def asked(attribute: str, *values: object, operator: str = "is") -> Asked:
    return {"attribute": attribute, "operator": operator, "values": list(values)}


def numbers(conditions: Sequence[Asked], now: datetime = NOW) -> set[int]:
    """Numbers of the items that the record and a process, each for itself, say are matched."""
    matched = {int(item.shop_id[1:]) for item in matching(conditions, now=now)}
    stock = load_stock()
    lookup = Lookup(stock=stock, read_at=NOW).holding([parsed(conditions)])
    met = lookup.met(parsed(conditions), now=now)
    assert {int(product.shop_id[1:]) for product, meets in zip(stock.products, met, strict=True) if meets} == matched
    return matched


CASES = [
    ([], {0, 1, 2, 3, 4, 5}),
    ([asked("category", "SHOES")], {0, 1, 2}),
    ([asked("category", "SHOES > RUNNING", "HATS")], {0, 1, 2, 3}),
    ([asked("category", "SHOES", operator="is_not")], {3, 4, 5}),
    ([asked("category", "SHOES"), asked("category", "HATS")], {2}),
    ([asked("brand", "Acme", "O'Neil 100%")], {0, 1, 5}),
    ([asked("brand", "Acme", operator="is_not")], {2, 3, 4, 5}),
    ([asked("item", "i4", "i5", "nothing")], {4, 5}),
    ([asked("tag", "sale")], {0, 4}),
    ([asked("tag", "new", "none")], {0}),
    ([asked("tag", "sale", operator="is_not")], {1, 2, 3, 5}),
    ([asked("availability", "out_of_stock", "preorder")], {4, 5}),
    ([asked("price", 20, operator="at_least")], {0, 1, 2}),
    ([asked("price", "9.99", 20)], {2, 5}),
    ([asked("price", 20, operator="is_not")], {0, 1, 3, 5}),  # the price of 4 is unknown
    ([asked("price", 9, operator="at_least"), asked("price", 50, operator="at_most")], {1, 2, 5}),
    ([asked("discount", 0.2, operator="at_least")], {0}),  # 1 − 80/100, to the last digit
    ([asked("discount", 0)], {1}),
    ([asked("margin", 0.5)], {0}),
    ([asked("margin", 0, operator="at_most")], {2}),
    ([asked("listed_days", 20, operator="at_least")], {2, 3, 4, 5}),
    ([asked("listed_days", 20, operator="at_most")], {0, 1, 2}),
    ([asked("listed_days", 10, 30)], {1, 3}),
    ([asked("listed_days", 10.5)], set()),
    ([asked("listed_days", 10, operator="is_not")], {0, 2, 3, 4, 5}),
    ([asked("promoted", True)], {0}),
    ([asked("promoted", "no")], {1, 2, 3, 4, 5}),
    ([asked("promoted", True, False)], {0, 1, 2, 3, 4, 5}),
    ([asked("attributes.size", "M")], {1, 2}),
    ([asked("attributes.size", "M", operator="is_not")], {0, 3, 4, 5}),
    ([asked("attributes.pack", "6")], {2}),
    ([asked("attributes.vegan", "true")], {3}),
    ([asked("attributes.a.b", "x")], set()),
]


@pytest.mark.parametrize(("conditions", "meant"), CASES)
def test_conditions_match_their_items(shop: None, conditions: Sequence[Asked], meant: set[int]) -> None:
    assert numbers(conditions) == meant


@pytest.mark.parametrize("step", [timedelta(microseconds=-1), timedelta(), timedelta(microseconds=1), DAY, 30 * DAY])
@pytest.mark.parametrize("operator", OPERATORS[ATTRIBUTES["listed_days"]])
def test_listed_days_count_to_the_moment(shop: None, operator: Operator, step: timedelta) -> None:
    numbers([asked("listed_days", 10, 20, operator=operator)], now=NOW + step)


def test_a_week_of_the_plan_begins_and_ends_by_itself(shop: None) -> None:
    """A process that read the plan before knows the next week, too."""
    stock = load_stock()
    conditions = parsed([asked("promoted", True)])
    lookup = Lookup(stock=stock, read_at=NOW).holding([conditions])
    for day, meant in ((-2, [2]), (-1, [0]), (0, [0]), (5, [0]), (6, [3]), (12, [3]), (13, [])):
        now = NOW + day * DAY
        assert [int(item.shop_id[1:]) for item in matching([asked("promoted", True)], now=now)] == meant
        if day >= 0:
            assert [row for row, meets in enumerate(lookup.met(conditions, now=now)) if meets] == meant


def test_only_edited_items_are_looked_up_again(shop: None) -> None:
    stock = load_stock()
    wanted = [parsed([one]) for one in (asked("brand", "Acme"), asked("category", "HATS"), asked("tag", "none"))]
    lookup = Lookup(stock=stock, read_at=NOW).holding(wanted)
    Item.objects.all().update(updated_at=NOW - DAY)
    assert lookup.moved_to(with_changes(stock, since=NOW), read_at=NOW).stock is stock
    Item.objects.filter(shop_id="i0").update(brand="Bolt", updated_at=NOW)
    Item.objects.filter(shop_id="i5").update(tags=["none"], updated_at=NOW)
    Item.objects.get(shop_id="i1").categories.set(Category.objects.filter(path="HATS"))
    Item.objects.filter(shop_id="i1").update(updated_at=NOW)
    Item.objects.create(shop_id="i6", title="New", brand="Acme")
    after = with_changes(stock, since=NOW)
    with CaptureQueriesContext(connection) as queries:
        moved = lookup.moved_to(after, read_at=NOW).holding(wanted)
    assert len(queries) == 1
    fresh = Lookup(stock=after, read_at=NOW).holding(wanted)
    assert [moved.met(one, now=NOW).tolist() for one in wanted] == [fresh.met(one, now=NOW).tolist() for one in wanted]
    assert moved.met(wanted[0], now=NOW).tolist() == [False, True, False, False, False, False, True]


def test_conditions_are_looked_up_together_and_once_for_each_state_of_the_catalogue(shop: None) -> None:
    stock = load_stock()
    wanted = [parsed([one]) for one in (asked("brand", "Acme"), asked("category", "HATS"), asked("tag", "none"))]
    served = Lookup(stock=stock, read_at=NOW)
    with CaptureQueriesContext(connection) as queries:
        first, again = served.holding(wanted), served.holding(wanted[1:])
    assert len(queries) == 1
    assert [again.met(one, now=NOW).tolist() for one in wanted[1:]] == [
        first.met(one, now=NOW).tolist() for one in wanted[1:]
    ]
    Item.objects.filter(shop_id="i5").update(tags=["none"], updated_at=NOW)
    later = served.moved_to(with_changes(stock, since=NOW), read_at=NOW).holding(wanted)
    assert later.met(wanted[2], now=NOW).tolist() == [False, False, False, False, False, True]


@pytest.mark.parametrize(
    ("condition", "field", "code"),
    [
        (asked("colour", "red"), "attribute", "unknown"),
        (asked("attributes.", "red"), "attribute", "unknown"),
        ({"operator": "is", "values": ["x"]}, "attribute", "missing"),
        (asked("brand", "Acme", operator="at_least"), "operator", "unknown"),
        (asked("price", 5, operator="about"), "operator", "unknown"),
        ({"attribute": "price", "values": [5]}, "operator", "missing"),
        (asked("promoted", True, operator="is_not"), "operator", "unknown"),
        (asked("brand"), "values", "missing"),
        ({"attribute": "brand", "operator": "is", "values": "Acme"}, "values", "missing"),
        (asked("brand", 5), "values", "not_a_text"),
        (asked("brand", " "), "values", "not_a_text"),
        (asked("brand", "a\0b"), "values", "not_a_text"),
        (asked("price", "cheap"), "values", "not_a_number"),
        (asked("price", "NaN"), "values", "not_a_number"),
        (asked("price", True), "values", "not_a_number"),
        (asked("price", 1e300), "values", "out_of_range"),
        (asked("listed_days", 1_000_000), "values", "out_of_range"),
        (asked("listed_days", -3_000_000), "values", "out_of_range"),
        (asked("price", "1e9999999"), "values", "out_of_range"),
        (asked("promoted", "perhaps"), "values", "not_yes_or_no"),
        (asked("promoted", [True]), "values", "not_yes_or_no"),
        (asked("availability", "sold"), "values", "unknown"),
    ],
)
def test_an_invalid_condition_is_an_error_with_its_position(condition: Asked, field: str, code: str) -> None:
    with pytest.raises(ConditionError) as raised:
        matching([asked("brand", "Acme"), condition])
    assert (raised.value.position, raised.value.field, raised.value.code) == (1, field, code)


def test_a_value_that_the_catalogue_does_not_know_is_a_slip_of_the_pen(shop: None) -> None:
    values = ("SHOES > RUNNING", "Acme", "i3", "new", "M")
    for attribute, value in zip(("category", "brand", "item", "tag", "attributes.size"), values, strict=True):
        check([asked(attribute, value)])
        wrong = asked("attributes.sise", value) if "." in attribute else asked(attribute, value, f"{value}!")
        with pytest.raises(ConditionError) as raised:
            check([wrong])
        assert (raised.value.field, raised.value.code) == ("attribute" if "." in attribute else "values", "unknown")
    check([asked("price", 5), asked("promoted", True)])


def test_every_attribute_has_a_kind_with_operators() -> None:
    assert {kind for kind in map(kind_of, [*ATTRIBUTES, "attributes.size"]) if kind is not None} == set(OPERATORS)
    assert kind_of("colour") is None


def test_a_frozen_rule_says_all_that_the_rule_does() -> None:
    segment, customer = Segment.objects.create(number=7), Customer.objects.create(pseudonym=b"x" * 32)
    rule = Rule.objects.create(
        name="Shoes first", placement=Placement.objects.get(name="home"), segment=segment, customer=customer,
        context=[asked("brand", "Acme")], starts_at=NOW, ends_at=NOW + DAY, items=[asked("item", "i1")],
        action=RuleAction.PIN, slot=2,
    )  # fmt: skip
    assert frozen(rule) == {
        "id": rule.pk, "name": "Shoes first", "placement": "home", "segment": 7, "customer": customer.pk,
        "context": [asked("brand", "Acme")], "starts_at": "2026-09-15T06:00:00+00:00",
        "ends_at": "2026-09-16T06:00:00+00:00", "items": [asked("item", "i1")], "action": "pin", "slot": 2,
        "strength": None, "most": None, "per": "", "share": None,
    }  # fmt: skip
    everywhere = frozen(Rule(name="Plain", action=RuleAction.EXCLUDE))
    assert [everywhere[name] for name in ("placement", "segment", "customer", "starts_at", "ends_at")] == [None] * 5


def test_the_default_book_is_the_one_that_is_marked() -> None:
    assert default_book() is None
    RuleBook.objects.create(number=1)
    book = RuleBook.objects.create(number=2, is_default=True)
    assert default_book() == book


def test_an_amount_is_compared_to_the_last_digit(shop: None) -> None:
    Item.objects.filter(shop_id="i1").update(price=Decimal("29.99"), original_price=Decimal("39.99"))
    (item,) = matching([asked("item", "i1"), asked("discount", str(1 - Decimal("29.99") / Decimal("39.99"))[:6],
                                                   operator="at_least")])  # fmt: skip
    assert item.shop_id == "i1"
