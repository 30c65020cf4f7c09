"""``python -m recsite.post --folder DIR --port N``: the demo's post office. Mails become files; none goes further.

It listens on this machine only, takes what it is sent, and writes a mail whole before it says that it has it. What is
larger than ``MOST_BYTES`` is refused by its size (RFC 1870); of more than ``MOST_MAILS`` the oldest go.
"""

import argparse
import asyncio
import hashlib
import logging
import re
import signal
import sys
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from recsite.processes import keep_private

HOST = "127.0.0.1"
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


async def serve(folder: Path, *, port: int) -> None:
    """Take mails until a signal ends it."""
    office, loop, ended = PostOffice(folder), asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    def protocol() -> SMTP:
        return SMTP(office, data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, hostname="localhost", loop=loop)

    server = await loop.create_server(protocol, HOST, port)
    await ended.wait()
    server.close()


def mute() -> None:
    """Silence the library, which logs recipients, and asyncio, which shows what was sent with an error."""
    for name in ("mail.log", "asyncio"):
        logging.getLogger(name).disabled = True


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m recsite.post", description="Take mails, and write them down.")
    parser.add_argument("--folder", type=Path, required=True, help="where each mail becomes a file")
    parser.add_argument("--port", type=int, required=True, help="of this machine; nobody else can reach it")
    options = parser.parse_args(argv)
    keep_private()
    mute()
    asyncio.run(serve(options.folder, port=options.port))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
