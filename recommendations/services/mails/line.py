"""The line on which mails to customers leave, and what the installation lacks for it."""

from collections.abc import Mapping
from importlib import import_module

from django.conf import settings

from recommendations.channels.protocol import Line, Parcel
from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.push_terms import Channel
from recommendations.services.mails.providers import backend_of, note_of
from recommendations.services.mails.returns import ReturnedTo, key_of, return_path

OF_ALL = ("CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS")
OF_CHANNEL: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("PUSH_EMAIL_URL", "PUSH_FROM", "POSTAL_ADDRESS"), Channel.WEB_PUSH: ("VAPID_KEY",),
    Channel.WEBHOOK: (),
}  # fmt: skip
CALLED = {"PUSH_EMAIL_URL": "PUSH_MAIL_SERVER"}
"""Settings that the code calls otherwise than the environment."""


def missing_settings(*channels: Channel) -> list[str]:
    """Names of the settings without which nobody can be written to on these channels, by default by e-mail."""
    names = [*OF_ALL, *(name for channel in channels or (Channel.EMAIL,) for name in OF_CHANNEL[channel])]
    return [name for name in names if not getattr(settings, CALLED.get(name, name))]


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
