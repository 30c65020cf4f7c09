"""Signing in and out: a password, a code where there is a second factor, the session, and the entry in the trail."""

from datetime import datetime, timedelta

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from recommendations.models import Staff
from recommendations.services.access import audit, second_factor, sessions
from recommendations.services.access.addresses import client_address
from recommendations.services.access.attempts import CODE

BACKEND = "django.contrib.auth.backends.ModelBackend"
HALF_IN = "half_in"  # key of the session: whose password was right, and whose code is still to come
DUE = "second_factor_due"  # key of the session: this person has to set a second factor up before anything else
PATIENCE = timedelta(minutes=10)


def begin(request: HttpRequest, *, staff: Staff) -> bool:
    """Sign in after the right password; False where a code is to come first."""
    if second_factor.has_second_factor(staff):
        now = timezone.now().isoformat()
        request.session[HALF_IN] = {"staff": staff.pk, "password": staff.get_session_auth_hash(), "at": now}
        return False
    _sign_in(request, staff)
    if settings.SECOND_FACTOR == "required":
        request.session[DUE] = True
    return True


def half_in(request: HttpRequest) -> Staff | None:
    """Whoever has typed the right password in this browser a moment ago, and not changed it since."""
    waiting = request.session.get(HALF_IN)
    if waiting is None or timezone.now() - datetime.fromisoformat(waiting["at"]) > PATIENCE:
        return None
    staff = Staff.objects.filter(pk=waiting["staff"], is_active=True).first()
    same = staff is not None and constant_time_compare(waiting["password"], staff.get_session_auth_hash())
    return staff if same else None


def complete(request: HttpRequest, *, staff: Staff, code: str) -> bool:
    """Sign in where the code is right, too. Raises TooSoonError."""
    if not code_is_right(request, staff=staff, code=code):
        return False
    del request.session[HALF_IN]
    _sign_in(request, staff)
    return True


def code_is_right(request: HttpRequest, *, staff: Staff, code: str) -> bool:
    """Check a code; wrong ones count as wrong passwords do, and lock as they do. Raises TooSoonError."""
    credentials = {"username": staff.email, CODE: True}
    if not AxesProxyHandler.is_allowed(request, credentials):
        vars(request).update(axes_locked_out=True, axes_credentials=credentials)
        return False
    if second_factor.verify(staff=staff, code=code):
        return True
    AxesProxyHandler.user_login_failed(sender=__name__, credentials=credentials, request=request)
    return False


def sign_out(request: HttpRequest) -> None:
    """End the session of this browser."""
    if isinstance(request.user, Staff):
        audit.record(by=request.user, verb="sign out", subject=request.user)
    logout(request)


@transaction.atomic
def _sign_in(request: HttpRequest, staff: Staff) -> None:
    login(request, staff, backend=BACKEND)
    sessions.begin(request)
    audit.record(by=staff, verb="sign in", subject=staff, after={"address": client_address(request.META)})
