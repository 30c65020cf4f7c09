"""Experiments as a test writes them down: versions to try, fields of the form, readings of an experiment that runs."""

import math
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from recommendations.models import Arm, Blend, BlendWeights, Experiment, Reading
from recommendations.services.experiments.drafts import save_draft
from recommendations.services.experiments.forms import ArmForm, ExperimentForm
from recommendations.services.experiments.starting import begin, start


def version(number: int = 90, **fields: Any) -> BlendWeights:
    """A published version of the weights of home that is not served."""
    usual: dict[str, Any] = {
        "weights": {"als": 1.0},
        "status": "published",
        "reason": "A try",
        "published_at": timezone.now(),
    }
    home = Blend.objects.get(name="home")
    return BlendWeights.objects.create(blend=home, number=number, **usual | fields)


def drafted(*changes: dict[str, Any], name: str = "More like it", **fields: Any) -> Experiment:
    arms = [ArmForm(changes=each) for each in changes or ({"placements": {"home": {"n": 7}}},)]
    return save_draft(
        experiment=None, form=ExperimentForm(name=name, arms=arms, **fields), revision=None, by=None, now=timezone.now()
    )


def begun(*changes: dict[str, Any], now: datetime | None = None, **fields: Any) -> Experiment:
    draft = drafted(*changes, **fields)
    moment = now or timezone.now()
    test = start(experiment=draft, revision=draft.revision, by=None, now=moment)
    assert begin(test, now=moment)
    test.refresh_from_db()
    return test


def typed(**fields: Any) -> dict[str, Any]:
    """Fields of the form with one arm that shows seven items at home."""
    usual = {
        "name": "More like it", "kind": "ab", "traffic": "100", "signed_in": "", "primary": "revenue",
        "smallest_lift": "2", "planned_days": "28", "arm-1-lever": "placement", "arm-1-placement": "home",
        "arm-1-n": "7",
    }  # fmt: skip
    return usual | {name.replace("__", "-"): value for name, value in fields.items()}


def reading(
    arm: Arm, at: datetime, *, n: int, mean: float, sd: float, metric: str = "revenue", **fields: Any
) -> Reading:
    """Sums of n people with this mean and standard deviation, and nothing before."""
    y = n * mean
    sums = {"y": y, "yy": (n - 1) * sd * sd + y * mean, "x": 0.0, "xx": 0.0, "xy": 0.0}
    return Reading.objects.create(arm=arm, metric=metric, at=at, n=n, **sums | fields)


def with_readings(experiment: Experiment, *, days: int = 10, lift: float = 0.05) -> Experiment:
    """Readings of all days, 1,000 people a day and arm: A spends 10 ± 20 each, the others more by the lift."""
    arms, started = list(experiment.arms.order_by("position")), experiment.started_at
    assert started is not None
    for day in range(1, days + 1):
        for arm in arms:
            mean = 10.0 if arm.is_control else 10 * (1 + lift)
            reading(arm, started + timedelta(days=day), n=1000 * day, mean=mean, sd=20)
    experiment.scales = {"revenue": 7.94 * 2 * 400 / (1000 * days)}
    experiment.caps = {"revenue": 212.0}
    experiment.save()
    return experiment


def half_of(days: int) -> float:
    """Half of the interval of those readings after all days, as a share of A's: the boundary 3.03 s, by hand."""
    return 3.0297 * math.sqrt(2 * 400 / (1000 * days)) / 10
