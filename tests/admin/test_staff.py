"""Staff in the admin: made with a role and a password that works; somebody always stays in charge."""

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
from django.urls import reverse

from recommendations.models import AuditEntry, AuthenticatorApp, Staff
from recommendations.services.access import second_factor
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
ADD = reverse("admin:recommendations_staff_add")
PASSWORD = "correct horse battery"
NEW = {"email": "Ann@Example.com", "name": "Ann", "role": "merchandiser", "password1": PASSWORD, "password2": PASSWORD}


def change_page(staff: Staff) -> str:
    return reverse("admin:recommendations_staff_change", args=[staff.pk])


def form_of(staff: Staff, **changes: str) -> dict[str, str]:
    form = {"email": staff.email, "name": staff.name, "role": staff.role, "language": staff.language, "theme": "auto"}
    return {**form, "is_active": "on", **changes}


def test_a_new_staff_member_can_sign_in(admin: Client) -> None:
    assert admin.post(ADD, NEW).status_code == 302
    ann = Staff.objects.get(email="ann@example.com")
    assert (ann.name, ann.role, ann.is_superuser, ann.is_staff) == ("Ann", Role.MERCHANDISER, False, False)
    request = RequestFactory().post("/")
    assert authenticate(request, username="ann@example.com", password=PASSWORD) == ann
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.after) == ("create", {"email": "ann@example.com", "role": "merchandiser"})
    assert PASSWORD not in str(AuditEntry.objects.values())


@pytest.mark.parametrize(
    "change",
    [
        {"email": "ADMIN@example.com"},
        {"email": "nobody"},
        {"role": "king"},
        {"password2": "another"},
        {"password1": "12345678", "password2": "12345678"},
    ],
)
def test_a_flawed_form_makes_no_staff_member(admin: Client, change: dict[str, str]) -> None:
    assert admin.post(ADD, {**NEW, **change}).status_code == 200
    assert Staff.objects.count() == 1


def test_a_role_is_changed_with_a_trail(admin: Client) -> None:
    ann = Staff.objects.create_user("ann@example.com", role=Role.VIEWER)
    assert admin.post(change_page(ann), form_of(ann, role="publisher")).status_code == 302
    ann.refresh_from_db()
    assert ann.role == Role.PUBLISHER
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "publisher"})


@pytest.mark.parametrize(("language", "kept"), [("zh-hans", "zh-hans"), ("xx", "en")])
def test_a_language_is_one_of_ours(admin: Client, language: str, kept: str) -> None:
    ann = Staff.objects.create_user("ann@example.com", role=Role.VIEWER)
    answer = admin.post(change_page(ann), form_of(ann, language=language))
    ann.refresh_from_db()
    assert (answer.status_code, ann.language) == (302 if language == kept else 200, kept)


@pytest.mark.parametrize("changes", [{"role": "viewer"}, {"is_active": ""}])
def test_the_last_admin_stays(admin: Client, changes: dict[str, str]) -> None:
    boss = Staff.objects.get()
    answer = admin.post(change_page(boss), form_of(boss, **changes), follow=True)
    assert "stays an active admin" in answer.content.decode()
    boss.refresh_from_db()
    assert (boss.role, boss.is_active) == (Role.ADMIN, True)
    Staff.objects.create_user("second@example.com", role=Role.ADMIN)
    admin.post(change_page(boss), form_of(boss, **changes))
    boss.refresh_from_db()
    assert (boss.role, boss.is_active) != (Role.ADMIN, True)


def test_the_page_of_a_member_of_staff_ends_sessions_and_removes_the_second_factor(admin: Client) -> None:
    ann = Staff.objects.create_user("ann@example.com", PASSWORD, role=Role.VIEWER)
    AuthenticatorApp.objects.create(user=ann, confirmed=True)
    page = admin.get(change_page(ann)).content.decode()
    assert [words in page for words in ("End all sessions", "Remove the second factor (lost phone)")] == [True, True]
    assert "Send the invitation again" not in page
    form = {"_selected_action": [ann.pk], "CHANGE_FORM-action": "remove_second_factor"}
    answer = admin.post(change_page(ann), form, follow=True)
    assert "has no second factor any more" in answer.content.decode()
    assert not second_factor.has_second_factor(ann)
    browser = Client()
    browser.post("/login/", {"username": ann.email, "password": PASSWORD})
    assert browser.get("/runs/").status_code == 200
    answer = admin.post(change_page(ann), {**form, "CHANGE_FORM-action": "end_sessions"}, follow=True)
    assert "1 session was ended." in answer.content.decode()
    assert browser.get("/runs/").status_code == 302


def test_a_new_password_works_and_leaves_a_trail(admin: Client) -> None:
    ann = Staff.objects.create_user("ann@example.com", "the old one", role=Role.VIEWER)
    page = reverse("admin:auth_user_password_change", args=[ann.pk])
    form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true", "set-password": "x"}
    assert admin.post(page, form).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.object_id, entry.staff) == (
        "set password",
        str(ann.pk),
        Staff.objects.get(role=Role.ADMIN),
    )


def test_hashes_of_passwords_are_not_shown(admin: Client) -> None:
    ann = Staff.objects.create_user("ann@example.com", PASSWORD, role=Role.VIEWER)
    page = admin.get(change_page(ann)).content.decode()
    assert ann.password not in page
    assert "is_superuser" not in page
