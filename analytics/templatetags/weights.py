"""Weights, and what they would do to the tuning panel, in the reader's language."""

from collections.abc import Mapping
from enum import StrEnum

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from analytics.templatetags.display import MISSING, Direction, number, share, signed, signed_share
from analytics.templatetags.words import WHY_UNMEASURED
from recommendations.engine.evaluation.gate import NEGLIGIBLE
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.panel_measures import (
    ACCURACY,
    CLEARANCE,
    COVERAGE,
    DIVERSITY,
    MARGIN,
    REVENUE,
)
from recommendations.models import Audience, Group
from recommendations.services.weights.movers import SHOWN, ListPlace
from recommendations.services.weights.values import MOST
from recommendations.services.weights.what_if import WhatIf, WhatIfFigure
from recommendations.terms import Lift
from recommendations.wording.instance_labels import instance_label

register = template.Library()

FINE = 0.01  # below it a change is told with two decimals of a percent
WEIGHT = "w."
"""Prefix of a recommender's name, in the address and in the form."""

AUDIENCE, SEGMENT = "audience", "segment"
"""Kinds of groups, as the address names them."""
GOALS: Mapping[str, Promise] = {
    Lift.REVENUE: pgettext_lazy("goal", "Revenue"),
    Lift.MARGIN: pgettext_lazy("goal", "Margin"),
    Lift.CLEARANCE: pgettext_lazy("goal", "Stock to clear"),
}
"""Goals beside accuracy, each with a slider."""

BESIDE: Mapping[str, tuple[Promise, Promise | str]] = {
    **{name: (words, "") for name, words in GOALS.items()},
    "diversity": (
        gettext_lazy("Variety"),
        gettext_lazy("Variety within the list: 0 none, 1 maximum"),
    ),
    "promotion": (
        gettext_lazy("Promotion plan"),
        gettext_lazy("How much planned leaflets and displays lift an item: 0 not at all, 1 as much as in the past."),
    ),
    "exploration": (
        gettext_lazy("Shuffled answers"),
        gettext_lazy(
            "Share of answers in which neighbouring items swap places at random. The clicks tell how much a position "
            "counts by itself, and what another order would have earned; each such answer costs a few clicks. The "
            "panel does not see it."
        ),
    ),
    "cards": (
        gettext_lazy("Items from further down"),
        gettext_lazy(
            "How often each of the last two positions shows an item that would otherwise not be seen, so that new and "
            "rare items get clicks of their own. It costs little, as few look there. The panel does not see it."
        ),
    ),
}
EXPLORING = ("exploration", "cards")
"""What is folded on the page: the panel tells nothing of it."""

SHOWN_MEASURES = (ACCURACY, REVENUE, MARGIN, CLEARANCE, DIVERSITY, COVERAGE)


class Size(StrEnum):
    """Size and certainty of a change: what is certain may be too small to matter."""

    MUCH_BETTER = "much_better"
    BETTER = "better"
    UNCLEAR = "unclear"
    WORSE = "worse"
    MUCH_WORSE = "much_worse"


ACCURACIES: Mapping[Size, Promise] = {
    Size.MUCH_BETTER: gettext_lazy("Clearly more accurate than live (%(change)s)"),
    Size.BETTER: gettext_lazy("Slightly more accurate than live (%(change)s), small but certain"),
    Size.UNCLEAR: gettext_lazy("As accurate as live, as far as the panel can tell (%(change)s)"),
    Size.WORSE: gettext_lazy("Slightly less accurate than live (%(change)s), small but certain"),
    Size.MUCH_WORSE: gettext_lazy("Clearly less accurate than live (%(change)s)"),
}
REVENUES: Mapping[Size, Promise] = {
    Size.MUCH_BETTER: gettext_lazy("clearly more revenue (%(change)s)"),
    Size.BETTER: gettext_lazy("slightly more revenue (%(change)s), small but certain"),
    Size.UNCLEAR: gettext_lazy("revenue as live, as far as the panel can tell (%(change)s)"),
    Size.WORSE: gettext_lazy("slightly less revenue (%(change)s), small but certain"),
    Size.MUCH_WORSE: gettext_lazy("clearly less revenue (%(change)s)"),
}
_BY_SIZE: Mapping[Size, Direction] = {
    Size.MUCH_WORSE: Direction.WORSE, Size.MUCH_BETTER: Direction.BETTER, Size.WORSE: Direction.UNCLEAR,
    Size.UNCLEAR: Direction.UNCLEAR, Size.BETTER: Direction.UNCLEAR,
}  # fmt: skip


