"""Experiments by hand: an experiment, slates under its arms, people by the shop's ids; times count from ``START``."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from recommendations.models import Arm, Experiment, Item, Placement, Slate, Unit
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
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
