"""Invitations of new staff by e-mail, with a link that lets them choose their own password."""

from django.db import transaction

from recommendations.models import Staff
from recommendations.services.access import audit, passwords
from recommendations.services.access.staff import OwnAccountError, create_staff, set_password
from recommendations.terms import Role


class AlreadyInError(Exception):
    """The member of staff has a password already, or has left, and is not invited."""

    def __init__(self, staff: Staff) -> None:
        super().__init__(f"{staff} needs no invitation")
        self.staff = staff


@transaction.atomic
def invite(*, email: str, role: Role, name: str = "", by: Staff) -> Staff:
    """Create a member of staff, and send the e-mail after the commit. Raises IntegrityError for a known address."""
    member = create_staff(email=email, role=role, name=name, by=by)
    send_again(staff=member, by=by)
    return member


def link_to_hand_over(staff: Staff) -> str:
    """The link of an invitation, to be handed over by whoever invited, while no e-mail goes out; "" else.

    It works for three days, and until a password is set; who has one, or has left, needs none.
    """
    if passwords.mail_goes_out() or staff.has_usable_password() or not staff.is_active:
        return ""
    return passwords.password_link(staff)


@transaction.atomic
def send_again(*, staff: Staff, by: Staff) -> None:
    """Send a new e-mail with a new link; the older ones work until a password is set. Raises AlreadyInError."""
    if staff.has_usable_password() or not staff.is_active:
        raise AlreadyInError(staff)
    audit.record(by=by, verb="invite", subject=staff)
    passwords.send(staff, "invitation", {"staff": staff, "by": by, "link": passwords.password_link(staff)})


@transaction.atomic
def reset_password(*, staff: Staff, by: Staff) -> None:
    """Take a password away, end every session, and send a link to choose a new one.

    Raises AlreadyInError for who has left, and OwnAccountError for one's own.
    """
    if by == staff:
        raise OwnAccountError
    set_password(staff=staff, password=None, by=by)
    send_again(staff=staff, by=by)
