"""The list of customers: who is cold, warm or heavy; filters, order, and events of merged keys.

Ten customers with weights 1 … 10 are known to the model and two are not. The busiest tenth begins at the 90th
percentile of 1 … 10, interpolated 9.1: only the customer of weight 10 is heavy.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from analytics.queries.customer.filters import Changed, Filters, State
from analytics.queries.customer.listing import Customers, customers, first, lines, somebody
from analytics.queries.customer.order import place
from analytics.queries.layout import Frame, read_frame
from recommendations.event_types import EventName
from recommendations.models import Category, Customer, CustomerAlias, ModelVersion, Segment
from recommendations.store.events.pseudonyms import pseudonym
from tests.analytics import records

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> ModelVersion:
    live = records.version(records.run())
    teas = Segment.objects.create(number=4, name="Teas", size=3, version=live)
    for weight in range(1, 11):
        who = records.customer(f"u{weight}")
        records.profile(who, weight=weight, segment=teas if weight <= 3 else None)
    records.customer("cold-1")
    records.customer("cold-2")
    return live


def listed(model: ModelVersion | None, **filters: object) -> Customers:
    return customers(Filters(**filters), frame=of(model))  # type: ignore[arg-type]


def of(model: ModelVersion | None, *, known_until: datetime | None = None) -> Frame:
    """The frame of a shop whose live model knows the history until NOW, unless another end is given."""
    until = known_until or (records.NOW if model else None)
    return replace(read_frame(), model=model.pk if model else None, known_until=until)


def keys(model: ModelVersion, **filters: object) -> list[int]:
    return [line.customer.pk for line in listed(model, **filters).lines]


def states(found: Customers) -> list[State]:
    return [line.state for line in found.lines]


def test_the_busiest_customers_come_first(model: ModelVersion) -> None:
    page = listed(model)
    assert [line.activity for line in page.lines] == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert states(page) == [State.HEAVY, *[State.WARM] * 9, State.COLD, State.COLD]


@pytest.mark.parametrize(
    ("filters", "weights"),
    [
        ({"state": State.COLD}, [0, 0]),
        ({"state": State.HEAVY}, [10]),
        ({"state": State.WARM}, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"segment": "4"}, [3, 2, 1]),
        ({"segment": "4", "state": State.HEAVY}, []),
        ({"segment": "99"}, []),
        ({"segment": "abc"}, []),
        ({"sort": "activity", "segment": "4"}, [1, 2, 3]),
        ({"sort": "-number", "state": State.HEAVY}, [10]),
    ],
)
def test_filters_and_order(model: ModelVersion, filters: dict[str, object], weights: list[int]) -> None:
    assert [line.activity for line in listed(model, **filters).lines] == weights


def test_customers_stand_by_the_code_that_is_shown() -> None:
    keys = [*range(1, 40), (1 << 20) - 1, 1 << 20, (1 << 30) - 1, 1 << 30, (1 << 40) - 1, 1 << 40, (1 << 40) + 9]
    Customer.objects.bulk_create(Customer(pk=key, pseudonym=pseudonym(str(key))) for key in keys)
    codes = [line.customer.code for line in listed(None, sort="number").lines]
    assert codes[:-2] == sorted(codes[:-2], key=lambda code: (len(code), code))
    assert len(codes) == len(keys)
    assert [line.customer.code for line in listed(None, sort="-number").lines] == codes[::-1]


def test_customers_without_a_segment_come_last(model: ModelVersion) -> None:
    page = listed(model, sort="segment")
    assert [str(line.segment) for line in page.lines[:3]] == ["Teas"] * 3
    assert {line.segment for line in page.lines[3:]} == {None}


def test_before_the_first_run_all_customers_are_cold() -> None:
    records.customer("u")
    assert states(listed(None)) == [State.COLD]
    assert list(listed(None).segments) == []


def test_events_of_merged_keys_count_for_their_customer() -> None:
    who, anonymous, other = records.customer("u"), records.customer("a"), records.customer("b")
    CustomerAlias.objects.create(anonymous=anonymous, customer=who, source="api")
    CustomerAlias.objects.create(anonymous=other, customer=who, source="api", undone_at=records.NOW)
    thing = records.item("i")
    for days_ago in (5, 3):
        records.event(who, thing, days_ago=days_ago)
    last = records.event(anonymous, thing, days_ago=1)
    records.event(other, thing, days_ago=2)
    rows = {line.customer: line for line in listed(None).lines}
    assert set(rows) == {who, other}
    assert (rows[who].events, rows[who].last_event) == (3, last.occurred_at)
    assert rows[other].events == 1


def test_a_random_customer_is_one_that_the_filters_leave(model: ModelVersion) -> None:
    heavy = Customer.objects.get(live_profile__weight=10)
    assert somebody(Filters(state=State.HEAVY), frame=of(model)) == heavy.pk
    assert somebody(Filters(segment="99"), frame=of(model)) is None
    cold = {somebody(Filters(state=State.COLD), frame=of(model)) for _ in range(30)}
    assert len(cold) == 2  # by chance only one of the two in one of 2^29 runs


def test_pages_of_fifty() -> None:
    for number in range(51):
        records.customer(f"u{number}")
    first, second = listed(None, sort="number"), listed(None, sort="number", page=2)
    assert [len(first.lines), len(second.lines)] == [50, 1]
    assert first.page.paginator.count == 51
    assert listed(None, sort="number", page=99).lines == second.lines


def test_events_of_merged_keys_count_for_the_order() -> None:
    often, late, never = (records.customer(name) for name in ("often", "late", "never"))
    anonymous = records.customer("cookie")
    CustomerAlias.objects.create(anonymous=anonymous, customer=often, source="api")
    thing = records.item("i")
    records.event(often, thing, days_ago=9)
    records.event(anonymous, thing, days_ago=8)
    records.event(late, thing, days_ago=1)
    order = [line.customer for line in customers(Filters(sort="-events"), frame=of(None)).lines]
    assert order == [often, late, never]
    order = [line.customer for line in customers(Filters(sort="last"), frame=of(None)).lines]
    assert order == [often, late, never]  # never comes last whichever way
    order = [line.customer for line in customers(Filters(sort="-last"), frame=of(None)).lines]
    assert order == [late, often, never]


@pytest.fixture
def shifted(model: ModelVersion) -> dict[str, Customer]:
    """Soap gained 40 %, wine 20 %; tea stayed; and one did next to nothing lately."""
    who = {name: records.customer(name) for name in ("soap", "wine", "tea", "idle")}
    records.profile(who["soap"], weight=3, shift=0.4, leads="Soap")
    records.profile(who["wine"], weight=3, shift=0.2, leads="Wine")
    records.profile(who["tea"], weight=3, leads="Tea")
    records.profile(who["idle"], weight=0.2, leads="Wine")
    return who


def test_changed_customers_have_a_new_leading_interest_of_the_week(
    model: ModelVersion, shifted: dict[str, Customer]
) -> None:
    page = listed(model, changed=Changed.TASTE, sort="-change")
    assert [line.customer for line in page.lines] == [shifted["soap"], shifted["wine"]]
    assert [line.leading for line in page.lines] == ["Soap", "Wine"]
    assert [line.shift for line in page.lines] == pytest.approx([0.4, 0.2])
    assert first(Filters(sort="-change"), frame=of(model)) == shifted["soap"].pk


def test_customers_who_acted_since_the_history_of_the_live_model(model: ModelVersion) -> None:
    old, new = Customer.objects.order_by("pk")[:2]
    thing = records.item("i")
    records.event(old, thing, days_ago=1)
    records.event(new, thing, days_ago=0, name=EventName.VIEW_ITEM)  # the history ends at NOW
    assert keys(model, changed=Changed.SINCE) == [new.pk]


@pytest.mark.parametrize("text", ["green tea", "TEA green", "leaves", "tea-1"])
def test_customers_are_found_by_words_of_recent_purchases(model: ModelVersion, text: str) -> None:
    leaves = Category.objects.create(path="DRINKS > LEAVES", name="Leaves")
    green, black = records.item("tea-1", title="Green tea", category=leaves), records.item("x", title="Black coffee")
    bought, long_ago, viewed, other = Customer.objects.order_by("pk")[:4]
    records.event(bought, green, days_ago=10)
    records.event(long_ago, green, days_ago=100)
    records.event(viewed, green, days_ago=1, name=EventName.VIEW_ITEM)
    records.event(other, black, days_ago=1)
    assert keys(model, text=text) == [bought.pk]


def test_customers_are_found_by_purchases_of_merged_keys(model: ModelVersion) -> None:
    who, anonymous = Customer.objects.order_by("pk")[0], records.customer("cookie")
    CustomerAlias.objects.create(anonymous=anonymous, customer=who, source="api")
    records.event(anonymous, records.item("i", title="Oat milk"), days_ago=1)
    assert keys(model, text="oat") == [who.pk]
    assert keys(model, text="9" * 30) == []
    assert keys(model, text="%") == []


def test_the_customers_before_and_after_in_the_same_list(model: ModelVersion) -> None:
    order = keys(model)  # weights 10, 9, 8 …
    frame = of(model)
    assert place(order[0], Filters(), frame=frame) == (None, order[1], 1, 12)
    assert place(order[4], Filters(), frame=frame) == (order[3], order[5], 5, 12)
    assert place(order[-1], Filters(), frame=frame) == (order[-2], None, 12, 12)
    teas = keys(model, segment="4", sort="activity")
    assert place(teas[1], Filters(segment="4", sort="activity"), frame=frame) == (teas[0], teas[2], 2, 3)
    heavy = Filters(state=State.HEAVY)
    assert place(order[0], heavy, frame=frame) == (None, None, 1, 1)
    assert place(order[1], heavy, frame=frame) is None


def test_a_file_has_all_customers_that_the_filters_leave() -> None:
    for number in range(51):
        records.customer(f"u{number}")
    rows = lines(Filters(sort="number"), frame=of(None))
    assert len(rows) == 51
    assert [line.customer.code for line in rows] == sorted(line.customer.code for line in rows)
    assert rows[0].last_event is None


def test_recent_purchases_are_counted_back_from_the_end_of_the_history() -> None:
    """Purchases of the last ninety days of the history count, and no older ones."""
    who, thing = records.customer("u"), records.item("i", title="Old cheese")
    records.event(who, thing, days_ago=0)
    until = of(None, known_until=records.NOW + timedelta(days=89))
    assert [line.customer for line in customers(Filters(text="cheese"), frame=until).lines] == [who]
    later = of(None, known_until=records.NOW + timedelta(days=91))
    assert customers(Filters(text="cheese"), frame=later).lines == []
