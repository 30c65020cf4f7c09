"""Staff made and changed by a service: entries, and that somebody stays in charge."""

import pytest
from pytest_django.fixtures import Settings

from recommendations.models import AuditEntry, Staff
from recommendations.services.access.staff import (
    LastAdminError,
    OwnAccountError,
    change_staff,
    create_staff,
    set_password,
)
from recommendations.terms import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.ADMIN)


def test_unchanged_staff_leave_no_audit_entry(boss: Staff) -> None:
    change_staff(staff=boss, changes={"role": Role.ADMIN, "name": ""}, by=boss)
    assert not AuditEntry.objects.exists()


def test_fields_that_are_not_changeable_are_left_alone(boss: Staff) -> None:
    ann = create_staff(email="ann@example.com", role=Role.VIEWER, by=boss)
    change_staff(staff=ann, changes={"is_superuser": True, "password": "x"}, by=boss)
    ann.refresh_from_db()
    assert (ann.is_superuser, ann.has_usable_password()) == (False, False)


def test_a_new_account_reads_the_shops_language_or_that_of_its_maker(boss: Staff, settings: Settings) -> None:
    settings.SHOP_LANGUAGE = "zh-hans"
    first = create_staff(email="first@example.com", role=Role.ADMIN, by=None)
    assert (first.language, create_staff(email="ann@example.com", role=Role.VIEWER, by=boss).language) == (
        "zh-hans",
        "en",
    )
    assert Staff.objects.create_superuser("root@example.com").language == "zh-hans"


def test_the_last_active_admin_cannot_be_demoted(boss: Staff) -> None:
    Staff.objects.create_user("gone@example.com", role=Role.ADMIN, is_active=False)
    with pytest.raises(LastAdminError) as caught:
        change_staff(staff=boss, changes={"role": Role.VIEWER}, by=boss)
    assert caught.value.staff == boss
    boss.refresh_from_db()
    assert boss.role == Role.ADMIN


@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"is_active": False}])
def test_nobody_changes_what_they_may_do_themselves(boss: Staff, change: dict[str, object]) -> None:
    second = Staff.objects.create_user("second@example.com", role=Role.ADMIN)
    with pytest.raises(OwnAccountError):
        change_staff(staff=boss, changes=change, by=boss)
    assert change_staff(staff=boss, changes=change, by=second) == boss
    assert AuditEntry.objects.get().staff == second


def test_the_audit_entry_of_a_new_password_does_not_hold_it(boss: Staff) -> None:
    set_password(staff=boss, password="correct horse", by=boss)
    assert boss.check_password("correct horse")
    assert AuditEntry.objects.values_list("verb", "before", "after").get() == ("set password", None, None)
    set_password(staff=boss, password=None, by=boss)
    assert not boss.has_usable_password()
