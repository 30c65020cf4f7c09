"""Labels of what items are, of whether they are for sale, and of what is wrong with their pictures."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.terms import Availability, ItemKind
from recommendations.vector_terms import PictureFault
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
PICTURE_FAULTS: Choices = [
    (PictureFault.NO_ANSWER, _("The server gave no answer within five seconds.")),
    (PictureFault.STATUS, _("The server answered with an error.")),
    (PictureFault.GONE, _("There is nothing at its address.")),
    (PictureFault.FORBIDDEN, _("Its address is not public, or does not begin with https.")),
    (PictureFault.NOT_A_PICTURE, _("What lies at its address is no picture.")),
    (PictureFault.TOO_LARGE, _("It is larger than 5 MB or 25 million pixels.")),
    (PictureFault.UNREADABLE, _("It is broken, or of another kind than JPEG, PNG, WebP, AVIF and GIF.")),
    (PictureFault.SMALL, _("It is smaller than 100 by 100 pixels.")),
]
