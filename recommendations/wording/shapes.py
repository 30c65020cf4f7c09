"""What has to stand in a field that is not of its shape, as a person would say it: by the field's name, in its unit."""

from collections.abc import Mapping
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from msgspec import UNSET, Meta

ITEMS = _("Choose %(least)s to %(most)s items.")
HOURS = _("Write %(least)s to %(most)s hours.")
SHARE = _("Write %(least)s to %(most)s per cent.")
MOMENT = _("Choose a day and a time.")

FIELDS: Mapping[str, Promise] = {
    "n": ITEMS, "least_items": ITEMS, "hours": HOURS, "expires_hours": HOURS, "percent": SHARE, "holdout": SHARE,
    "views": _("Write %(least)s to %(most)s looks."),
    "days": _("Write %(least)s to %(most)s days."),
    "per_day": _("Write a whole number from 1 on, or leave the field empty."),
    "price_to": _("Write a price above 0, or leave the field empty."),
    "starts_at": MOMENT, "ends_at": MOMENT,
    "hour": _("Choose an hour and a minute."),
    "placement": _("Choose a list."),
    "blocks": _("Choose at least one list."),
    "subjects": _("Write a subject."),
}  # fmt: skip
HUNDREDTHS = frozenset({"holdout"})
"""Fields that are written in per cent, and stored as a share."""


def shape_words(field: str, given: object, kind: object, bounds: Meta) -> str:
    """What to write into a field whose value, UNSET where there is none, is not of its kind and in its bounds."""
    most = bounds.max_length
    if isinstance(given, str) and most is not None and len(given) > most:
        return _("Write at most %(most)d characters; these are %(n)d.") % {"most": most, "n": len(given)}
    if isinstance(given, list) and most is not None and len(given) > most:
        return _("Choose at most %(most)d.") % {"most": most}
    if field in FIELDS:
        scale = 100 if field in HUNDREDTHS else 1
        ends = {"least": bounds.ge, "most": bounds.le}
        return str(FIELDS[field]) % {name: f"{(end or 0) * scale:g}" for name, end in ends.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(_("Choose one of those that are offered."))
    return str(_("This is missing.")) if given is UNSET else str(_("This is written in a way that nobody can read."))
