"""Mails as the demo's post office takes them, and one as a customer gets it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from aiosmtpd.smtp import Envelope

from demo.browsers import browser_of
from recommendations.channels.sealing import bytes_of_base64url, seal
from recommendations.services.mails.service import ServiceMail, parcel_of
from recsite.post.mails import PostOffice
from recsite.post.shelf import Shelf
from tests.push_browsers import TestBrowser

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8002"


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


def put_push(folder: Path, *, customer: int | None, minutes: int = 0, **told: str) -> str:
    """Take in a notification for the invented browser of a customer, or for a browser of the shop; its key."""
    stranger = TestBrowser("stranger")
    keys = (
        browser_of(customer, push_service=ORIGIN)
        if customer is not None
        else {"endpoint": f"{ORIGIN}/push/abc", **stranger.keys}
    )
    bare = {name: bytes_of_base64url(keys[name]) for name in ("p256dh", "auth")}
    name = keys["endpoint"].rpartition("/")[2]
    fields = {
        "browser": name, "endpoint": keys["endpoint"], "ttl": 60, "topic": "", "at": NOW.isoformat(),
        "body": base64.b64encode(seal(json.dumps(told).encode(), **bare)).decode(),
        "headers": {"ttl": "60", "urgency": "low", "authorization": "vapid t=eyJ0…"},
    }  # fmt: skip
    return Shelf(folder / "pushes", most=100).keep(fields, now=NOW + timedelta(minutes=minutes))


def put_hook(folder: Path, body: object, *, minutes: int = 0) -> str:
    """Take a webhook in; its key."""
    fields = {
        "id": "m1", "at": NOW.isoformat(), "headers": {"webhook-id": "m1", "webhook-signature": "v1,abc"},
        "body": body if isinstance(body, str) else json.dumps(body),
    }  # fmt: skip
    return Shelf(folder / "hooks", most=100).keep(fields, now=NOW + timedelta(minutes=minutes))


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
