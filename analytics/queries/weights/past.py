"""Versions of weights, what each was made of, and where each stands between accuracy and breadth on today's panel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from analytics.charts.marks import MeasuredRow
from analytics.charts.pareto import Spot
from analytics.queries.quality.leader_table import COVERAGE, MAIN_METRIC
from analytics.queries.weights.desk import BESIDE, Desk, StartingPoint, setting_label
from analytics.queries.words import label
from analytics.templatetags.display import number, share
from recommendations.engine.evaluation.intervals import Measure
from recommendations.services.weights.panels import PanelSettings
from recommendations.services.weights.values import Values, WeightDifference, differences
from recommendations.services.weights.versions import WeightsVersion
from recommendations.services.weights.what_if import Unmeasured, held_for, worth
from recommendations.terms import WeightsStatus
from recommendations.wording import labels

SLIDERS = "sliders"
TOLD = 3  # changes of a version; the others are counted


@dataclass(frozen=True, kw_only=True)
class WeightChange:
    """A value before and after, as it is written: weights in percent of the whole."""

    words: str
    before: str
    after: str
    more: bool


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """A version in the list."""

    pk: int
    key: str  # with which it is loaded
    words: str
    state: str
    is_live: bool
    may_be_rolled_back_to: bool
    who: str
    made: datetime
    reason: str
    note: str
    changes: Sequence[WeightChange]
    others: int  # changes that are not told
    accuracy: Measure | None
    coverage: float | None


@dataclass(frozen=True, kw_only=True)
class Located:
    """A point of the scatter; ``accuracy`` has its interval."""

    key: str
    words: str
    about: str
    accuracy: Measure
    coverage: float

    @property
    def spot(self) -> Spot:
        return Spot(name=self.key, words=self.words, breadth=self.coverage, accuracy=self.accuracy.value)


def lines(versions: Sequence[WeightsVersion]) -> list[VersionRow]:
    return [_line(version) for version in versions]


def located(desk: Desk, sliders: Values) -> list[Located]:
    """Points of all that can be loaded, and of what stands on the sliders where that is something else; each once."""
    held = held_for(desk.blend, desk.segment)
    if isinstance(held, Unmeasured):
        return []
    here = StartingPoint(key=SLIDERS, words=_("These sliders"), about="", values=sliders)
    places: dict[tuple[float, float], Located] = {}
    for point in (*desk.points.values(), here):
        summary = held.summary(PanelSettings.of(point.values))
        accuracy, coverage = summary[MAIN_METRIC], summary[COVERAGE].value
        place = Located(key=point.key, words=point.words, about=point.about, accuracy=accuracy, coverage=coverage)
        places.setdefault((accuracy.value, coverage), place)
    return list(places.values())


def parts(desk: Desk, values: Values) -> list[MeasuredRow]:
    """Loss of the panel's customers without each recommender; the greatest loss first."""
    losses = worth(blend=desk.blend, weights=values.weights, promotion=values.promotion, segment=desk.segment)
    return [
        MeasuredRow(name=name, words=setting_label(name), **measure._asdict())
        for name, measure in sorted(losses.items(), key=lambda part: -part[1].value)
    ]


def changes_between(after: Values, before: Values | None) -> list[WeightChange]:
    """Changes between two sets of values, the largest first; none where there is no ``before``."""
    return [_change(each) for each in differences(after, before)] if before else []


def written(name: str, value: float) -> str:
    """A weight as its share of the whole, the others as the numbers that they are."""
    return number(value, 2) if name in BESIDE else share(value, 0 if round(100 * value, 4).is_integer() else 1)


def _line(version: WeightsVersion) -> VersionRow:
    row, changes = version.weights, [_change(each) for each in version.changes]
    return VersionRow(
        pk=row.pk,
        key=str(row.number),
        words=f"v{row.number}",
        state=str(_("Live")) if row.is_default else label(labels.WEIGHTS_STATUSES, row.status),
        is_live=row.is_default,
        may_be_rolled_back_to=row.status == WeightsStatus.PUBLISHED and not row.is_default,
        who=str(row.author) if row.author else _("the loop"),
        made=row.published_at or row.created_at,
        reason=row.reason,
        note=row.note,
        changes=changes[:TOLD],
        others=max(0, len(changes) - TOLD),
        accuracy=version.figures.get(MAIN_METRIC),
        coverage=version.figures[COVERAGE].value if COVERAGE in version.figures else None,
    )


def _change(each: WeightDifference) -> WeightChange:
    return WeightChange(
        words=setting_label(each.name), before=written(each.name, each.theirs), after=written(each.name, each.yours),
        more=each.yours > each.theirs,
    )  # fmt: skip
