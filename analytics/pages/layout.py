"""Context that every page has: theme, what the reader may do, and the frame itself (read only where it is shown)."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from analytics.pages.access.preferences import theme_of
from analytics.pages.tour import tour_of
from analytics.queries.layout import read_frame
from recommendations.models import Staff
from recommendations.services.access.policy import Action, may


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: who is not signed in gets the theme only."""
    staff = getattr(request, "user", None)
    if not isinstance(staff, Staff):
        return {"theme": theme_of(request)}
    return {
        "theme": theme_of(request),
        "frame": SimpleLazyObject(read_frame),
        "may_run_loop": may(staff, Action.RUN_LOOP),
        "may_draft": may(staff, Action.DRAFT),
        "may_publish": may(staff, Action.PUBLISH),
        "may_experiment": may(staff, Action.EXPERIMENT),
        "may_set_placements": may(staff, Action.SET_PLACEMENTS),
        "may_manage_keys": may(staff, Action.MANAGE_KEYS),
        "may_edit_catalogue": may(staff, Action.EDIT_CATALOGUE),
        "may_manage_staff": may(staff, Action.MANAGE_STAFF),
        "may_set_aside": may(staff, Action.SET_ASIDE),
        "tour": tour_of(request),
        "may_open_admin": staff.is_staff,
    }
