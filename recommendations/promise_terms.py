"""What may become of an item that is new to a placement, and why it may have to wait."""

from enum import StrEnum


class NewItemState(StrEnum):
    WAITING = "waiting"  # for a promise: there is no room yet
    PROMISED = "promised"
    KEPT = "kept"  # it had its impressions in time
    LATE = "late"  # the days are over and it had not
    MISSED = "missed"  # it is no longer new, and never had a promise
    KNOWN = "known"  # the ranking had shown it often enough before
    STOPPED = "stopped"  # staff took it out


class Lacking(StrEnum):
    """Why a new item cannot be promised anything yet, the first that holds."""

    SOLD_OUT = "sold_out"
    LATER = "later"  # its sale has not begun
    PRICE = "price"
    PICTURE = "picture"
