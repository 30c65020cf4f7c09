"""One's own account: the password, and where one is signed in."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import AuditEntry, Staff
from recommendations.services.access.sessions import handle_of, sessions_of
from recommendations.terms import Role

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
NEW = "a better one now"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", PASSWORD, role=Role.VIEWER, name="Ada")


def browser(staff: Staff, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    assert client.post("/login/", {"username": staff.email, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/runs/").status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_every_role_changes_the_password_and_is_signed_out_elsewhere(role: Role) -> None:
    staff = Staff.objects.create_user("ada@example.com", PASSWORD, role=role)
    here, there = browser(staff), browser(staff)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    answer = here.post("/account/password/", form, follow=True)
    assert "The password is changed" in answer.content.decode()
    assert (is_in(here), is_in(there)) == (True, False)
    assert [each.browser for each in sessions_of(staff)] == ["Firefox, Linux"]
    staff.refresh_from_db()
    assert staff.check_password(NEW)
    assert AuditEntry.objects.filter(verb="set password", staff=staff).count() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"old_password": "wrong"}, "This is not your password"),
        ({"new_password2": "another"}, "match"),
        ({"new_password1": "12345678", "new_password2": "12345678"}, "entirely numeric"),
        ({"old_password": ""}, "required"),
        ({"new_password1": PASSWORD, "new_password2": PASSWORD}, "This is your current password."),
    ],
)
def test_a_flawed_form_changes_no_password(ada: Staff, change: dict[str, str], told: str) -> None:
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, **change}
    page = browser(ada).post("/account/password/", form).content.decode()
    assert told in page
    assert "field-error" in page
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_who_guesses_the_old_password_is_locked_out(ada: Staff) -> None:
    client = browser(ada)
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert [client.post("/account/password/", form).status_code for _ in range(5)] == [200] * 4 + [429]


def test_the_page_lists_sessions_and_ends_one(ada: Staff) -> None:
    here, there = browser(ada), browser(ada, "curl/8.0")
    page = here.get("/account/").content.decode()
    assert page.count("this browser") == 1
    assert "Firefox, Linux" in page
    assert "Unknown browser" in page
    [other] = [each for each in sessions_of(ada) if each.browser == ""]
    assert other.pk not in page  # a key would open it
    answer = here.post("/account/sessions/end/", {"session": handle_of(other.pk)}, follow=True)
    assert "1 session was ended" in answer.content.decode()
    assert (is_in(here), is_in(there)) == (True, False)
    assert AuditEntry.objects.get(verb="end session").after == {"sessions": 1}


def test_all_others_are_ended_at_once(ada: Staff) -> None:
    here, others = browser(ada), [browser(ada), browser(ada)]
    assert "2 sessions were ended" in here.post("/account/sessions/end/", {"others": "1"}, follow=True).content.decode()
    assert is_in(here)
    assert not any(is_in(other) for other in others)
    assert "End all others" not in here.get("/account/").content.decode()


@pytest.mark.parametrize("form", [{}, {"session": "nothing"}, {"session": ""}])
def test_nothing_named_ends_nothing(ada: Staff, form: dict[str, str]) -> None:
    here, there = browser(ada), browser(ada)
    here.post("/account/sessions/end/", form)
    assert is_in(here)
    assert is_in(there)


def test_nobody_ends_the_session_of_somebody_else(ada: Staff) -> None:
    eve = Staff.objects.create_user("eve@example.com", PASSWORD, role=Role.ADMIN)
    here, there = browser(ada), browser(eve)
    [session] = sessions_of(eve)
    here.post("/account/sessions/end/", {"session": handle_of(session.pk)})
    assert is_in(there)


def test_an_admin_sees_and_ends_the_sessions_of_a_member_of_staff(
    client_of: Callable[[Role], Client], ada: Staff
) -> None:
    admin, there = client_of(Role.ADMIN), browser(ada)
    page = admin.get(reverse("staff_member", args=[ada.pk])).content.decode()
    assert "Firefox, Linux" in page
    answer = admin.post(reverse("end_staff_sessions", args=[ada.pk]), follow=True)
    assert "1 session was ended" in answer.content.decode()
    assert not is_in(there)
    entry = AuditEntry.objects.get(verb="end session")
    assert (str(entry.staff), entry.label) == ("The admin", ada.email)


def test_the_frame_leads_to_the_account(client_of: Callable[[Role], Client]) -> None:
    assert 'href="/account/"' in client_of(Role.VIEWER).get("/runs/").content.decode()


def test_the_admin_leads_to_the_same_pages_and_trail(client_of: Callable[[Role], Client]) -> None:
    admin = client_of(Role.ADMIN)
    assert admin.get("/admin/password_change/")["Location"] == "/account/password/"
    assert admin.post("/admin/logout/")["Location"] == "/login/"
    assert AuditEntry.objects.get().verb == "sign out"
