"""E-mail by SMTP (RFC 5321): at most once, and after DATA honest about what is not known."""

import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from recommendations.channels.protocol import Gone, Later, Outcome, Parcel, Refused, Taken, Unknown

GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""Enhanced codes (RFC 3463) that say that there is no such address."""
NO_SUCH_ADDRESS = frozenset({550, 551, 553})
OF_SERVER = ("4.3.", "4.4.")
"""Enhanced codes of a server that takes mail of nobody now, as its disk is full or its own line is broken."""
CLOSING = 421  # the server closes the line, mostly as it was asked too much
LONGEST_REASON = 200
LONGEST_ANSWER = 64 * 1024  # bytes, of all its lines
ANSWERED_WITHIN = 30.0  # seconds, from its first byte to its last: before the lease of the message is over


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over; ``tls`` is asked for before anything secret is said, ``ssl`` from the first byte."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    timeout: float = 10.0


class Smtp:
    """A line to the server, opened at the first parcel and again when it broke."""

    repeats_safely = False

    def __init__(self, server: SmtpServer, *, sender: Callable[[Parcel], str]) -> None:
        """``sender`` gives the return path of a parcel, by which bounces are told apart."""
        self._server, self._sender = server, sender
        self._line: smtplib.SMTP | None = None

    def hand_over(self, parcel: Parcel) -> Outcome:
        if not parcel.address["email"].isascii():
            return Refused("the address has letters that this line cannot carry")
        try:
            line = self._open()
            refusal = self._envelope(line, parcel)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Later(_words(error), of_line=True)
        if refusal is not None:
            return refusal
        try:
            code, answer = line.data(parcel.content)
        except smtplib.SMTPDataError as error:  # refused at DATA, before the first line of the mail
            return self._refusal(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Unknown(_words(error))
        return Taken(_text(answer)) if code == 250 else self._refusal(code, answer)

    def close(self) -> None:
        if self._line is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._line.quit()
        self._line = None

    def _open(self) -> smtplib.SMTP:
        if self._line is None:
            own = self._server
            context = ssl.create_default_context() if own.use_ssl or own.use_tls else None
            if own.use_ssl:
                line: smtplib.SMTP = _SslLine(own.host, own.port, timeout=own.timeout, context=context)
            else:
                line = _PlainLine(own.host, own.port, timeout=own.timeout)
            self._line = line
            line.ehlo_or_helo_if_needed()
            if own.use_tls:
                line.starttls(context=context)
                line.ehlo()
            if own.username:
                line.login(own.username, own.password)
        return self._line

    def _envelope(self, line: smtplib.SMTP, parcel: Parcel) -> Outcome | None:
        """Sender and recipient; what speaks against them."""
        code, answer = line.mail(self._sender(parcel))
        if code != 250:
            return self._refusal(code, answer, of_line=True)
        code, answer = line.rcpt(parcel.address["email"])
        return None if code in {250, 251} else self._refusal(code, answer)

    def _refusal(self, code: int, answer: bytes | str, *, of_line: bool = False) -> Outcome:
        if code == CLOSING:
            self._drop()
        elif self._line is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._line.rset()
        text = _text(answer)
        if code < 500:
            of_line = of_line or code == CLOSING or text.startswith(OF_SERVER)
            return Later(f"{code} {text}", of_line=of_line, too_fast=code == CLOSING)
        is_gone = text.partition(" ")[0] in GONE if text[:2] == "5." else code in NO_SUCH_ADDRESS
        return Gone(f"{code} {text}") if is_gone else Refused(f"{code} {text}")

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


class _PlainLine(smtplib.SMTP):
    """A line whose server comes to an end of what it says; smtplib reads on for as long as an answer has lines."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock)
        if isinstance(self.file, _Answers):
            self.file.begin()
        return super().getreply()


class _SslLine(_PlainLine, smtplib.SMTP_SSL):
    """Such a line, behind TLS from its first byte on."""


class _Answers:
    """Lines of a server. An answer that is too long, or too slow, is a broken line: OSError."""

    def __init__(self, sock: socket.socket) -> None:
        self._file = sock.makefile("rb")
        self._left, self._until = 0, 0.0

    def begin(self) -> None:
        """Begin to read an answer."""
        self._left, self._until = LONGEST_ANSWER, time.monotonic() + ANSWERED_WITHIN

    def readline(self, size: int) -> bytes:
        line = b""
        while not line.endswith(b"\n") and len(line) < size:
            waiting = self._file.peek(1)  # what came at once
            part = self._file.read(min(waiting.find(b"\n") + 1 or len(waiting), size - len(line)))
            self._left -= len(part)
            if self._left < 0 or time.monotonic() > self._until:
                raise OSError("the answer has no end")
            line += part
            if not part:
                break
        return line

    def close(self) -> None:
        self._file.close()


def _text(answer: bytes | str) -> str:
    """What the server said, on one line and without addresses: it goes into the record."""
    text = answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
    return " ".join("…" if "@" in word else word for word in text.split())[:LONGEST_REASON]


def _words(error: Exception) -> str:
    """What went wrong, without what the server said of somebody."""
    return type(error).__name__
