"""The line on which mails to customers leave, and what the installation lacks for it."""

from importlib import import_module

from django.conf import settings

from recommendations.channels.protocol import Line, Parcel
from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.services.mails.providers import backend_of, note_of
from recommendations.services.mails.returns import ReturnedTo, key_of, return_path


def missing_settings() -> list[str]:
    """Names of the settings without which nobody can be written to."""
    have = {
        "CONTACT_KEYS": settings.CONTACT_KEYS,
        "CONTACT_HASH_KEY": settings.CONTACT_HASH_KEY,
        "LINK_KEYS": settings.LINK_KEYS,
        "PUSH_EMAIL_URL": settings.PUSH_MAIL_SERVER,
        "PUSH_FROM": settings.PUSH_FROM,
        "POSTAL_ADDRESS": settings.POSTAL_ADDRESS,
    }
    return [name for name, value in have.items() if not value]


def mail_line() -> Line:
    """A line to the server or the service of ``PUSH_EMAIL_URL``, opened at the first mail; the caller closes it."""
    server = settings.PUSH_MAIL_SERVER
    if "provider" in server:
        esp = import_module("recommendations.channels.esp")  # it needs the extra “esp”
        line: Line = esp.Esp(backend_of(server["provider"], server["options"]), note=note_of)
        return line
    return Smtp(SmtpServer(**settings.PUSH_MAIL_SERVER), sender=_return_path)


def _return_path(parcel: Parcel) -> str:
    return return_path(ReturnedTo(parcel.idempotency_key == key_of(parcel.message), parcel.message))
