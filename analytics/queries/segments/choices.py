"""Segments to choose from in a form; what was chosen before stays, also where it is gone."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from analytics.parameters import number
from recommendations.models import Segment


def segment_choices(chosen: str | int | None = None, *, live: Iterable[Segment] | None = None) -> list[tuple[str, str]]:
    """Number and words of the ``live`` segments; behind them the ``chosen`` one if it is none of them, and says so.

    A list without it would show another one as chosen, or everybody, and the next save would mean that.
    """
    asked_for = "" if chosen is None else str(chosen)
    there = Segment.objects.filter(version__is_live=True) if live is None else live
    choices = [(str(each.number), str(each)) for each in there]
    if not asked_for or asked_for in dict(choices):
        return choices
    key = number(asked_for)
    gone = Segment.objects.filter(number=key).first() if key is not None else None
    return [*choices, (asked_for, missing(str(gone or asked_for)))]


def missing(name: str) -> str:
    return _("%(name)s (no longer there)") % {"name": name}
