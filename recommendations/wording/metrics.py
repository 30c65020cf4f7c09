"""Metrics of experiments in words: what each is called in a sentence, its unit, and which way is better."""

import math
from collections.abc import Mapping
from enum import StrEnum

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy

from recommendations.terms import Metric
from recommendations.wording.money import short_amount


class MetricUnit(StrEnum):
    MONEY = "money"
    SHARE = "share"
    COUNT = "count"
    MILLISECONDS = "ms"


UNITS: Mapping[Metric, MetricUnit] = {
    Metric.REVENUE: MetricUnit.MONEY,
    Metric.CONVERTED: MetricUnit.SHARE,
    Metric.ORDERS: MetricUnit.COUNT,
    Metric.ITEMS_PER_BASKET: MetricUnit.COUNT,
    Metric.BASKET_VALUE: MetricUnit.MONEY,
    Metric.CTR: MetricUnit.SHARE,
    Metric.ATTRIBUTED: MetricUnit.MONEY,
    Metric.REFUNDS: MetricUnit.SHARE,
    Metric.FALLBACK: MetricUnit.SHARE,
    Metric.LATENCY: MetricUnit.MILLISECONDS,
    Metric.DISLIKES: MetricUnit.COUNT,
    Metric.COVERAGE: MetricUnit.COUNT,
}
LOWER_IS_BETTER = frozenset({Metric.REFUNDS, Metric.FALLBACK, Metric.LATENCY, Metric.DISLIKES})
OF_CLICKS = frozenset({Metric.CTR})
"""Metrics in which a person succeeds by a click; in all others by a purchase."""

_NOUNS: Mapping[Metric, Promise] = {
    Metric.REVENUE: pgettext_lazy("metric in a sentence", "revenue per visitor"),
    Metric.CONVERTED: pgettext_lazy("metric in a sentence", "the share of visitors who buy"),
    Metric.ORDERS: pgettext_lazy("metric in a sentence", "orders per visitor"),
    Metric.ITEMS_PER_BASKET: pgettext_lazy("metric in a sentence", "items per order"),
    Metric.BASKET_VALUE: pgettext_lazy("metric in a sentence", "revenue per order"),
    Metric.CTR: pgettext_lazy("metric in a sentence", "clicks per list"),
    Metric.ATTRIBUTED: pgettext_lazy("metric in a sentence", "revenue through these lists"),
    Metric.REFUNDS: pgettext_lazy("metric in a sentence", "refunds"),
    Metric.FALLBACK: pgettext_lazy("metric in a sentence", "answers not from the model"),
    Metric.LATENCY: pgettext_lazy("metric in a sentence", "the time to answer"),
    Metric.DISLIKES: pgettext_lazy("metric in a sentence", "dislikes per visitor"),
    Metric.COVERAGE: pgettext_lazy("metric in a sentence", "the number of different items"),
}


def metric_noun(metric: str) -> str:
    """Name of a metric in the middle of a sentence: "revenue per visitor"."""
    return str(_NOUNS[Metric(metric)])


def higher_is_better(metric: str) -> bool:
    """Whether the shop wants more of it."""
    return Metric(metric) not in LOWER_IS_BETTER


def metric_text(metric: str, value: float) -> str:
    """Value of a metric in its unit: "$4.50", "12.3%", "1.84", "43 ms"; a dash where nothing is known."""
    if not is_number(value):
        return "–"
    match UNITS[Metric(metric)]:
        case MetricUnit.MONEY:
            return short_amount(value)
        case MetricUnit.SHARE:
            return percent_text(value)
        case MetricUnit.MILLISECONDS:
            return gettext("%(value)s ms") % {"value": formats.number_format(round(value), use_l10n=True)}
        case MetricUnit.COUNT:
            whole = abs(value) >= 100 or metric == Metric.COVERAGE  # nobody sees a part of an item
            return number_text(value, 0 if whole else 2)


def percent_text(share: float, *, signed: bool = False) -> str:
    """A share in per cent with a digit after the point, "3.1%"; a very small one with two, so that it is not 0."""
    value = 100 * share
    digits = 1 if abs(value) >= 0.1 else 2
    text = number_text(abs(value), digits)
    sign = ("−" if value < 0 else "+" if signed else "") if float(f"{abs(value):.{digits}f}") else ""
    return f"{sign}{text}%"


def is_number(value: object) -> bool:
    """Whether a fact is a number that can be written down; JSON has no NaN and no infinity, and stores null."""
    return isinstance(value, int | float) and math.isfinite(value)


def number_text(value: float, digits: int) -> str:
    """A number with at most so many digits after the point."""
    while digits and round(value, digits) == round(value, digits - 1):
        digits -= 1
    return formats.number_format(round(value, digits), digits, use_l10n=True, force_grouping=True)
