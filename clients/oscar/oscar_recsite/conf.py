"""Settings of the shop that the adapter reads; ``checks`` names what is missing."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

DEFAULTS: Mapping[str, Any] = {
    "RECSITE_URL": "",  # without it nothing is sent, and slots stay empty
    "RECSITE_KEY": "",  # of the shop's server: events:write, recommendations:read
    "RECSITE_CATALOGUE_KEY": "",  # catalogue:write; without it RECSITE_KEY
    "RECSITE_PAGES_KEY": "",  # events:write, for the shop's origin: impressions and clicks
    "RECSITE_SHOP_URL": "",  # the shop's own address, before those of its products and their pictures
    "RECSITE_TIMEOUT": 0.2,  # seconds that a page waits for a slot
    "RECSITE_FLUSH": 5.0,  # seconds that a process waits at its end for what is not sent yet
    "RECSITE_CONSENT": None,  # function of a request: True, False, or None where the visitor was not asked
    "RECSITE_ITEM": None,  # function of a product and its item, which returns the item, or None to keep it out
    "RECSITE_ROBOTS": r"bot\b|crawl|spider|slurp|preview|monitor|headless",  # user agents whose visits are no visits
    "RECSITE_REFUNDED": ("Cancelled", "Refunded"),  # statuses of orders that are taken back
    "RECSITE_SLOTS": {
        "home": _("Recommended for you"),
        "buy_again": _("Buy again"),
        "discover": _("Discover something new"),
        "trending": _("Popular right now"),
        "new": _("New in our shop"),
        "category": _("Recommended in this category"),
        "item": _("Similar products"),
        "also_bought": _("Often bought together"),
        "cart": _("Goes with your basket"),
    },
}


def setting(name: str) -> Any:
    return getattr(settings, name, DEFAULTS[name])


def is_on() -> bool:
    """Whether there is a Recsite to talk to."""
    return bool(setting("RECSITE_URL") and setting("RECSITE_KEY"))


def function(name: str) -> Any:
    """The function that a setting names or is; None where it is empty. Raises ImportError."""
    value = setting(name)
    return import_string(value) if isinstance(value, str) and value else value


def heading_of(placement: str) -> str | Promise | None:
    """The heading over a slot; None: the shop has no such slot."""
    heading: str | Promise | None = setting("RECSITE_SLOTS").get(placement)
    return heading
