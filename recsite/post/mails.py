"""Mails that become files. A mail is written whole before it is said to be taken.

What is larger than ``MOST_BYTES`` is refused by its size (RFC 1870); of more than ``MOST_MAILS`` the oldest go.
"""

import hashlib
import re
from collections import deque
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MOST_BYTES = 10_000_000
MOST_MAILS = 5_000
_NAME = re.compile(r"\d{20}-[0-9a-f]{16}\.eml")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class PostOffice:
    """The folder of the mails, which nobody else writes to."""

    def __init__(self, folder: Path, *, most: int = MOST_MAILS) -> None:
        self._folder, self._most = folder, most
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in folder.glob("*.part"):  # of a run that was killed
            part.unlink()
        self._names = deque(sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)))
        self._tidy()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Write the mail; the library calls it so, and answers the sender with what it says."""
        try:
            name = self.keep(envelope, now=datetime.now(UTC))
        except OSError:  # the disk is full
            return "452 Insufficient system storage"
        return f"250 OK {name}"

    def keep(self, envelope: Envelope, *, now: datetime) -> str:
        """Write a mail as its recipient's server would, with what the envelope says on top; the name of the file."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        lines = [f"Return-Path: <{_plain(envelope.mail_from or '')}>"]
        lines += [f"Delivered-To: {_plain(address)}" for address in envelope.rcpt_tos]
        name = name_of(content, now=now)
        part = self._folder / f"{name}.part"
        part.write_bytes("".join(f"{line}\r\n" for line in lines).encode() + content)
        part.rename(self._folder / name)
        self._names.append(name)
        self._tidy()
        return name

    def _tidy(self) -> None:
        while len(self._names) > self._most:
            (self._folder / self._names.popleft()).unlink(missing_ok=True)


def name_of(content: bytes, *, now: datetime) -> str:
    """Name of a mail's file: when it came, to the microsecond, and a hash of its Message-ID, else of all of it.

    Names stand in the order of time, and have nothing of what a sender wrote.
    """
    message_id = BytesHeaderParser().parsebytes(content).get("Message-ID")
    key = str(message_id).strip().encode(errors="replace") if message_id else content
    return f"{now:%Y%m%d%H%M%S%f}-{hashlib.sha256(key).hexdigest()[:16]}.eml"


def _plain(address: str) -> str:
    """An address that cannot end its line, nor fail to be written."""
    return _CONTROLS.sub("?", address).encode(errors="replace").decode()
