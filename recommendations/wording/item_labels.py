"""Labels of what items are, and of whether they are for sale."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.terms import Availability, ItemKind
from recommendations.wording.labels import Choices

ITEM_KINDS: Choices = [
    (ItemKind.PRODUCT, _("Product")),
    (ItemKind.ARTICLE, _("Article")),
    (ItemKind.TRACK, _("Track")),
    (ItemKind.ALBUM, _("Album")),
    (ItemKind.ARTIST, _("Artist")),
    (ItemKind.FILM, _("Film")),
    (ItemKind.EPISODE, _("Episode")),
    (ItemKind.SERIES, pgettext_lazy("kind of item", "Series")),
]
AVAILABILITIES: Choices = [
    (Availability.IN_STOCK, _("In stock")),
    (Availability.OUT_OF_STOCK, _("Out of stock")),
    (Availability.PREORDER, _("Pre-order")),
    (Availability.BACKORDER, _("Back order")),
]
