"""Experiments that keep visitors from what is about to be published, until they end."""

from dataclasses import dataclass

from recommendations.models import Experiment
from recommendations.models.experiments import BUCKETS
from recommendations.services.experiments.levers import holders
from recommendations.terms import ExperimentStatus


@dataclass(frozen=True, kw_only=True)
class Holding:
    """An experiment with a share of the visitors, whose arms, the control, too, do not follow what is published."""

    experiment: Experiment
    share: float


def holdings(lever: str) -> list[Holding]:
    """Running experiments that have hold of a lever, the one with most visitors first."""
    running = [one.experiment for one in holders([lever]) if one.experiment.status == ExperimentStatus.RUNNING]
    held = [Holding(experiment=one, share=(one.range_to - one.range_from) / BUCKETS) for one in running]
    return sorted(held, key=lambda one: -one.share)
