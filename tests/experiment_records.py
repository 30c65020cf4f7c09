"""Experiments by hand: an experiment, slates under its arms, people by the shop's ids; times count from ``START``."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from recommendations.models import Arm, Experiment, Item, Placement, Slate, Unit
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.temp_tables import run
from recommendations.terms import CustomerKind, ExperimentKind, ExperimentStatus, Metric

NOW = timezone.now().replace(microsecond=0)
START = (NOW - timedelta(days=10)).replace(hour=10, minute=0, second=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SKUS = ("SKU0", "SKU1", "SKU2", "SKU3")
_numbers = count()


def furnish() -> None:
    """Partitions of the time around ``START``, and four items."""
    prepare_partitions(START - 60 * DAY, NOW + DAY)
    Item.objects.bulk_create(Item(shop_id=sku, title=sku) for sku in SKUS)


def experiment(*, arms: int = 2, placements: tuple[str, ...] = ("home",), **fields: Any) -> Experiment:
    """A running experiment with arms of even shares."""
    given: dict[str, Any] = {
        "name": f"Test {next(_numbers)}", "kind": ExperimentKind.AB, "salt": b"s" * 16, "primary": Metric.REVENUE,
        "status": ExperimentStatus.RUNNING, "started_at": START,
    }  # fmt: skip
    own = Experiment.objects.create(**given | fields)
    own.placements.set(Placement.objects.filter(name__in=placements))
    Arm.objects.bulk_create(Arm(experiment=own, position=place, share=1 / arms) for place in range(arms))
    return own


def unit_of(user: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return int.from_bytes(pseudonym(user, kind=kind)[:8], "big", signed=True)


def visitor(name: str) -> int:
    return unit_of(name, CustomerKind.ANONYMOUS)


def arms_of(own: Experiment) -> list[Arm]:
    return list(own.arms.order_by("position"))


def answer(unit: int | None, arm: Arm | None, *, at: datetime = START, **fields: Any) -> str:
    """A slate of an arm; its id."""
    key = f"r-{next(_numbers)}"
    items = list(Item.objects.filter(shop_id__in=SKUS).order_by("shop_id").values_list("pk", flat=True))
    given: dict[str, Any] = {
        "placement": "home", "source": "model", "personalised": True, "items": items, "scores": [1.0] * len(items),
        "propensities": [1.0] * len(items), "latency_us": 5_000, "arms": [arm.pk] if arm else [],
    }  # fmt: skip
    Slate.objects.create(served_at=at, recommendation_id=key, unit=unit, **given | fields)
    return key


def unit(own: Experiment, number: int) -> Unit:
    return Unit.objects.get(experiment=own, unit=number)


def bandit(*, arms: int = 2, **fields: Any) -> Experiment:
    """A running bandit on the clicks at home, without a decline of the days."""
    given: dict[str, Any] = {"kind": ExperimentKind.BANDIT, "primary": Metric.CTR, "half_life": None}
    return experiment(arms=arms, **given | fields)


def crowd(arm: Arm, at: datetime, n: int, *, clicked: int = 0, bought: int = 0, amount: int = 10) -> None:
    """Strangers with one list each that they saw under an arm: the first of them clicked, the first of them bought."""
    item = Item.objects.order_by("pk").values_list("pk", flat=True)[0]
    group, bought_at = next(_numbers), at + HOUR
    values = {"at": at, "arm": arm.pk, "n": n, "item": item, "group": group, "clicked": clicked, "bought": bought}
    for statement in _CROWD:
        run(statement, **values, bought_at=bought_at, amount=amount)


_EACH = "generate_series(1, %(n)s) AS place CROSS JOIN LATERAL (SELECT 'c-' || %(group)s || '-' || place AS id) AS key"
_CROWD = (
    f"""
INSERT INTO recommendations_slate (served_at, recommendation_id, placement, source, personalised, fallback_reason,
  items, scores, propensities, unit, arms, latency_us, rules_version)
SELECT %(at)s, key.id, 'home', 'model', true, '', ARRAY[%(item)s::bigint], '{{1}}', '{{1}}',
       1000000 * (%(group)s + 1)::bigint + place, ARRAY[%(arm)s::bigint], 5000, 0
FROM {_EACH}
""",
    f"""
INSERT INTO recommendations_slateoutcome (recommendation_id, placement, at, replay, listed, seen, clicked, carted,
  bought, revenues, purchases)
SELECT key.id, 'home', %(at)s, false, true, '{{1}}',
       CASE WHEN place <= %(clicked)s THEN '{{1}}'::smallint[] ELSE '{{}}' END,
       '{{}}', '{{}}', '{{}}', 0
FROM {_EACH}
""",
    f"""
INSERT INTO recommendations_attributedline (occurred_at, event_id, line, name, item_id, quantity, amount, refunded,
  kept, recommendation_id, placement, position, touch, replay)
SELECT %(bought_at)s, gen_random_uuid(), 0, 'purchase', %(item)s, 1, %(amount)s, 0, true, key.id, 'home', 1, 'click',
       false
FROM {_EACH} WHERE place <= %(bought)s
""",
)
