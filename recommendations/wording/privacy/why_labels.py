"""Labels of what a customer can do about an item that is recommended to them, in the reader's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.privacy_terms import WhyCode

ACTIONS: Mapping[WhyCode, Promise] = {
    WhyCode.DISLIKE: _("Do not recommend it again"),
    WhyCode.OBJECT: _("Stop recommendations by what I do"),
    WhyCode.MY_DATA: _("My data"),
}
