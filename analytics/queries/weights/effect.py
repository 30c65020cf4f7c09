"""The effect of weights on the tuning panel: its figures as they are drawn, and the items of its customers' lists."""

from analytics.charts.weights import Effect
from analytics.templatetags.help import figure_name
from analytics.templatetags.weights import relative, shown_figures
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import BlendWeights, Item
from recommendations.services.weights.what_if import WhatIf, what_if
from recommendations.terms import BlendName


def effect_of(version: BlendWeights) -> WhatIf:
    return what_if(
        blend=BlendName(version.blend.name), weights=version.weights, diversity=version.diversity,
        group=version.group, **version.exponents,
    )  # fmt: skip


def shifts(result: WhatIf) -> list[Effect]:
    """Differences to live as shares of what live has."""
    changes = [(name, relative(figure) or Measure(0.0, 0.0, 0.0)) for name, figure in shown_figures(result)]
    return [Effect(words=figure_name(name), **change._asdict()) for name, change in changes]


def items_of(result: WhatIf) -> dict[int, Item]:
    """Items of the shown lists by key, with as much of them as a line shows."""
    places = {place.item for mover in result.movers for place in (*mover.live, *mover.draft)}
    keys = places.union(*(mover.context for mover in result.movers))
    return Item.objects.only("shop_id", "title", "brand", "image_url").in_bulk(list(keys))
