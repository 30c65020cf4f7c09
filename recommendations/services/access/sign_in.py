"""Signing in and out: the session that begins, and the entry in the trail."""

from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest

from recommendations.models import Staff
from recommendations.services.access import audit, sessions
from recommendations.services.access.addresses import client_address

BACKEND = "django.contrib.auth.backends.ModelBackend"


@transaction.atomic
def sign_in(request: HttpRequest, *, staff: Staff) -> None:
    """Sign a staff member in who has proved who they are."""
    login(request, staff, backend=BACKEND)
    sessions.begin(request)
    audit.record(by=staff, verb="sign in", subject=staff, after={"address": client_address(request.META)})


def sign_out(request: HttpRequest) -> None:
    """End the session of this browser."""
    if isinstance(request.user, Staff):
        audit.record(by=request.user, verb="sign out", subject=request.user)
    logout(request)
