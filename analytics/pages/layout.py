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
    """Context processor: ``may_draft`` and the like, by the policy; who is not signed in gets the theme only."""
    staff = getattr(request, "user", None)
    if not isinstance(staff, Staff):
        return {"theme": theme_of(request)}
    return {
        "theme": theme_of(request),
        "frame": SimpleLazyObject(read_frame),
        **{f"may_{action}": may(staff, action) for action in Action},
        "tour": tour_of(request),
        "may_open_admin": staff.is_staff,
    }
