"""A server that never stops talking: memory stays flat, the outcome is honest, and the next message goes on."""

import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from recommendations.channels import smtp
from recommendations.channels.protocol import Later, Outcome, Refused, Taken, Unknown
from recommendations.channels.smtp import Smtp, SmtpServer
from tests.channels.esp_server import MailService, mail_service
from tests.channels.test_esp import PARCEL as LETTER
from tests.channels.test_esp import line_to
from tests.channels.test_smtp import PARCEL

SIZE, MOST = 10_000_000, 1_000_000  # bytes that are said, and that may be held at once
FLOODS = {"lines": b"250-" + b"x" * 94 + b"\r\n", "one line": b"x" * 100}
TIMES = SIZE // 100


class Talker:
    """An SMTP server that answers one step with a flood, or a byte at a time."""

    port = 0

    def __init__(self) -> None:
        self.step, self.flood = "", b""
        self.drips = False

    def answer(self, line: socket.socket, step: str, text: bytes) -> None:
        if step != self.step:
            line.sendall(text)
            return
        if self.drips:
            for place in range(200):
                line.sendall(b"2" if place == 0 else b"5")
                threading.Event().wait(0.02)
            return
        for _ in range(TIMES // 100):
            line.sendall(self.flood)

    def serve(self, line: socket.socket) -> None:
        with suppress(OSError), line, line.makefile("rb") as said:
            self.answer(line, "GREETING", b"220 hello\r\n")
            while word := said.readline().upper():
                step = word[:4].decode().strip()
                self.answer(line, step, b"354 go on\r\n" if step == "DATA" else b"250 ok\r\n")
                if step == "DATA":
                    while said.readline() not in {b".\r\n", b""}:
                        pass
                    self.answer(line, "END", b"250 2.0.0 taken\r\n")


@contextmanager
def talker() -> Iterator[Talker]:
    own, door = Talker(), socket.create_server(("127.0.0.1", 0))
    own.port = door.getsockname()[1]

    def listen() -> None:
        with suppress(OSError):
            while True:
                line, _ = door.accept()
                threading.Thread(target=own.serve, args=[line], daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    yield own
    door.shutdown(socket.SHUT_RDWR)
    door.close()


@contextmanager
def flat() -> Iterator[None]:
    """Hold the block to so much more memory than before."""
    tracemalloc.start(1)
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < MOST


def line_of(server: Talker) -> Smtp:
    own = SmtpServer(host="127.0.0.1", port=server.port, timeout=2)
    return Smtp(own, sender=lambda parcel: "b1@shop.example")


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize(
    ("step", "kind"),
    [("GREETING", Later), ("EHLO", Later), ("MAIL", Later), ("RCPT", Later), ("DATA", Unknown), ("END", Unknown)],
)
def test_ten_megabytes_of_a_mail_server_are_a_broken_line(step: str, kind: type[Outcome], flood: str) -> None:
    with talker() as server:
        line, server.step, server.flood = line_of(server), step, FLOODS[flood] * 100
        with flat():
            outcome = line.hand_over(PARCEL)
        assert isinstance(outcome, kind)
        assert not isinstance(outcome, Later) or outcome.of_line
        server.step = ""
        assert line.hand_over(PARCEL) == Taken("2.0.0 taken")
        line.close()


def test_an_answer_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "ANSWERED_WITHIN", 0.2)
    with talker() as server:
        line, server.step, server.drips = line_of(server), "END", True
        assert isinstance(line.hand_over(PARCEL), Unknown)
        server.step = ""
        assert isinstance(line.hand_over(PARCEL), Taken)
        line.close()


def test_an_answer_of_many_lines_is_read_to_its_end() -> None:
    with talker() as server:
        line, server.step = line_of(server), "EHLO"
        server.flood = b""
        server.answer = lambda line, step, text: line.sendall(  # type: ignore[method-assign]
            b"".join(b"250-X-%d\r\n" % number for number in range(500)) + b"250 ok\r\n" if step == "EHLO" else text
        )
        assert isinstance(line.hand_over(PARCEL), Taken)
        line.close()


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Unknown("HTTP 200")), (422, Refused("HTTP 422")), (503, Later("HTTP 503", of_line=True)),
     (500, Unknown("HTTP 500"))],
)  # fmt: skip
def test_ten_megabytes_of_a_service_are_cut_off_and_its_status_counts(status: int, expected: Outcome) -> None:
    with mail_service() as service:
        service.status, service.answer, service.more = status, '{"Message": "', SIZE
        line = line_to(service.port)
        with flat():
            outcome = line.hand_over(LETTER)
        assert outcome == expected
        service.status, service.answer, service.more = 200, MailService().answer, 0
        assert line.hand_over(LETTER) == Taken("id-1")
        line.close()
