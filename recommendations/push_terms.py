"""Codes of push: whom the shop may write to, what for, and what becomes of a message."""

from enum import StrEnum


class Channel(StrEnum):
    """How a message reaches a customer."""

    EMAIL = "email"


class Purpose(StrEnum):
    """What customers say yes or no to, per channel."""

    FOR_YOU = "for_you"  # recommendations of their own
    REMINDERS = "reminders"  # left in the cart, running low, back in stock
    NEWS = "news"  # for everybody, whoever objects to personalisation included


class ConsentState(StrEnum):
    """What a statement of the ledger says."""

    ASKED = "asked"  # a confirmation mail is on its way
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


CLOSING = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})
"""Statements after which nothing is sent; of two at the same instant such a one holds."""


class ConsentSource(StrEnum):
    """Where a statement was made."""

    API = "api"
    IMPORT = "import"
    CONFIRMED = "confirmed"  # by the button behind a confirmation mail
    PREFERENCES = "preferences"
    ONE_CLICK = "one_click"
    COMPLAINT = "complaint"
    STAFF = "staff"
    DEMO = "demo"


class AddressState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    GONE = "gone"  # it bounces, or another one took its place


class SuppressionReason(StrEnum):
    """Why an address must not be written to, whoever's it is."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED_ALL = "unsubscribed_all"
    STAFF = "staff"
    ERASED = "erased"


LIFTED_BY_STAFF = frozenset({SuppressionReason.STAFF, SuppressionReason.HARD_BOUNCE})
"""Reasons that staff may end. A no of the owner's ends by their own yes; a complaint and an erasure never end."""
