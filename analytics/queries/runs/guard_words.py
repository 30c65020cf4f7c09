"""What the guard found unusual about a version, a sentence per check in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.templatetags.display import number, share, signed_share
from recommendations.watch_terms import GuardCheck

SENTENCES: Mapping[GuardCheck, Promise] = {
    GuardCheck.CUSTOMERS: _("Customers: %(before)s became %(now)s."),
    GuardCheck.ITEMS: _("Items: %(before)s became %(now)s."),
    GuardCheck.EVENTS: _("Events: %(before)s became %(now)s."),
    GuardCheck.TRUTH: _("Customers who bought in the test window: %(before)s became %(now)s."),
    GuardCheck.CONFIRMED: _("Confirmed customers: %(before)s of all became %(now)s."),
    GuardCheck.SET_ASIDE: _("Set aside: %(now)s of the events."),
    GuardCheck.TRENDING: _("Trending: items that hardly any confirmed customer buys hold %(now)s of its positions."),
    GuardCheck.ACCURACY: _("Distance to the best simple list: %(before)s became %(now)s, beyond both intervals."),
    GuardCheck.SEGMENTS: _(
        "Segments with rules or weights of their own: of %(before)s, this model has lost %(now)s. See below."
    ),
}
SHARES = {GuardCheck.CONFIRMED, GuardCheck.SET_ASIDE, GuardCheck.TRENDING}


def sentence(unusual: Mapping[str, Any]) -> str:
    """One thing of ``ModelVersion.guard`` in words."""
    check = GuardCheck(unusual["check"])
    values = {name: _value(check, unusual[name]) for name in ("before", "now")}
    return str(SENTENCES[check]) % values


def _value(check: GuardCheck, value: float) -> str:
    if check is GuardCheck.ACCURACY:
        return signed_share(value, 1)
    return share(value) if check in SHARES else number(value)