@register.filter("setting")
def setting_label(name: str) -> str:
    """Label of a recommender, or of what is set beside them."""
    return str(BESIDE[name][0]) if name in BESIDE else instance_label(name)


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
def group_key(group: Group) -> str:
    """Key of a group in the address and in the form: "audience-5", "segment-3"; empty for everybody."""
    if not group:
        return ""
    return f"{AUDIENCE}-{group.pk}" if isinstance(group, Audience) else f"{SEGMENT}-{group.number}"


@register.filter
def whom(group: Group) -> str:
    """Whom weights are for: audience “Coffee lovers”, segment “Bakers”, everybody."""
    if group is None:
        return _("everybody")
    if isinstance(group, Audience):
        return _("audience “%(audience)s”") % {"audience": group}
    return _("segment “%(segment)s”") % {"segment": group}


@register.filter
def shown_figures(result: WhatIf) -> list[tuple[str, WhatIfFigure]]:
    """Name and figure of the measures that the page shows, accuracy first."""
    return [(name, result.figures[name]) for name in SHOWN_MEASURES if name in result.figures]


@register.filter
def sentence(result: WhatIf) -> str:
    """Change of accuracy and how sure that is, or why there are no figures, in one sentence."""
    figure = result.figures.get(ACCURACY)
    if figure is None:
        return str(WHY_UNMEASURED[result.unmeasured]) if result.unmeasured else ""
    if not result.changed:
        return _("No change yet: same as live.")
    words = str(ACCURACIES[size(figure)]) % {"change": change_share(figure)}
    revenue = result.figures.get(REVENUE)
    if revenue is None:
        return _("%(accuracy)s.") % {"accuracy": words}
    money = str(REVENUES[size(revenue)]) % {"change": change_share(revenue)}
    return _("%(accuracy)s; %(revenue)s.") % {"accuracy": words, "revenue": money}


@register.filter
def verdict(result: WhatIf) -> Direction:
    """Direction of a draft as a whole: worse where accuracy or revenue is, else better where one of them is."""
    sizes = {_BY_SIZE[size(result.figures[name])] for name in (ACCURACY, REVENUE) if name in result.figures}
    return next((each for each in (Direction.WORSE, Direction.BETTER) if each in sizes), Direction.UNCLEAR)


@register.filter("size_of")
def size(figure: WhatIfFigure) -> Size:
    """Size and certainty of a figure's change against live."""
    difference, live = figure.against, abs(figure.live.value)
    much = abs(difference.value) > NEGLIGIBLE * live
    if difference.low > 0:
        return Size.MUCH_BETTER if much else Size.BETTER
    if difference.high < 0:
        return Size.MUCH_WORSE if much else Size.WORSE
    return Size.UNCLEAR


@register.filter
def relative(figure: WhatIfFigure) -> Measure | None:
    """Change of a figure, with its interval, as a share of live's; None where live has none of it."""
    live = figure.live.value
    return Measure(*(end / live for end in figure.against)) if live else None


@register.filter
def change_share(figure: WhatIfFigure) -> str:
    """Change of a figure in percent of live's: −0.15%, −2.1%."""
    change = relative(figure)
    return fine_share(change.value) if change else signed(figure.against.value, 4)


@register.filter
def against(value: float | None, live: float | None) -> str:
    """A figure in percent of live's, as what it is more or less: −0.15%."""
    return fine_share(value / live - 1) if value is not None and live else MISSING


@register.filter
def fine_share(value: float) -> str:
    """A share of a change with as many decimals as tell something: two below one percent, one above."""
    return signed_share(value, 2 if abs(value) < FINE else 1)


@register.filter
def reach(result: WhatIf) -> str:
    """Number of customers who notice, in one sentence; empty where nobody does."""
    if ACCURACY not in result.figures or not result.changed:
        return ""
    sentence = ngettext(
        "%(changed)s of %(users)s customer gets a different list (first %(length)s items).",
        "%(changed)s of %(users)s customers get a different list (first %(length)s items).",
        result.users,
    )
    if result.changed == result.users > 1:
        sentence = _("All %(users)s customers get a different list (first %(length)s items).")
    return sentence % {
        "changed": number(result.changed), "users": number(result.users), "length": number(result.length)
    }  # fmt: skip


@register.filter
def rise(place: ListPlace) -> int | None:
    """Places by which an item rose from live's ten, negative where it fell; None where it was not in them."""
    return place.was - place.now if place.was and place.now and place.was <= SHOWN else None
