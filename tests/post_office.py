"""A real SMTP server for tests: it takes mail, or answers as it is told."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Office:
    """A post office that takes all, or answers as it is told."""

    port = 0

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], bytes]] = []
        self.at_rcpt, self.at_data, self.hangs_up = "", "250 OK", ""

    async def handle_RCPT(  # noqa: N802 - as the library calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hangs_up == "before":
            server.transport.abort()
        if not self.at_rcpt:
            envelope.rcpt_tos.append(address)
        return self.at_rcpt or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hangs_up == "after":
            server.transport.abort()
        if self.hangs_up == "never":
            await asyncio.sleep(3)
        if self.at_data.startswith("250"):
            self.got.append((envelope.mail_from or "", list(envelope.rcpt_tos), bytes(envelope.content or b"")))
        return self.at_data

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=default) for _sender, _to, content in self.got]


@contextmanager
def post_office(office: Office | None = None) -> Iterator[Office]:
    """A post office that is open."""
    own = office or Office()
    controller = Controller(own, hostname="127.0.0.1", port=free_port())
    controller.start()
    own.port = controller.port
    try:
        yield own
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
