"""Links that set a password, by e-mail: for who has forgotten theirs, and for who is invited.

They lead to the configured address, never to the host that a request names.
"""

import threading
from functools import partial

import structlog
from celery import current_app
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from kombu.exceptions import OperationalError

from recommendations.models import Staff

TASK = "recommendations.tasks.send_password_link"
KEPT_HERE = {
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.filebased.EmailBackend",
}
"""Backends that leave e-mails on this machine."""
log = structlog.get_logger(__name__)


def password_link(staff: Staff) -> str:
    """Address of the page on which the staff member sets a password; it works once, for three days."""
    parts = [urlsafe_base64_encode(force_bytes(staff.pk)), default_token_generator.make_token(staff)]
    return settings.PUBLIC_URL + reverse("password_reset_confirm", args=parts)


def mail_goes_out() -> bool:
    """Whether e-mail reaches anybody: not where it is written to a folder or to the terminal, as in the demo."""
    return settings.MAILERS["default"]["BACKEND"] not in KEPT_HERE


def ask_for_link(address: str) -> None:
    """Leave it to a worker whether anybody has this address: the answer takes as long for those whom nobody knows."""
    try:
        current_app.send_task(TASK, args=[address], queue="default", expires=60 * 60)
    except OperationalError as error:
        log.warning("password link sent by the web process", error=type(error).__name__)
        threading.Thread(target=_send_beside, args=[address], daemon=True, name="password-link").start()


def send_link(address: str) -> None:
    """Send an e-mail with a link to the active staff member of this address who has a password."""
    staff = Staff.objects.filter(email__iexact=address, is_active=True).first()
    if staff is not None and staff.has_usable_password():
        send(staff, "password", {"link": password_link(staff)})


def send(staff: Staff, template: str, context: dict[str, object]) -> None:
    """Send an e-mail in the staff member's language after the commit."""
    with translation.override(staff.language):
        subject = render_to_string(f"email/{template}_subject.txt", context).strip()
        body = render_to_string(f"email/{template}.txt", context)
    transaction.on_commit(partial(send_mail, subject, body, None, [staff.email]))


def _send_beside(address: str) -> None:
    """Send the link in a thread of its own, with a connection of its own, while no worker can be reached."""
    try:
        send_link(address)
    finally:
        connection.close()
