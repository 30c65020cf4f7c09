"""Permissions of pages: those that change something ask the policy first."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from recommendations.models import Staff
from recommendations.services.access.policy import Action, may

type View = Callable[..., HttpResponse]


def requires(action: Action) -> Callable[[View], View]:
    """Answer 403 to staff whose role may not do the action; who is not signed in was sent to the login before."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(staff_of(request), action):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def staff_of(request: HttpRequest) -> Staff:
    if not isinstance(request.user, Staff):
        raise PermissionDenied
    return request.user
