"""Mails about an address itself, which are no advertising: to confirm it, to see what is kept of its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from recommendations.channels.protocol import Parcel
from recommendations.services.mails.letters import bytes_of, shop_envelope, written


@dataclass(frozen=True, kw_only=True)
class ServiceMail:
    """What such a mail says, in the language of its reader; it leads to one page."""

    language: str
    subject: str
    preheader: str
    intro: str
    button: str
    link: str
    why: str

    @property
    def heading(self) -> str:
        return self.subject

    @property
    def shop(self) -> str:
        return settings.SHOP_NAME

    @property
    def postal_address(self) -> str:
        return settings.POSTAL_ADDRESS


def parcel_of(mail: ServiceMail, *, address: int, opened: Mapping[str, str], key: str, now: datetime) -> Parcel:
    """The mail to an address (by key, and opened); ``key`` says which mail to it this is."""
    envelope = shop_envelope(key, to=opened["email"], date=now)
    letter = written("service", mail, subject=mail.subject, language=mail.language)
    return Parcel(message=address, idempotency_key=key, address=opened, content=bytes_of(letter, envelope))
