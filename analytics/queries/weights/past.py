"""Where all that can be loaded stands on today's panel: accurate or broad; and what each recommender is worth."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from analytics.charts.marks import MeasuredRow
from analytics.queries.weights.desk import LIVE, Desk, StartingPoint
from analytics.templatetags.weights import setting_label
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.panel_measures import ACCURACY, COVERAGE
from recommendations.services.weights.panels import PanelSettings
from recommendations.services.weights.values import Values
from recommendations.services.weights.what_if import Unmeasured, held_for, worth

SLIDERS = "sliders"


def of_live(desk: Desk) -> dict[str, float]:
    """Figures of what is live on today's panel, by metric; empty where nothing measures."""
    held = held_for(desk.blend, desk.group)
    if isinstance(held, Unmeasured) or LIVE not in desk.points:
        return {}
    summary = held.summary(PanelSettings.of(desk.points[LIVE].values))
    return {name: measure.value for name, measure in summary.items()}


def located(desk: Desk, sliders: Values) -> list[tuple[StartingPoint, Measure, float]]:
    """Accuracy and coverage of all that can be loaded, and of the sliders where they are something else; each once."""
    held = held_for(desk.blend, desk.group)
    if isinstance(held, Unmeasured):
        return []
    here = StartingPoint(key=SLIDERS, words=_("These sliders"), about="", values=sliders)
    places: dict[tuple[float, float], tuple[StartingPoint, Measure, float]] = {}
    for point in (*desk.points.values(), here):
        summary = held.summary(PanelSettings.of(point.values))
        accuracy, coverage = summary[ACCURACY], summary[COVERAGE].value
        places.setdefault((accuracy.value, coverage), (point, accuracy, coverage))
    return list(places.values())


def parts(desk: Desk, values: Values, *, live: Mapping[str, float]) -> list[MeasuredRow]:
    """Accuracy that the panel's customers lose without each recommender, as shares of live's; the greatest first."""
    whole = live.get(ACCURACY) or 1.0
    losses = worth(blend=desk.blend, weights=values.weights, exponents=values.exponents, group=desk.group)
    return [
        MeasuredRow(
            name=name, words=setting_label(name), value=lost.value / whole, low=lost.low / whole, high=lost.high / whole
        )
        for name, lost in sorted(losses.items(), key=lambda part: -part[1].value)
    ]
