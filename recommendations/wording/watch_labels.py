"""Labels of the codes of watches on a page, in the reader's language."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.watch_terms import AlarmDirection, ChurnPart, WatchedRate
from recommendations.wording.labels import Choices

RATES: Choices = [
    (WatchedRate.CLICKS, pgettext_lazy("rate", "Clicks")),
    (WatchedRate.PURCHASES, pgettext_lazy("rate", "Purchases")),
    (WatchedRate.REVENUE, pgettext_lazy("rate", "Revenue")),
    (WatchedRate.FALLBACK, _("Answers not from the model")),
    (WatchedRate.SLOW, _("Slow answers")),
    (WatchedRate.EVENTS, pgettext_lazy("rate", "Events")),
    (WatchedRate.INTERESTS, _("What customers are interested in")),
    (WatchedRate.POPULARITY, _("What is popular")),
    (WatchedRate.OVERFIT, _("Over-fitting")),
]
DIRECTIONS: Choices = [
    (AlarmDirection.RISE, pgettext_lazy("rate", "up")),
    (AlarmDirection.FALL, pgettext_lazy("rate", "down")),
]
CHURN_PARTS: Choices = [
    (ChurnPart.MODEL, _("New data")),
    (ChurnPart.WEIGHTS, _("Weights")),
    (ChurnPart.RULES, _("Rules")),
    (ChurnPart.CATALOGUE, _("Catalogue")),
    (ChurnPart.SETTINGS, _("New settings")),
]
CHURN_CAUSES: Choices = [
    (ChurnPart.MODEL, pgettext_lazy("cause", "new data")),
    (ChurnPart.SETTINGS, pgettext_lazy("cause", "new settings")),
    (ChurnPart.WEIGHTS, pgettext_lazy("cause", "other weights")),
    (ChurnPart.RULES, pgettext_lazy("cause", "other rules")),
    (ChurnPart.CATALOGUE, pgettext_lazy("cause", "changes in the catalogue")),
]
