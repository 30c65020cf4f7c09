"""Reports that mail servers send back: a mail could not be delivered (RFC 3464), or somebody complained (RFC 5965).

Anybody may write to the address where they come in, so nothing counts that does not name a mail by a signature of ours.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message as Mail
from email.parser import HeaderParser
from enum import StrEnum

from recommendations.channels.smtp import GONE, NO_SUCH_ADDRESS
from recommendations.services.mails.returns import ReturnedTo, looks_like_id, message_of_id, path_in, returned_to

MOST_BYTES = 1_000_000
HARD = GONE | {"5.1.0", "5.2.1"}  # enhanced codes (RFC 3463) of mailboxes that do not exist, or no longer
UNSAID = frozenset({"", "5.0.0"})  # the server's own code says it then
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out"})
DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_CODE = re.compile(r"\b(\d{3})(?:[ -]+#?(\d\.\d{1,3}\.\d{1,3}))?")


class ReportRefusedError(Exception):
    """It is no report, or it is not ours; the text says why, and names nobody."""


class ReportKind(StrEnum):
    HARD = "hard"  # there is no such address
    SOFT = "soft"  # not this time
    COMPLAINT = "complaint"
    NOTHING = "nothing"  # it is late, it arrived, or it is no complaint


@dataclass(frozen=True, kw_only=True)
class Report:
    kind: ReportKind
    about: ReturnedTo


def report_of(content: bytes, *, recipient: str = "") -> Report:
    """The report that a mail is; ``recipient`` is where it was sent, if the mail server says so.

    Raises ReportRefusedError.
    """
    if len(content) > MOST_BYTES:
        raise ReportRefusedError(f"it is larger than {MOST_BYTES:,} bytes")
    try:
        mail = message_from_bytes(content)
        parts = _parts(mail)
        kind, fields = _kind(parts)
        return Report(kind=kind, about=_about(mail, parts, fields, recipient=recipient))
    except (RecursionError, UnicodeError, LookupError) as error:
        raise ReportRefusedError("it cannot be taken apart") from error


def _parts(mail: Mail) -> Mapping[str, Mail]:
    """The parts of a report by their types; those of the mail that it is about are not among them."""
    parts = mail.get_payload()
    if mail.get_content_type() != "multipart/report" or not isinstance(parts, list):
        raise ReportRefusedError("it is no report of a mail server (multipart/report)")
    return {part.get_content_type(): part for part in reversed(parts) if isinstance(part, Mail)}


def _kind(parts: Mapping[str, Mail]) -> tuple[ReportKind, list[Mail]]:
    """What a report says, and its groups of fields."""
    if "message/feedback-report" in parts:
        groups = _groups(parts["message/feedback-report"])
        kinds = {_field(group, "Feedback-Type").lower() for group in groups} - {""}
        if not kinds:
            raise ReportRefusedError("its Feedback-Type is missing")
        return (ReportKind.COMPLAINT if kinds & COMPLAINTS else ReportKind.NOTHING), groups
    if "message/delivery-status" in parts:
        groups = _groups(parts["message/delivery-status"])
        kinds_of_all = [_of_delivery(group) for group in groups if _field(group, "Action")]
        if not kinds_of_all:
            raise ReportRefusedError("no Action is in its delivery status")
        return min(kinds_of_all, key=list(ReportKind).index), groups
    raise ReportRefusedError("it has neither a delivery status nor a complaint")


def _of_delivery(group: Mail) -> ReportKind:
    if _field(group, "Action").lower() != "failed":
        return ReportKind.NOTHING
    status = _field(group, "Status").split(" ")[0]
    if status in UNSAID:
        said = _CODE.search(_field(group, "Diagnostic-Code").partition(";")[2])
        status = (said[2] or "") if said else ""
        if said and not status:
            return ReportKind.HARD if int(said[1]) in NO_SUCH_ADDRESS else ReportKind.SOFT
    return ReportKind.HARD if status in HARD else ReportKind.SOFT


def _about(mail: Mail, parts: Mapping[str, Mail], fields: list[Mail], *, recipient: str) -> ReturnedTo:
    """The mail that it is about, by its return path or its Message-ID."""
    original = list(_originals(parts))
    places = [recipient, *(_field(mail, name) for name in DELIVERED_TO)]
    places += [_field(group, "Original-Mail-From") for group in fields]
    places += [_field(head, "Return-Path") for head in original]
    paths = [path for place in places if (path := path_in(place))]
    ids = [text for head in original if looks_like_id(text := _field(head, "Message-ID"))]
    for path in paths:
        if to := returned_to(path):
            return to
    for text in ids:
        if (message := message_of_id(text)) is not None:
            return ReturnedTo(is_message=True, key=message)
    if paths or ids:
        raise ReportRefusedError("it names a mail, but not by a signature of this installation")
    raise ReportRefusedError("it names no mail of this installation")


def _originals(parts: Mapping[str, Mail]) -> Iterator[Mail]:
    """Heads of the mail that a report is about."""
    for kind in ("message/rfc822", "message/global"):
        if kind in parts:
            yield from _groups(parts[kind])
    if "text/rfc822-headers" in parts:
        text = parts["text/rfc822-headers"].get_payload(decode=True)
        if isinstance(text, bytes):
            yield HeaderParser().parsestr(text.decode("ascii", "replace"))


def _groups(part: Mail) -> list[Mail]:
    content = part.get_payload()
    return [group for group in content if isinstance(group, Mail)] if isinstance(content, list) else []


def _field(mail: Mail, name: str) -> str:
    """A header on one line; "" where there is none."""
    return " ".join(str(mail.get(name, "")).split())
