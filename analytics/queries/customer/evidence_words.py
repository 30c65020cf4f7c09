"""The numbers behind a reason, with what they are called; words alone could not be checked."""

from collections.abc import Callable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.templatetags.display import number, share

type Fact = str | int | float

FACTS: Mapping[str, tuple[Promise, Callable[[float], str]]] = {
    "times": (_("times bought"), number),
    "every_days": (_("days between two purchases"), lambda value: number(value, 1)),
    "days_since": (_("days since the last one"), lambda value: number(value, 1)),
    "buyers": (_("buyers"), number),
    "days": (_("days counted"), number),
    "neighbours": (_("similar customers who bought it"), number),
    "of": (_("similar customers in all"), number),
    "lift": (_("times as often together as by chance"), lambda value: number(value, 1)),
    "confidence": (_("of those who bought one also bought the other"), share),
    "share": (_("of the activity"), lambda value: share(value, 1)),
    "weeks": (_("weeks until the promotion"), number),
    "mailer": (_("of the stores have it in the leaflet"), share),
    "display": (_("of the stores have it on display"), share),
}
"""Words of each fact by its name, and how its number is written."""


def facts_in_words(evidence: Mapping[str, Fact]) -> list[tuple[str, str]]:
    """(value, words) of every number of the evidence; names stand in the reason's own words."""
    return [
        (write(float(evidence[name])), str(words))
        for name, (words, write) in FACTS.items()
        if isinstance(evidence.get(name), int | float)
    ]
