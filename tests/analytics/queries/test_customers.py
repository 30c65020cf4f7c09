"""The list of customers: who is cold, warm or heavy; filters, order, and events of merged keys.

Ten customers with weights 1 … 10 are known to the model and two are not. The busiest tenth begins at the 90th
percentile of 1 … 10, interpolated 9.1: only the customer of weight 10 is heavy.
"""

import pytest

from analytics.queries.customers import Customers, Filters, State, customers, somebody
from recommendations.models import Customer, CustomerAlias, ModelVersion, Segment
from tests.analytics import records

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> ModelVersion:
    live, old = records.version(records.turn()), records.version(records.turn(), live=False)
    teas = Segment.objects.create(number=4, name="Teas", size=3, version=live)
    for weight in range(1, 11):
        who = records.customer(f"u{weight}")
        records.profile(live, who, weight=weight, segment=teas if weight <= 3 else None, Tea=1.0)
        records.profile(old, who, weight=100)
    records.customer("cold-1")
    records.customer("cold-2")
    return live


def listed(model: ModelVersion | None, **filters: object) -> Customers:
    return customers(Filters(**filters), model=model.pk if model else None)  # type: ignore[arg-type]


def states(found: Customers) -> list[State]:
    return [line.state for line in found.lines]


def test_the_busiest_come_first(model: ModelVersion) -> None:
    found = listed(model)
    assert [line.activity for line in found.lines] == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert states(found) == [State.HEAVY, *[State.WARM] * 9, State.COLD, State.COLD]


@pytest.mark.parametrize(
    ("filters", "weights"),
    [
        ({"state": State.COLD}, [0, 0]),
        ({"state": State.HEAVY}, [10]),
        ({"state": State.WARM}, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"segment": 4}, [3, 2, 1]),
        ({"segment": 4, "state": State.HEAVY}, []),
        ({"segment": 99}, []),
        ({"sort": "activity", "segment": 4}, [1, 2, 3]),
        ({"sort": "-number", "state": State.HEAVY}, [10]),
    ],
)
def test_filters_and_order(model: ModelVersion, filters: dict[str, object], weights: list[int]) -> None:
    assert [line.activity for line in listed(model, **filters).lines] == weights


def test_sorted_by_segment_those_without_come_last(model: ModelVersion) -> None:
    found = listed(model, sort="segment")
    assert [str(line.segment) for line in found.lines[:3]] == ["Teas"] * 3
    assert {line.segment for line in found.lines[3:]} == {None}


def test_before_the_first_turn_everybody_is_cold() -> None:
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
    found = {line.customer: line for line in listed(None).lines}
    assert set(found) == {who, other}
    assert (found[who].events, found[who].last_event) == (3, last.occurred_at)
    assert found[other].events == 1


def test_somebody_is_one_of_those_that_the_filters_leave(model: ModelVersion) -> None:
    heavy = Customer.objects.get(profiles__weight=10)
    assert somebody(Filters(state=State.HEAVY), model=model.pk) == heavy.pk
    assert somebody(Filters(segment=99), model=model.pk) is None
    cold = {somebody(Filters(state=State.COLD), model=model.pk) for _ in range(30)}
    assert len(cold) == 2  # by chance only one of the two in one of 2^29 runs


def test_pages_of_fifty() -> None:
    for number in range(51):
        records.customer(f"u{number}")
    first, second = listed(None, sort="number"), listed(None, sort="number", page=2)
    assert [len(first.lines), len(second.lines)] == [50, 1]
    assert first.page.paginator.count == 51
    assert listed(None, sort="number", page=99).lines == second.lines
