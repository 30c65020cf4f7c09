"""Attempts to sign in: how many wrong ones there may be, and what of them stands in the audit trail.

axes counts those of one account from one address. Beside it all of one address are counted, against whoever tries a
password with many accounts; so many more that colleagues behind one address do not lock one another out.
"""

from typing import Any

from axes.handlers.cache import AxesCacheHandler
from axes.helpers import get_cache_timeout
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from recommendations.models import Staff
from recommendations.services.access import audit

CODE = "code"  # in the credentials of an attempt that failed at the second factor
type Credentials = dict[str, Any] | None


class Attempts(AxesCacheHandler):
    """Handler of axes that also counts by address, and writes into the trail."""

    def is_locked(self, request: HttpRequest, credentials: Credentials = None) -> bool:
        count: int = self.cache.get(_key(request), 0)
        return count >= settings.FAILURES_PER_ADDRESS or bool(super().is_locked(request, credentials))

    def user_login_failed(self, sender: Any, credentials: Credentials, request: Any = None, **more: Any) -> None:
        if request is None:
            return
        was_locked, staff = request.axes_locked_out, _staff_of(credentials)
        if not was_locked:
            _note(request, "wrong code" if credentials and CODE in credentials else "wrong password", staff)
            self._count(request)
        super().user_login_failed(sender, credentials, request, **more)
        if request.axes_locked_out and not was_locked:
            _note(request, "lock out", staff)

    def _count(self, request: Any) -> None:
        key, seconds = _key(request), get_cache_timeout(request)
        if not self.cache.add(key, 1, seconds) and self.cache.incr(key) >= settings.FAILURES_PER_ADDRESS:
            request.axes_locked_out = True


def _key(request: Any) -> str:
    return f"attempts:{salted_hmac('attempts', request.axes_ip_address, algorithm='sha256').hexdigest()}"


def _staff_of(credentials: Credentials) -> Staff | None:
    address = str((credentials or {}).get("username") or "").strip()
    return Staff.objects.filter(email__iexact=address).first()


def _note(request: Any, verb: str, staff: Staff | None) -> None:
    """Write an entry; a name that nobody has is left out, as it may be a password."""
    by = request.user if isinstance(getattr(request, "user", None), Staff) else None
    audit.record(by=by, verb=verb, subject=staff or Staff(), after={"address": request.axes_ip_address})
