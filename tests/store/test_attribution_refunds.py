"""Many refunds at once, as after an outage or out of a nightly file: right, and no more work for each than for one."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from recommendations.models import AttributedLine
from recommendations.store.attribution.statements import TAKE_BACK
from recommendations.store.temp_tables import rows
from tests.store.test_attribution import HOUR, NOON, act, items, slate, take

__all__ = ["items"]
pytestmark = pytest.mark.django_db
ORDERS = 60


def take_orders() -> None:
    """Orders of two lines, of 10 each; of every second one piece of the first line comes back, of every sixth all."""
    slate("r-1")
    names = [f"t{number}" for number in range(ORDERS)]
    one = {"quantity": 1, "price": Decimal(5)}
    take(
        *(act("purchase", "SKU1", "SKU2", of="r-1", transaction_id=name) for name in names),
        *(act("refund", "SKU1", at=NOON + HOUR, line=one, transaction_id=name) for name in names[::2]),
        *(act("refund", "SKU1", at=NOON + 2 * HOUR, line=one, transaction_id=name) for name in names[::6]),
    )


def steps_of(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps_of(part)


def test_each_order_gets_back_its_own() -> None:
    take_orders()
    lines = AttributedLine.objects.order_by("transaction_id", "position")
    backs = {
        (line.transaction_id, line.position): (line.refunded, line.kept) for line in lines if line.refunded
    }  # fmt: skip
    every_sixth, others = (Decimal(10), False), (Decimal(5), True)
    assert len(lines) == 2 * ORDERS
    assert backs == {
        (f"t{number}", 2): others if number % 6 else every_sixth for number in range(0, ORDERS, 2)
    }  # fmt: skip


def test_the_work_grows_with_the_refunds_and_not_with_their_square() -> None:
    """No step of the plan runs more than twice a line, whatever PostgreSQL expects of tables it knows nothing of."""
    take_orders()
    names = [f"t{number}" for number in range(ORDERS)]
    ((explained,),) = rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {TAKE_BACK}", transactions=names)
    loops = [step["Actual Loops"] for step in steps_of(explained[0]["Plan"])]
    assert ORDERS // 2 <= max(loops) <= 2 * 2 * ORDERS
