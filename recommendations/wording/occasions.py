"""Why a message shows the item that it is about: what happened to it, in the reader's language."""

from datetime import datetime
from typing import NamedTuple

from django.utils import formats, timezone
from django.utils.translation import gettext

from recommendations.push_terms import Trigger

WEEK = 7  # days within which the name of a day says which one it was


class ItemOccasion(NamedTuple):
    """What called for a message about an item (by key): the day of the customer's act, or how much cheaper it is."""

    trigger: Trigger
    item: int
    day: datetime | None = None
    days_ago: int = 0
    percent: int = 0


def occasion_text(occasion: ItemOccasion) -> str:
    """The occasion as a reason, in the active language."""
    if occasion.day is None:
        if occasion.trigger is Trigger.PRICE_DROP:
            return gettext("Now %(percent)d%% cheaper") % {"percent": occasion.percent}
        return gettext("Back in stock")
    in_cart = occasion.trigger is Trigger.CART_LEFT
    if not occasion.days_ago:
        return gettext("In your cart since today") if in_cart else gettext("You looked at it today")
    named = "l" if occasion.days_ago < WEEK else "MONTH_DAY_FORMAT"
    day = {"day": formats.date_format(timezone.localtime(occasion.day), named)}
    if in_cart:
        return gettext("In your cart since %(day)s") % day
    return gettext("You looked at it on %(day)s") % day
