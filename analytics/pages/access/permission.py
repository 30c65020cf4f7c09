"""Permissions of pages: those that change something ask the policy first."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from recommendations.models import Staff
from recommendations.services.access.policy import POLICY, Action, may
from recommendations.wording import labels


def requires[Answer: HttpResponseBase](
    action: Action,
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Answer 403 to staff whose role may not do the action; who is not signed in was sent to the login before."""

    def decorate(view: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
            if not may(staff_of(request), action):
                raise PermissionDenied(roles_words(action))
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def post_requires[Answer: HttpResponseBase](
    action: Action,
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Take what a form sends from staff whose role may do the action; answer 405 where its address is opened."""
    allowed: Callable[[Callable[..., Answer]], Callable[..., Answer]] = requires(action)
    return lambda view: require_POST(allowed(view))


def roles_words(action: Action) -> str:
    """Names of the roles that may do it, the least of them first."""
    return " / ".join(str(words) for role, words in labels.ROLES if role in POLICY[action])


def staff_of(request: HttpRequest) -> Staff:
    if not isinstance(request.user, Staff):
        raise PermissionDenied
    return request.user
