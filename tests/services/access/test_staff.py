"""Staff made and changed by a service: entries, and that somebody stays in charge."""

import pytest

from recommendations.models import AuditEntry, Staff
from recommendations.services.access.staff import LastAdminError, change_staff, create_staff, set_password
from recommendations.terms import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.ADMIN)


def test_nothing_changed_is_nothing_told(boss: Staff) -> None:
    change_staff(staff=boss, changes={"role": Role.ADMIN, "name": ""}, by=boss)
    assert not AuditEntry.objects.exists()


def test_fields_that_are_not_changeable_are_left_alone(boss: Staff) -> None:
    ann = create_staff(email="ann@example.com", password=None, role=Role.VIEWER, by=boss)
    change_staff(staff=ann, changes={"is_superuser": True, "password": "x"}, by=boss)
    ann.refresh_from_db()
    assert (ann.is_superuser, ann.has_usable_password()) == (False, False)


def test_an_inactive_admin_is_nobody_in_charge(boss: Staff) -> None:
    Staff.objects.create_user("gone@example.com", role=Role.ADMIN, is_active=False)
    with pytest.raises(LastAdminError) as caught:
        change_staff(staff=boss, changes={"role": Role.VIEWER}, by=boss)
    assert caught.value.staff == boss
    boss.refresh_from_db()
    assert boss.role == Role.ADMIN


def test_a_password_is_told_without_being_shown(boss: Staff) -> None:
    set_password(staff=boss, password="correct horse", by=boss)
    assert boss.check_password("correct horse")
    assert AuditEntry.objects.values_list("verb", "before", "after").get() == ("set password", None, None)
    set_password(staff=boss, password=None, by=boss)
    assert not boss.has_usable_password()
