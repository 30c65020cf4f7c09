"""Sessions of staff: the store that Django uses, and what is known of each for those who may end it.

A session ends a week after the login, whatever happens in it, or as soon as nobody has used it for ``SESSION_IDLE``.
"""

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as RecordedSessions
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.dateparse import parse_datetime

from recommendations.models import Staff, StaffSession
from recommendations.services.access import audit
from recommendations.services.access.addresses import client_address

SIGNED_IN = "signed_in"  # key of the session: when, with what browser, from where
STEP = timedelta(minutes=1)  # how exactly it is known when a session was last used
BROWSERS = ("Edg", "OPR", "Firefox", "FxiOS", "Chrome", "CriOS", "Safari")  # a later one also claims to be an earlier
NAMES = {"Edg": "Edge", "OPR": "Opera", "FxiOS": "Firefox", "CriOS": "Chrome"}
SYSTEMS = {
    "Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Mac OS X": "macOS",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


class SessionStore(RecordedSessions):
    """Session in the table of ``StaffSession``; one that was not used for too long is none."""

    _last_seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    @classmethod
    def clear_expired(cls) -> None:
        now = timezone.now()
        StaffSession.objects.filter(Q(expire_date__lt=now) | Q(last_seen_at__lt=now - settings.SESSION_IDLE)).delete()

    def load(self) -> dict[str, Any]:
        session = _alive().filter(session_key=self.session_key).first()
        if session is None:
            self._session_key = None
            return {}
        self._last_seen_at = session.last_seen_at
        return self.decode(session.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        session = cast("StaffSession", super().create_model_instance(data))
        signed_in = data.get(SIGNED_IN, {})
        session.staff_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        session.browser = signed_in.get("browser", "")
        session.address = signed_in.get("address") or None
        session.signed_in_at = parse_datetime(signed_in["at"]) if signed_in else None
        return session

    def touch(self) -> None:
        """Note that the session is in use, at most once a minute."""
        now = timezone.now()
        if self._last_seen_at is not None and now - self._last_seen_at >= STEP:
            self._last_seen_at = now
            StaffSession.objects.filter(session_key=self.session_key).update(last_seen_at=now)


def begin(request: HttpRequest) -> None:
    """Note in the session of somebody who has just signed in since when, and how long it may last."""
    now = timezone.now()
    browser = browser_name(request.headers.get("User-Agent", ""))
    try:
        address = str(ip_address(client_address(request.META)))
    except ValueError:  # a socket of the machine has none
        address = ""
    request.session[SIGNED_IN] = {"at": now.isoformat(), "browser": browser, "address": address}
    request.session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def sessions_of(staff: Staff) -> list[StaffSession]:
    """Sessions that still work, the one used last first."""
    return list(_alive().filter(staff=staff).order_by("-last_seen_at", "session_key"))


@transaction.atomic
def end_one(*, staff: Staff, handle: str, by: Staff) -> bool:
    """End the session of this handle; False where it has ended."""
    chosen = [session.pk for session in sessions_of(staff) if constant_time_compare(handle_of(session.pk), handle)]
    return bool(_end(StaffSession.objects.filter(pk__in=chosen), staff=staff, by=by))


@transaction.atomic
def end_all(*, staff: Staff, by: Staff | None, but: str | None = None) -> int:
    """End all sessions, but for that of the key ``but``; returns how many."""
    return _end(StaffSession.objects.filter(staff=staff).exclude(pk=but or ""), staff=staff, by=by)


def handle_of(session_key: str) -> str:
    """Name of a session for forms: it finds the session, and opens nothing."""
    return salted_hmac("session", session_key, algorithm="sha256").hexdigest()[:24]


def browser_name(agent: str) -> str:
    """Browser and system of a header ``User-Agent``, such as "Firefox, Linux"; "" where it names neither."""
    browser = next((NAMES.get(name, name) for name in BROWSERS if f"{name}/" in agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), "")
    return ", ".join(part for part in (browser, system) if part)


def _end(sessions: QuerySet[StaffSession], *, staff: Staff, by: Staff | None) -> int:
    number = sessions.delete()[0]
    if number:
        audit.record(by=by, verb="end session", subject=staff, after={"sessions": number})
    return number


def _alive() -> QuerySet[StaffSession]:
    now = timezone.now()
    return StaffSession.objects.filter(expire_date__gt=now, last_seen_at__gt=now - settings.SESSION_IDLE)
