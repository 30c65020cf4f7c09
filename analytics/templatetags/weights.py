"""Weights, and what they would do to the tuning panel, in the reader's language."""

from collections.abc import Mapping

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.templatetags.display import Direction, direction, number, share, signed
from analytics.templatetags.words import MAIN_METRIC, WHY_UNMEASURED
from recommendations.services.weights.movers import SHOWN, ListPlace
from recommendations.services.weights.values import MOST
from recommendations.services.weights.what_if import WhatIf, WhatIfFigure
from recommendations.wording import labels

register = template.Library()

WEIGHT = "w."
"""Prefix of a recommender's name, in the address and in the form."""

BESIDE: Mapping[str, tuple[Promise, Promise]] = {
    "diversity": (
        gettext_lazy("Diversity"),
        gettext_lazy("How unlike one another the items of a list are made: 0 not at all, 1 as far as it goes."),
    ),
    "promotion": (
        gettext_lazy("Promotion plan"),
        gettext_lazy(
            "How much the leaflets and displays that are planned lift an item: 0 not at all, 1 as they did so far."
        ),
    ),
    "exploration": (
        gettext_lazy("Exploration"),
        gettext_lazy("Share of places that try other items, to learn; the panel cannot tell what that brings."),
    ),
}
SHOWN_METRICS = ("ndcg@10", "recall@10", "revenue_ndcg@10", "coverage@10", "novelty@10", "diversity@10")

_SENTENCES: Mapping[Direction, Promise] = {
    Direction.BETTER: gettext_lazy(
        "Clearly more accurate than live: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s)."
    ),
    Direction.WORSE: gettext_lazy(
        "Clearly less accurate than live: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s)."
    ),
    Direction.UNCLEAR: gettext_lazy(
        "As accurate as live, as far as the panel can tell: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s)."
    ),
}


@register.filter("setting")
def setting_label(name: str) -> str:
    """Label of a recommender, or of what is set beside them."""
    return str(BESIDE[name][0]) if name in BESIDE else labels.instance_label(name)


@register.filter
def field_name(name: str) -> str:
    """The name of a recommender's field, or of what is set beside them, in the address and in the form."""
    return name if name in BESIDE else f"{WEIGHT}{name}"


@register.filter
def setting_value(value: float, name: str) -> str:
    """A weight as its share of the whole, the others as the numbers that they are."""
    return number(value, 2) if name in BESIDE else share(value, 0 if round(100 * value, 4).is_integer() else 1)


@register.filter
def field_value(value: float, name: str) -> str:
    """A weight in percent of the whole, or another value, as a number box takes it."""
    return plain(value if name in BESIDE else MOST * value)


def plain(value: float) -> str:
    """A number as a number box takes it."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


@register.filter
def shown_figures(result: WhatIf) -> list[tuple[str, WhatIfFigure]]:
    """Name and figure of the metrics that the page shows, accuracy first."""
    return [(name, result.figures[name]) for name in SHOWN_METRICS if name in result.figures]


@register.filter
def sentence(result: WhatIf) -> str:
    """Change of accuracy and how sure that is, or why there are no figures, in one sentence."""
    figure = result.figures.get(MAIN_METRIC)
    if figure is None:
        return str(WHY_UNMEASURED[result.unmeasured]) if result.unmeasured else ""
    if not result.changed:
        return _("As live: every customer sees the same ten items.")
    values = {name: signed(value, 4) for name, value in figure.against._asdict().items()}
    return str(_SENTENCES[direction(figure.against)]) % values


@register.filter
def reach(result: WhatIf) -> str:
    """Number of customers who notice, in one sentence; empty where nobody does."""
    if MAIN_METRIC not in result.figures or not result.changed:
        return ""
    return ngettext(
        "%(changed)s of %(users)s customer sees another top ten.",
        "%(changed)s of %(users)s customers see another top ten.",
        result.users,
    ) % {"changed": number(result.changed), "users": number(result.users)}


@register.filter
def rise(place: ListPlace) -> int | None:
    """Places by which an item rose from live's ten, negative where it fell; None where it was not in them."""
    return place.was - place.now if place.was and place.now and place.was <= SHOWN else None
