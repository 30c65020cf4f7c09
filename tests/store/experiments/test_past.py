"""Visitors of the last four weeks, and what came of each; every number is known by hand."""

import uuid
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recommendations.models import (
    Customer,
    CustomerAlias,
    Event,
    Item,
    LiveProfile,
    Segment,
    Slate,
    SlateOutcome,
)
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.experiments.past import DAYS, PastVisitors, past_visitors
from recommendations.terms import CustomerKind, Trust

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
START = NOW - timedelta(days=DAYS)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_numbers = count()


@pytest.fixture(autouse=True)
def item() -> Item:
    prepare_partitions(START - 40 * DAY, NOW)
    return Item.objects.create(shop_id="SKU", title="Tea")


def customer(name: str, kind: CustomerKind = CustomerKind.SIGNED_IN, **fields: Any) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(name, kind=kind), kind=kind, **fields)


def unit_of(name: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return int.from_bytes(pseudonym(name, kind=kind)[:8], "big", signed=True)


def answer(day: float, *, outcome: bool | None = None, listed: bool = False, **fields: Any) -> None:
    """A slate so many days after the start; with an outcome it was seen, and clicked where that is True."""
    key = f"r-{next(_numbers)}"
    given = {"placement": "home", "source": "model", "personalised": True, "items": [], "scores": []}
    Slate.objects.create(
        served_at=START + day * DAY, recommendation_id=key, **given | {"propensities": []} | fields
    )  # fmt: skip
    if outcome is not None:
        SlateOutcome.objects.create(
            recommendation_id=key, placement="home", at=NOW, replay=False, listed=listed, seen=[1, 2],
            clicked=[1] if outcome else [], carted=[], bought=[], revenues=[], purchases=0,
        )  # fmt: skip


def trade(name: str, who: Customer, day: float, amount: str | None, *, order: str, **fields: Any) -> None:
    Event.objects.create(
        occurred_at=START + day * DAY, event_id=uuid.uuid4(), name=name, customer=who, item=Item.objects.get(),
        amount=amount and Decimal(amount), transaction_id=order, **{"quantity": 1} | fields,
    )  # fmt: skip


def visitors(**fields: Any) -> PastVisitors:
    return past_visitors(["home"], **{"segments": [], "signed_in": None, "now": NOW} | fields)


def test_a_person_is_one_visitor_whatever_names_their_answers() -> None:
    ana, cookie = customer("ana"), customer("cookie", CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous=cookie, customer=ana, source="login")
    answer(2.5, unit=unit_of("cookie", CustomerKind.ANONYMOUS))  # before any event of theirs
    answer(3.5, unit=unit_of("ana"))
    answer(4.5, customer=ana)  # without a unit
    answer(9.1, unit=77)  # nobody knows whose
    answer(9.9, unit=77)
    answer(10, placement="cart", unit=78)
    answer(11)  # of nobody
    answer(-0.1, unit=79)
    past = visitors()
    assert past.keys.tolist() == sorted([ana.pk, 77])
    assert past.newcomers.nonzero()[0].tolist() == [2, 9]
    assert past.curve.tolist() == [1] * 7 + [2] * 19
    assert dict(zip(past.keys.tolist(), past.first_day.tolist(), strict=True)) == {ana.pk: 2, 77: 9}


def test_spending_before_the_first_answer_is_apart_from_what_came_after() -> None:
    ana, cookie = customer("ana"), customer("cookie", CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous=cookie, customer=ana, source="login")
    answer(5, customer=ana)
    trade("purchase", ana, 5 - 28.1, "100", order="older")
    trade("purchase", ana, 5 - 27.9, "40", order="old")
    trade("purchase", ana, 4.9, "2", order="just before")
    trade("purchase", cookie, 5.2, "10", order="a")
    trade("purchase", ana, 5.9, "5", order="b")
    trade("purchase", ana, 27.9, "1", order="c")
    past = visitors()
    assert past.before.tolist() == [42]
    assert {day: float(past.spent[0, day]) for day in past.spent[0].nonzero()[0]} == {5: 15, 27: 1}
    assert {day: float(past.purchases[0, day]) for day in past.purchases[0].nonzero()[0]} == {5: 2, 27: 1}


def test_what_was_given_back_is_taken_off_on_its_day() -> None:
    ana = customer("ana")
    answer(5, customer=ana)
    trade("purchase", ana, 4, "30", order="before")
    trade("refund", ana, 6, "30", order="before")  # of an order from before the first answer
    trade("purchase", ana, 6, "10", order="half")
    trade("refund", ana, 8, "4", order="half", quantity=None)
    trade("purchase", ana, 6, "7", order="whole")
    trade("refund", ana, 9, None, order="whole", quantity=None)
    trade("purchase", ana, 6, "9", order="two of three", quantity=3)
    trade("refund", ana, 9, None, order="two of three", quantity=2)
    past = visitors()
    assert past.before.tolist() == [30]
    assert {day: float(past.spent[0, day]) for day in past.spent[0].nonzero()[0]} == {6: 26, 8: -4, 9: -13}


def test_a_purchase_counts_once_and_only_of_a_source_that_is_believed() -> None:
    ana = customer("ana")
    answer(5, customer=ana)
    trade("purchase", ana, 6, "10", order="a")
    trade("purchase", ana, 6.1, "10", order="a", trust=Trust.PAGE)
    trade("purchase", ana, 7, "99", order="b", trust=Trust.PAGE)
    assert visitors().spent.sum() == pytest.approx(10)


def test_a_list_counts_as_seen_where_the_shop_tells_which_were() -> None:
    ana = customer("ana")
    for outcome in (True, False, None):
        answer(3, customer=ana, outcome=outcome, listed=True)
    answer(4, customer=ana, outcome=False)
    past = visitors()
    assert past.listed
    assert past.seen[0, [3, 4]].tolist() == [2, 1]
    assert past.clicked[0, [3, 4]].tolist() == [1, 0]


def test_every_list_counts_where_the_shop_does_not_tell_which_were_seen() -> None:
    for outcome in (True, None, None):
        answer(3, unit=5, outcome=outcome)
    past = visitors()
    assert not past.listed
    assert (past.seen.sum(), past.clicked.sum()) == (3, 1)


def test_only_whom_the_experiment_asks_for_counts() -> None:
    ana, ben, cookie = customer("ana"), customer("ben"), customer("cookie", CustomerKind.ANONYMOUS)
    objector = customer("objector", personalise=False)
    for who in (ana, ben, cookie, objector):
        answer(3, customer=who)
    answer(3, unit=7)
    for number, who in ((1, ana), (2, ben), (2, cookie)):
        segment, _new = Segment.objects.get_or_create(number=number)
        LiveProfile.objects.create(customer=who, segment=segment, weight=1, shift=0)
    keys = {
        name: set(visitors(**fields).keys.tolist())
        for name, fields in {
            "all": {}, "in": {"signed_in": True}, "out": {"signed_in": False}, "two": {"segments": [2]},
            "two in": {"segments": [2], "signed_in": True},
        }.items()
    }  # fmt: skip
    assert keys == {
        "all": {ana.pk, ben.pk, cookie.pk, 7}, "in": {ana.pk, ben.pk}, "out": {cookie.pk, 7},
        "two": {ben.pk, cookie.pk}, "two in": {ben.pk},
    }  # fmt: skip


def test_a_part_stands_for_more_than_can_be_looked_at_and_is_always_the_same() -> None:
    for unit in range(1_000, 1_400):
        answer(1, unit=unit)
    part, again = visitors(most=100), visitors(most=100)
    assert part.curve[-1] == 400
    assert 60 < len(part) < 140  # 100 ± 4.6 standard deviations
    assert np.array_equal(part.keys, again.keys)


def test_a_shop_without_answers_has_no_visitors() -> None:
    past = visitors()
    assert (len(past), past.newcomers.sum(), past.spent.shape) == (0, 0, (0, DAYS))
