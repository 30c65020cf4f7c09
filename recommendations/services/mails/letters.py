"""A mail as it leaves: HTML with its styles inlined, the same as text, and bytes with their headers."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache

from css_inline import CSSInliner
from django.conf import settings
from django.template.loader import get_template
from django.utils import translation

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
ENCODED = re.compile(r"=\?(?=[^?]*\?[bq]\?)", re.IGNORECASE)
"""What every reader of headers takes for the beginning of an encoded word (RFC 2047), and would decode."""
NOTHING = "\u200b"  # is not seen
LONGEST_NAME = 200  # of a sender: a word without blanks is folded nowhere
JOINER = "\u200d"  # of emoji, which are one picture by it


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a mail says; the text is complete without the HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What stands around a letter: from whom, to whom, and further headers."""

    message_id: str
    sender: str
    sender_name: str
    to: str = field(repr=False)
    date: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


def written(template: str, mail: object, *, subject: str, language: str, text: str = "") -> Letter:
    """The letter of ``push/<template>.html`` and ``.txt``, or of another ``text``; ``mail`` has all that is said."""
    with translation.override(language):
        plain = get_template(f"push/{text or template}.txt").render({"mail": mail})
        return Letter(
            subject=subject,
            text=plain[:],  # a str again: what was rendered counts as safe in HTML, which a plain text is not
            html=_inliner().inline(get_template(f"push/{template}.html").render({"mail": mail})),
        )


def own_domain() -> str:
    """Domain of the shop's sender."""
    return str(settings.PUSH_FROM.rpartition("@")[2])


def message_id(key: str, unique: str) -> str:
    return f"<{key}.{unique}@{own_domain()}>"


def shop_envelope(
    key: str, *, to: str, date: datetime, headers: Mapping[str, str] | None = None, unique: str = ""
) -> Envelope:
    """An envelope from the shop, which no machine answers (RFC 3834); ``key`` begins the id of the mail.

    ``unique`` makes it one of its kind; by default at random.
    """
    return Envelope(
        message_id=message_id(key, unique or secrets.token_hex(8)),
        sender=settings.PUSH_FROM,
        sender_name=settings.SHOP_NAME,
        to=to,
        date=date,
        headers={"Auto-Submitted": "auto-generated", **(headers or {})},
    )


def bytes_of(letter: Letter, envelope: Envelope) -> bytes:
    """The whole mail, text first (RFC 2046): what somebody typed cannot end a header."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one_line(letter.subject)
    message["From"] = _mailbox(envelope.sender, envelope.sender_name)
    message["To"] = _mailbox(envelope.to)
    message["Date"] = format_datetime(envelope.date)
    message["Message-ID"] = envelope.message_id
    for name, value in envelope.headers.items():
        message[name] = value
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message.as_bytes()


def one_line(text: str) -> str:
    """A text without what would break a header, turn its direction, or be decoded there."""
    plain = CONTROLS.sub(" ", text)
    seen = "".join(each for each in plain if unicodedata.category(each) != "Cf" or each == JOINER).strip()
    return ENCODED.sub(f"={NOTHING}?", seen)


def _mailbox(address: str, name: str = "") -> MailAddress:
    user, _at, domain = address.rpartition("@")
    return MailAddress(one_line(name)[:LONGEST_NAME], user, domain)


@cache
def _inliner() -> CSSInliner:
    return CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
