"""An experiment of the small shop, by the product's own services; commands of ``inside.py``."""

import sys
import time
from typing import Any

from django.utils import timezone

from recommendations.models import Arm, BlendWeights, Experiment, Placement
from recommendations.services.experiments.readings import read_experiment
from recommendations.services.operations import housekeeping
from recommendations.store.experiments.totals import ExperimentTotals, totals
from recommendations.store.experiments.units import settle_units
from recommendations.store.live import fetch
from recommendations.store.serving.slates import write_slates
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

CAP = 20.0
PASSES, PAUSE = 5, 1.0  # what is written now is settled by the next pass


def begin() -> dict[str, Any]:
    """Begin an experiment of what is live against another version of weights; what each arm serves, by its letter."""
    default = BlendWeights.objects.defaults().of_group(None).get(blend__name="home")
    other = BlendWeights.objects.create(
        blend=default.blend, number=90, weights={"als": 1.0}, status="published", reason="a test under faults"
    )
    own = Experiment.objects.create(
        name="Under faults", kind=ExperimentKind.AB, salt=b"s" * 16, primary=Metric.REVENUE,
        status=ExperimentStatus.RUNNING, started_at=timezone.now(),
        caps={Metric.REVENUE: CAP, Metric.ATTRIBUTED: CAP / 2},
    )  # fmt: skip
    own.placements.set(Placement.objects.filter(name="home"))
    arms = [
        Arm.objects.create(experiment=own, position=place, share=0.5, changes={"weights": {"home": row.pk}})
        for place, row in enumerate((default, other))
    ]
    fetch.announce(fetch.Changed.EXPERIMENTS)
    versions = dict(zip((arm.letter.lower() for arm in arms), (default.number, other.number), strict=True))
    return {"experiment": own.pk, "versions": versions, "arms": {arm.letter.lower(): arm.pk for arm in arms}}


def read_on(experiment: str) -> dict[str, Any]:
    """Write slates, settle and read the experiment again and again, until this process is killed; a line each time."""
    while True:
        write_slates()
        settle_units(timezone.now())
        if read_experiment(Experiment.objects.get(pk=int(experiment)), now=timezone.now()):
            sys.stdout.write("read\n")
            sys.stdout.flush()


def settled(experiment: str) -> dict[str, Any]:
    """Write and settle what waits; the totals twice, and how many people saw two arms."""
    for _ in range(PASSES):
        housekeeping.write_slates()
        settle_units(timezone.now())
        time.sleep(PAUSE)
    own, now = Experiment.objects.get(pk=int(experiment)), timezone.now()
    one, again = totals(own, now=now), totals(own, now=now)
    return {"now": now.isoformat(), "mixed": one.facts["mixed"], "sums": _plain(one), "again": _plain(again)}


def _plain(result: ExperimentTotals) -> list[tuple[int, str, dict[str, float]]]:
    return [
        (arm, str(metric), {name: getattr(own.moments, name) for name in ("n", "y", "yy", "x", "xx", "xy")})
        for (arm, segment, metric), own in result.sums.items()
        if segment is None
    ]
