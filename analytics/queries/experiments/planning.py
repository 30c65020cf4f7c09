"""How long an experiment would take, and what it could show when, in words and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.charts.experiments import PlanLine
from analytics.templatetags.words import label
from recommendations.models.experiments import BUCKETS
from recommendations.services.experiments.aa_check import aa_check
from recommendations.services.experiments.forms import ExperimentForm
from recommendations.services.experiments.levers import all_levers, free_ranges, holders, touched_placements
from recommendations.services.experiments.plan import LOOKS, METRICS, MOST_DAYS, past_of, plan
from recommendations.terms import Metric
from recommendations.wording import experiment_labels
from recommendations.wording.plans import aa_text, plan_text, refusal_text

WEEKS = range(7, MOST_DAYS + 1, 7)


@dataclass(frozen=True, kw_only=True)
class PlanWords:
    """The plan in a sentence; ``rows``: the smallest lift of each metric after so many days, as shares."""

    sentence: str
    possible: bool
    looks: Sequence[int]
    lines: Sequence[PlanLine]
    rows: Sequence[tuple[str, Sequence[float]]]


@dataclass(frozen=True, kw_only=True)
class AaWords:
    """The A/A check in a sentence, and whether it is no bad news."""

    sentence: str
    is_even: bool


@dataclass(frozen=True, kw_only=True)
class TrafficPart:
    """A part of the traffic, in ten thousandths, that an experiment has hold of."""

    start: int
    width: int
    words: str


@dataclass(frozen=True, kw_only=True)
class TrafficWords:
    """Share of the traffic that is free, and what is taken."""

    free: float
    taken: Sequence[TrafficPart]


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
    lines = [
        PlanLine(words=label(experiment_labels.METRICS, name), lifts=[(day, own.lifts[day]) for day in WEEKS])
        for name, own in made.metrics.items()
    ]
    if made.refusal is not None:
        sentence = refusal_text(made.refusal, made.facts)
        return PlanWords(sentence=sentence, possible=False, looks=LOOKS, lines=lines, rows=rows)
    facts: Mapping[str, float] = {"smallest": form.smallest_lift, "traffic": form.traffic}
    sentence = plan_text(made.days or 0, metric=metric, **facts)
    return PlanWords(sentence=sentence, possible=True, looks=LOOKS, lines=lines, rows=rows)


def aa_checked(form: ExperimentForm, *, now: datetime) -> AaWords | None:
    """What past visitors of a draft say when they are split without any change; None while what changes is missing."""
    placements = _placements(form)
    if not placements:
        return None
    metric = Metric(form.primary) if form.primary in METRICS else Metric.REVENUE
    past = past_of(placements, segments=form.segments, signed_in=form.signed_in, now=now)
    check = aa_check(past, metric)
    sentence = aa_text(check.share, splits=check.splits, is_even=check.is_even)
    return AaWords(sentence=sentence, is_even=check.is_even or check.share is None)


def traffic_of(form: ExperimentForm) -> TrafficWords:
    """Parts of the traffic that others have hold of, and how much is free."""
    held = holders(all_levers(arm.changes for arm in form.arms))
    free = sum(map(len, free_ranges(held))) / BUCKETS
    taken = [
        TrafficPart(start=own.range_from, width=own.range_to - own.range_from, words=own.name)
        for own in (holder.experiment for holder in held)
    ]
    return TrafficWords(free=free, taken=taken)
