"""Staff under Setup: invited with a link, changed with a trail; nobody locks themselves out, an admin always stays."""

import pytest
from django.test import Client
from django.urls import reverse

from recommendations.models import AuditEntry, AuthenticatorApp, Staff
from recommendations.services.access import second_factor
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
LIST, INVITE = reverse("staff_list"), reverse("invite_staff")
PASSWORD = "correct horse battery"
NEW = {"email": "Ann@Example.com", "name": "Ann", "role": "merchandiser"}


@pytest.fixture
def boss(admin: Client) -> Staff:
    return Staff.objects.get(email="admin@example.com")


@pytest.fixture
def ann(boss: Staff) -> Staff:
    return Staff.objects.create_user("ann@example.com", PASSWORD, role=Role.VIEWER, name="Ann")


def page_of(staff: Staff, name: str = "staff_member") -> str:
    return reverse(name, args=[staff.pk])


def form_of(staff: Staff, **changes: str) -> dict[str, str]:
    return {"email": staff.email, "name": staff.name, "role": staff.role, "language": staff.language, **changes}


def test_whoever_is_invited_is_there_at_once_with_a_trail(admin: Client, boss: Staff) -> None:
    answer = admin.post(INVITE, NEW)
    ann = Staff.objects.get(email="ann@example.com")
    assert answer["Location"] == page_of(ann)
    assert (ann.name, ann.role, ann.is_superuser, ann.is_staff) == ("Ann", Role.MERCHANDISER, False, False)
    assert not ann.has_usable_password()
    entry = AuditEntry.objects.order_by("pk")[0]
    assert (entry.verb, entry.staff) == ("create", boss)
    assert entry.after == {"email": "ann@example.com", "role": "merchandiser"}
    assert "invited</span>" in admin.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": "ADMIN@example.com"}, "Someone already has this address."),
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"email": ""}, "This field is required."),
        ({"role": "king"}, "king is not one of the available choices"),
    ],
)
def test_a_flawed_invitation_is_refused_at_its_field(admin: Client, change: dict[str, str], words: str) -> None:
    answer = admin.post(INVITE, {**NEW, **change})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert f'id="id_{next(iter(change))}_error"' in answer.content.decode()
    assert Staff.objects.count() == 1


def test_a_member_is_changed_with_a_trail(admin: Client, ann: Staff) -> None:
    answer = admin.post(page_of(ann), form_of(ann, role="publisher", language="zh-hans"))
    ann.refresh_from_db()
    assert (answer.status_code, ann.role, ann.language) == (302, Role.PUBLISHER, "zh-hans")
    entry = AuditEntry.objects.get()
    assert entry.before == {"role": "viewer", "language": "en"}
    assert entry.after == {"role": "publisher", "language": "zh-hans"}


@pytest.mark.parametrize("change", [{"language": "xx"}, {"email": "admin@example.com"}, {"role": "king"}])
def test_a_flawed_form_changes_nobody(admin: Client, ann: Staff, change: dict[str, str]) -> None:
    assert "field-error" in admin.post(page_of(ann), form_of(ann, **change)).content.decode()
    ann.refresh_from_db()
    assert (ann.email, ann.role, ann.language) == ("ann@example.com", Role.VIEWER, "en")
    assert not AuditEntry.objects.exists()


def test_who_is_deactivated_is_signed_out_and_comes_back(admin: Client, ann: Staff) -> None:
    browser = Client()
    browser.post("/login/", {"username": ann.email, "password": PASSWORD})
    assert browser.get("/runs/").status_code == 200
    page = admin.post(page_of(ann, "set_staff_active"), {"active": "no"}, follow=True).content.decode()
    assert "ann@example.com can no longer sign in." in page
    assert "Reactivate" in page
    assert browser.get("/runs/").status_code == 302
    assert admin.post(page_of(ann, "set_staff_active"), {"active": "yes"}).status_code == 302
    ann.refresh_from_db()
    assert ann.is_active


def test_the_last_admin_stays_and_nobody_changes_their_own_role(admin: Client, boss: Staff) -> None:
    def tried() -> tuple[str, ...]:
        admin.post(page_of(boss), form_of(boss, role="viewer"))  # the field is no longer theirs to change
        answer = admin.post(page_of(boss, "set_staff_active"), {"active": "no"}, follow=True)
        boss.refresh_from_db()
        assert (boss.role, boss.is_active) == (Role.ADMIN, True)
        return tuple(str(message) for message in answer.context["messages"])[-1:]

    assert tried() == ("admin@example.com stays an active admin: nobody else could manage staff.",)
    Staff.objects.create_user("second@example.com", role=Role.ADMIN)
    assert tried() == ("You cannot change your own role or access: ask another admin.",)
    own = admin.get(page_of(boss)).content.decode()
    assert page_of(boss, "set_staff_active") not in own
    assert 'href="/account/"' in own


def test_a_reset_password_ends_sessions_and_gives_a_link(admin: Client, ann: Staff, boss: Staff) -> None:
    browser = Client()
    browser.post("/login/", {"username": ann.email, "password": PASSWORD})
    assert browser.get("/runs/").status_code == 200
    page = admin.post(page_of(ann, "reset_staff_password"), follow=True).content.decode()
    assert "ann@example.com will get an e-mail with a link." in page
    assert browser.get("/runs/").status_code == 302
    ann.refresh_from_db()
    assert not ann.has_usable_password()
    trail = AuditEntry.objects.filter(staff=boss).order_by("pk").values_list("verb", flat=True)
    assert list(trail) == ["set password", "invite"]
    page = admin.post(page_of(boss, "reset_staff_password"), follow=True).content.decode()
    assert "Change your own password under your account." in page
    boss.refresh_from_db()
    assert boss.has_usable_password()


def test_sessions_are_ended_and_a_lost_phone_is_forgotten(admin: Client, ann: Staff) -> None:
    AuthenticatorApp.objects.create(user=ann, confirmed=True)
    page = admin.get(page_of(ann)).content.decode()
    assert "With a second factor." in page
    page = admin.post(page_of(ann, "remove_staff_factor"), follow=True).content.decode()
    assert "has no second factor any more" in page
    assert not second_factor.has_second_factor(ann)
    browser = Client()
    browser.post("/login/", {"username": ann.email, "password": PASSWORD})
    assert browser.get("/runs/").status_code == 200
    page = admin.post(page_of(ann, "end_staff_sessions"), follow=True).content.decode()
    assert "1 session was ended." in page
    assert browser.get("/runs/").status_code == 302


def test_hashes_of_passwords_are_not_shown(admin: Client, ann: Staff) -> None:
    page = admin.get(page_of(ann)).content.decode()
    assert ann.password not in page
    assert "is_superuser" not in page
