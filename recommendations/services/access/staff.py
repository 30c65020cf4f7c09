"""People who use the dashboard: made, changed and given passwords by admins, with an audit entry of every step.

What they prefer on the dashboard follows them from browser to browser.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import Staff, StaffSession
from recommendations.services.access import audit
from recommendations.terms import Role

CHANGEABLE = ("email", "name", "role", "language", "theme", "is_active")


class LastAdminError(Exception):
    """The change would leave nobody who may manage staff."""

    def __init__(self, staff: Staff) -> None:
        super().__init__(f"{staff} is the only active admin")
        self.staff = staff


class OwnAccountError(Exception):
    """Nobody changes their own role, or takes away their own access: a slip would lock them out."""


@transaction.atomic
def create_staff(*, email: str, role: Role, name: str = "", by: Staff | None) -> Staff:
    """Create staff, who cannot sign in until they have chosen a password; at first they read what ``by`` reads.

    Raises IntegrityError for a known address.
    """
    read = {"language": by.language} if by else {}
    staff = Staff.objects.create_user(email, None, name=name, role=role, **read)
    audit.record(by=by, verb="create", subject=staff, after={"email": staff.email, "role": role})
    return staff


@transaction.atomic
def change_staff(*, staff: Staff, changes: Mapping[str, Any], by: Staff | None) -> Staff:
    """Apply ``changes`` of ``CHANGEABLE`` fields.

    Raises LastAdminError rather than leave nobody in charge, and OwnAccountError where ``by`` would change what they
    may do themselves.
    """
    admins = list(Staff.objects.select_for_update(of=("self",)).filter(role=Role.ADMIN, is_active=True).order_by("pk"))
    stored = Staff.objects.select_for_update(of=("self",)).get(pk=staff.pk)
    before, values = audit.apply(stored, {name: changes[name] for name in CHANGEABLE if name in changes})
    if not values:
        return stored
    if admins == [stored] and not (stored.is_active and stored.role == Role.ADMIN):
        raise LastAdminError(stored)
    if by == stored and values.keys() & {"role", "is_active"}:
        raise OwnAccountError
    stored.save(update_fields=list(values))
    audit.record(by=by, verb="change", subject=stored, before=before, after=values)
    return stored


@transaction.atomic
def set_password(*, staff: Staff, password: str | None, by: Staff | None) -> None:
    """Set a password, and end every session; None: they cannot sign in any more with one."""
    staff.set_password(password)
    staff.save(update_fields=["password"])
    StaffSession.objects.filter(staff=staff).delete()
    audit.record(by=by, verb="set password", subject=staff)


def end_tour(*, staff: Staff, now: datetime) -> None:
    """Remember that the staff member has seen the tour, or left it, so that it is not offered again."""
    Staff.objects.filter(pk=staff.pk).update(tour_ended_at=now)


def remember_preferences(*, staff: Staff, language: str | None = None, theme: str | None = None) -> None:
    """Store the preferences that are given; the caller has checked that the values are among those on offer."""
    wanted = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    if wanted:
        Staff.objects.filter(pk=staff.pk).update(**wanted)
