"""Invitations of new staff by e-mail, with a link that lets them choose their own password."""

from collections.abc import Callable
from functools import partial

from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from recommendations.models import Staff
from recommendations.services.access import audit
from recommendations.services.access.staff import create_staff
from recommendations.terms import Role

type AddressOf = Callable[[str, str], str]
"""Makes the whole address of the page that sets a password from the two parts of a link, who and token."""


class AlreadyInError(Exception):
    """The member of staff has a password already, or has left, and is not invited."""

    def __init__(self, staff: Staff) -> None:
        super().__init__(f"{staff} needs no invitation")
        self.staff = staff


@transaction.atomic
def invite(*, email: str, role: Role, name: str = "", by: Staff, address_of: AddressOf) -> Staff:
    """Create a member of staff, and send the e-mail after the commit. Raises IntegrityError for a known address."""
    member = create_staff(email=email, password=None, role=role, name=name, by=by)
    send_again(staff=member, by=by, address_of=address_of)
    return member


@transaction.atomic
def send_again(*, staff: Staff, by: Staff, address_of: AddressOf) -> None:
    """Send a new e-mail with a new link; the older ones work until a password is set. Raises AlreadyInError."""
    if staff.has_usable_password() or not staff.is_active:
        raise AlreadyInError(staff)
    audit.record(by=by, verb="invite", subject=staff)
    link = address_of(urlsafe_base64_encode(force_bytes(staff.pk)), default_token_generator.make_token(staff))
    with translation.override(staff.language):
        context = {"staff": staff, "by": by, "link": link}
        subject = render_to_string("email/invitation_subject.txt", context).strip()
        body = render_to_string("email/invitation.txt", context)
    transaction.on_commit(partial(send_mail, subject, body, None, [staff.email]))
