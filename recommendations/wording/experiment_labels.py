"""Labels of the codes of experiments on a page, in the reader's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.terms import ExperimentKind, ExperimentStatus, Metric
from recommendations.wording.labels import Choices

EXPERIMENT_KINDS: Choices = [
    (ExperimentKind.AB, _("A/B test")),
    (ExperimentKind.AA, _("A/A test")),
    (ExperimentKind.BANDIT, _("Bandit")),
]
EXPERIMENT_STATUSES: Choices = [
    (ExperimentStatus.DRAFT, pgettext_lazy("experiment", "Draft")),
    (ExperimentStatus.STARTING, pgettext_lazy("experiment", "Starting")),
    (ExperimentStatus.RUNNING, pgettext_lazy("experiment", "Running")),
    (ExperimentStatus.PAUSED, pgettext_lazy("experiment", "Paused")),
    (ExperimentStatus.STOPPED, pgettext_lazy("experiment", "Stopped")),
    (ExperimentStatus.SHIPPED, pgettext_lazy("experiment", "Published")),
]
METRICS: Choices = [
    (Metric.REVENUE, _("Revenue per visitor")),
    (Metric.CONVERTED, _("Visitors who buy")),
    (Metric.ORDERS, _("Orders per visitor")),
    (Metric.ITEMS_PER_BASKET, _("Items per order")),
    (Metric.BASKET_VALUE, _("Revenue per order")),
    (Metric.CTR, _("Lists clicked")),
    (Metric.ATTRIBUTED, _("Revenue through these lists")),
    (Metric.REFUNDS, _("Money given back")),
    (Metric.FALLBACK, _("Answers not from the model")),
    (Metric.LATENCY, _("Time to answer")),
    (Metric.DISLIKES, _("Dislikes per visitor")),
    (Metric.COVERAGE, _("Different items shown")),
]
PLACEMENT_FIELDS: Mapping[str, Promise] = {
    "blend": _("Blend"),
    "n": _("Items shown"),
    "diversity": _("Diversity"),
    "repeat": pgettext_lazy("of a placement", "Bought before"),
    "cool_down": _("Cool-down"),
    "fatigue": _("Fatigue"),
    "explores": _("Explores"),
}
"""Fields of a placement that an arm may set."""
