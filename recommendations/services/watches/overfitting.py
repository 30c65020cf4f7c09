"""Growth of what recommenders learn by heart from one model version to the next, beside its interval."""

from typing import NamedTuple

from recommendations.engine.evaluation.generalisation import growth
from recommendations.models import ModelVersion
from recommendations.store.models.measurements import load_gaps
from recommendations.terms import Task


class Overfit(NamedTuple):
    """A recommender whose gap grew beyond its interval; ``growth`` in NDCG@10."""

    task: Task
    name: str
    growth: float


def overfits(now: ModelVersion, before: ModelVersion) -> list[Overfit]:
    """All whose gap grew between two versions by more than its interval, the largest growth first."""
    own, then = load_gaps(now.pk), load_gaps(before.pk)
    both = sorted(own.keys() & then.keys())
    grown = [(key, growth(own[key], then[key], compared=len(both))) for key in both]
    over = [Overfit(task, name, value) for (task, name), value in grown if value is not None]
    return sorted(over, key=lambda each: -each.growth)


def overfit(now: ModelVersion, before: ModelVersion) -> Overfit | None:
    """The one that grew most; None where none did."""
    return next(iter(overfits(now, before)), None)
