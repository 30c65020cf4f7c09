"""Where all that can be loaded stands on today's panel: accurate or broad; and what each recommender is worth."""

from django.utils.translation import gettext as _

from analytics.charts.marks import MeasuredRow
from analytics.queries.weights.desk import Desk, StartingPoint
from analytics.templatetags.weights import setting_label
from analytics.templatetags.words import COVERAGE, MAIN_METRIC
from recommendations.engine.evaluation.intervals import Measure
from recommendations.services.weights.panels import PanelSettings
from recommendations.services.weights.values import Values
from recommendations.services.weights.what_if import Unmeasured, held_for, worth

SLIDERS = "sliders"


def located(desk: Desk, sliders: Values) -> list[tuple[StartingPoint, Measure, float]]:
    """Accuracy and coverage of all that can be loaded, and of the sliders where they are something else; each once."""
    held = held_for(desk.blend, desk.segment)
    if isinstance(held, Unmeasured):
        return []
    here = StartingPoint(key=SLIDERS, words=_("These sliders"), about="", values=sliders)
    places: dict[tuple[float, float], tuple[StartingPoint, Measure, float]] = {}
    for point in (*desk.points.values(), here):
        summary = held.summary(PanelSettings.of(point.values))
        accuracy, coverage = summary[MAIN_METRIC], summary[COVERAGE].value
        places.setdefault((accuracy.value, coverage), (point, accuracy, coverage))
    return list(places.values())


def parts(desk: Desk, values: Values) -> list[MeasuredRow]:
    """Loss of the panel's customers without each recommender; the greatest loss first."""
    losses = worth(blend=desk.blend, weights=values.weights, promotion=values.promotion, segment=desk.segment)
    return [
        MeasuredRow(name=name, words=setting_label(name), **measure._asdict())
        for name, measure in sorted(losses.items(), key=lambda part: -part[1].value)
    ]
