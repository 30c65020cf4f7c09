"""Labels of the codes of ``promise_terms.py`` on a page, in the reader's language."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.promise_terms import Lacking, NewItemState
from recommendations.wording.labels import Choices

STATES: Choices = [
    (NewItemState.WAITING, pgettext_lazy("new item", "Waiting")),
    (NewItemState.PROMISED, pgettext_lazy("new item", "Promised")),
    (NewItemState.KEPT, pgettext_lazy("new item", "Kept")),
    (NewItemState.LATE, pgettext_lazy("new item", "Late")),
    (NewItemState.MISSED, _("No promise in time")),
    (NewItemState.KNOWN, _("Shown enough already")),
    (NewItemState.STOPPED, _("Taken out")),
]
LACKING: Choices = [
    (Lacking.SOLD_OUT, _("sold out")),
    (Lacking.LATER, _("for sale later")),
    (Lacking.PRICE, _("without a price")),
    (Lacking.PICTURE, _("without a picture")),
]
