"""How long an experiment would take, and what it could show when, in words and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.templatetags.words import label
from recommendations.services.experiments.forms import ExperimentForm
from recommendations.services.experiments.levers import all_levers, touched_placements
from recommendations.services.experiments.plan import LOOKS, METRICS, plan
from recommendations.terms import Metric
from recommendations.wording import experiment_labels
from recommendations.wording.plans import plan_text, refusal_text


@dataclass(frozen=True, kw_only=True)
class PlanWords:
    """The plan in a sentence; ``rows``: the smallest lift of each metric after so many days, as shares."""

    sentence: str
    possible: bool
    looks: Sequence[int]
    rows: Sequence[tuple[str, Sequence[float]]]


def _placements(form: ExperimentForm) -> list[str]:
    """Placements whose visitors take part; of a page all that stand on it."""
    changes = [arm.changes for arm in form.arms]
    ordered = {name for each in changes for order in each.get("pages", {}).values() for name in order}
    return sorted(filter(None, ordered.union(touched_placements(all_levers(changes)))))


def planned(form: ExperimentForm, *, now: datetime) -> PlanWords | None:
    """The plan of a draft; None while its traffic, its lift or what changes is missing.

    A metric that no plan is made for is planned as revenue is.
    """
    placements = _placements(form)
    if not (0.01 <= form.traffic <= 1 and 0.001 <= form.smallest_lift <= 1 and placements):
        return None
    metric = Metric(form.primary) if form.primary in METRICS else Metric.REVENUE
    made = plan(
        placements, segments=form.segments, signed_in=form.signed_in, metric=metric, smallest=form.smallest_lift,
        arms=len(form.arms) + 1, traffic=form.traffic, now=now,
    )  # fmt: skip
    rows = [
        (label(experiment_labels.METRICS, name), [own.at_looks[day] for day in LOOKS])
        for name, own in made.metrics.items()
    ]
    if made.refusal is not None:
        return PlanWords(sentence=refusal_text(made.refusal, made.facts), possible=False, looks=LOOKS, rows=rows)
    facts: Mapping[str, float] = {"smallest": form.smallest_lift, "traffic": form.traffic}
    sentence = plan_text(made.days or 0, metric=metric, **facts)
    return PlanWords(sentence=sentence, possible=True, looks=LOOKS, rows=rows)
