"""Segments to choose from in a form; what was chosen before stays, also where it is gone."""

from django.db.models import Q
from django.utils.translation import gettext as _

from analytics.parameters import number
from recommendations.models import Segment


def segment_choices(chosen: str | int | None = None) -> list[tuple[str, str]]:
    """Number and words of the live segments; behind them the ``chosen`` one if it is none of them, and that it is not.

    A list without it would show another one as chosen, or everybody, and the next save would mean that.
    """
    asked_for = "" if chosen is None else str(chosen)
    known = Segment.objects.filter(Q(version__is_live=True) | Q(number=number(asked_for))).select_related("version")
    live = {str(each.number): str(each) for each in known if each.version and each.version.is_live}
    if not asked_for or asked_for in live:
        return list(live.items())
    name = next((str(each) for each in known if str(each.number) == asked_for), asked_for)
    return [*live.items(), (asked_for, missing(name))]


def missing(name: str) -> str:
    return _("%(name)s (no longer there)") % {"name": name}
