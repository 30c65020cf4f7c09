"""Mails as the demo's post office takes them, and one as a customer gets it."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from aiosmtpd.smtp import Envelope

from recommendations.services.mails.service import ServiceMail, parcel_of
from recsite.post import PostOffice

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def mail(subject: str = "Hello", *, html: str = "", text: str = "As text", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = "push@shop.example"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def put(folder: Path, content: bytes, *, to: str = "customer-C-7K4F@shop.example", minutes: int = 0) -> str:
    """Take a mail in; its key."""
    envelope = Envelope()
    envelope.content, envelope.mail_from, envelope.rcpt_tos = content, "push@shop.example", [to]
    return PostOffice(folder).keep(envelope, now=NOW + timedelta(minutes=minutes)).removesuffix(".eml")


def confirmation(*, to: str, link: str) -> bytes:
    """A mail that asks to confirm an address."""
    asks = ServiceMail(
        language="en",
        subject="Please confirm your address",
        preheader="It takes one click.",
        intro=f"Please confirm that we may write to {to}.",
        button="Confirm my address",
        link=link,
        why="You get this because your address was entered.",
    )
    return parcel_of(asks, address=1, opened={"email": to}, key="confirm-1", now=NOW).content
