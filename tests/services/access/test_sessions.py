"""Sessions of staff: they end when nobody uses them, and a week after the login whatever happens."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.models import Staff, StaffSession
from recommendations.services.access.sessions import SessionStore, browser_name, handle_of, sessions_of
from recommendations.terms import Role
from tests.analytics.conftest import MODEL_BACKEND

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE = "/runs/"


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", PASSWORD, role=Role.VIEWER, name="Ada")


@pytest.fixture
def signed_in(client: Client, ada: Staff) -> Client:
    form = {"username": ada.email, "password": PASSWORD}
    assert client.post("/login/", form, headers={"User-Agent": FIREFOX}).status_code == 302
    return client


def move(**columns: timedelta) -> None:
    """Move the moments of every session into the past."""
    for session in StaffSession.objects.all():
        for name, by in columns.items():
            setattr(session, name, getattr(session, name) - by)
        session.save()


def test_a_session_says_who_where_and_since_when(signed_in: Client, ada: Staff) -> None:
    [session] = sessions_of(ada)
    assert (session.browser, session.address) == ("Firefox, Linux", "127.0.0.1")
    assert session.signed_in_at is not None
    assert timezone.now() - session.signed_in_at < timedelta(minutes=1)
    assert handle_of(session.session_key) not in session.session_key


@pytest.mark.parametrize("address", ["", "unix:", "2001:db8::7"])
def test_a_session_begins_from_wherever(client: Client, ada: Staff, address: str) -> None:
    form = {"username": ada.email, "password": PASSWORD}
    assert client.post("/login/", form, REMOTE_ADDR=address).status_code == 302
    assert sessions_of(ada)[0].address == (address if ":d" in address else None)


def test_who_does_nothing_for_eight_hours_signs_in_again(signed_in: Client, ada: Staff) -> None:
    move(last_seen_at=timedelta(hours=7, minutes=59))
    assert signed_in.get(PAGE).status_code == 200
    [session] = sessions_of(ada)
    assert timezone.now() - session.last_seen_at < timedelta(minutes=1)  # the page counted
    move(last_seen_at=timedelta(hours=8, minutes=1))
    assert sessions_of(ada) == []
    assert signed_in.get(PAGE)["Location"] == f"/login/?next={PAGE}"


def test_the_idle_time_is_a_setting(signed_in: Client, settings: LazySettings) -> None:
    settings.SESSION_IDLE = timedelta(hours=1)
    move(last_seen_at=timedelta(hours=1, minutes=1))
    assert signed_in.get(PAGE).status_code == 302


def test_a_busy_session_ends_a_week_after_the_login(signed_in: Client, ada: Staff) -> None:
    move(expire_date=timedelta(days=6, hours=23))
    signed_in.post("/preferences/", {"theme": "dark", "next": PAGE})
    [session] = sessions_of(ada)
    assert session.expire_date - timezone.now() < timedelta(hours=2)
    move(expire_date=timedelta(hours=2))
    assert signed_in.get(PAGE).status_code == 302


def test_a_session_in_use_is_noted_once_a_minute(
    signed_in: Client, ada: Staff, django_assert_num_queries: object
) -> None:
    [before] = sessions_of(ada)
    signed_in.get(PAGE)
    assert sessions_of(ada)[0].last_seen_at == before.last_seen_at


def test_sessions_that_are_over_are_forgotten(signed_in: Client, ada: Staff) -> None:
    other = Client()
    other.force_login(ada, backend=MODEL_BACKEND)
    assert StaffSession.objects.count() == 2
    over = StaffSession.objects.order_by("pk").first()
    assert over is not None
    StaffSession.objects.filter(pk=over.pk).update(last_seen_at=timezone.now() - timedelta(days=1))
    SessionStore.clear_expired()
    assert over not in StaffSession.objects.all()
    assert StaffSession.objects.count() == 1


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36", "Chrome, Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_browsers_are_named(agent: str, name: str) -> None:
    assert browser_name(agent) == name
