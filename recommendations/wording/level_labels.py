"""Words of the levels of customers: how far what they did is confirmed."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.terms import Level

LEVELS: Mapping[Level, Promise] = {
    Level.CONFIRMED: _("Confirmed"),
    Level.SEEN: pgettext_lazy("level", "Seen"),
    Level.NEW: _("New"),
}
