"""Context that every page has: theme, what the reader may do, and the frame itself (read only where it is shown)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from analytics.pages.access.preferences import theme_of
from analytics.pages.tour import tour_of
from analytics.queries.layout import read_frame
from recommendations.models import Staff
from recommendations.services.access.policy import Action, may
from recommendations.services.catalogue.quality import wanted_fields
from recommendations.services.review.acts import sells


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``may_draft`` and the like, by the policy; who is not signed in gets the least of it.

    ``wanted`` is what an item of the shop is asked for, ``sells`` whether people buy. ``here`` is where language, theme
    and undo come back to; a page that a form's address answers says its own.
    """
    staff = getattr(request, "user", None)
    anybodys = {"theme": theme_of(request), "here": request.get_full_path()}
    if not isinstance(staff, Staff):
        return anybodys
    return {
        **anybodys,
        "frame": SimpleLazyObject(read_frame),
        **{f"may_{action}": may(staff, action) for action in Action},
        "tour": tour_of(request),
        "may_open_admin": staff.is_staff,
        "more_sections": settings.MORE_SECTIONS,
        "wanted": wanted_fields(),
        "sells": sells(),
    }
