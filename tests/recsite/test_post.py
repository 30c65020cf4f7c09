"""The demo's post office, spoken to by real SMTP: each mail is a file, none is lost or half, and nothing is logged."""

import hashlib
import os
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from recsite.post.mails import MOST_BYTES, PostOffice, name_of
from tests.post_office import free_port
from tests.recsite.processes import wait_for
from tests.recsite.test_supervisor import alive

MAIL = b"Message-ID: <one@shop.example>\r\nSubject: Hello\r\nTo: you@shop.example\r\n\r\n.dots\r\nand \xff\r\n"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A folder and a port; what the process printed must be nothing, whatever was sent."""
    folder, port, output = tmp_path / "post", free_port(), tmp_path / "output"
    with output.open("wb") as file:
        argv = [sys.executable, "-m", "recsite.post", "--folder", str(folder), "--port", str(port)]
        process = subprocess.Popen(argv, stdout=file, stderr=subprocess.STDOUT)
    try:
        assert wait_for(lambda: answers(port), seconds=20)
        yield folder, port
        process.terminate()
        assert process.wait(10) == 0
        assert output.read_bytes() == b""
    finally:
        process.kill()
        process.wait()


def mails(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def send(port: int, content: bytes = MAIL, *, to: str = "you@shop.example") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:
        assert line.sendmail("push@shop.example", [to], content) == {}


def test_a_mail_becomes_a_private_file(office: tuple[Path, int]) -> None:
    folder, port = office
    send(port)
    [path] = folder.iterdir()
    assert path.read_bytes() == b"Return-Path: <push@shop.example>\r\nDelivered-To: you@shop.example\r\n" + MAIL
    assert path.name[20:] == name_of(MAIL, now=NOW)[20:]
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_names_stand_in_the_order_of_time_and_carry_the_message_id() -> None:
    first, again = name_of(MAIL, now=NOW), name_of(MAIL, now=NOW + timedelta(microseconds=1))
    assert first == f"20261128120000000000-{hashlib.sha256(b'<one@shop.example>').hexdigest()[:16]}.eml"
    assert first < again
    assert first[20:] == again[20:] != name_of(b"Subject: without\r\n\r\n", now=NOW)[20:]
    assert len(name_of(b"Message-ID: ../../../etc/passwd\r\n\r\n", now=NOW)) == len(first)


def test_garbage_and_huge_mails_leave_it_well(office: tuple[Path, int]) -> None:
    folder, port = office
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(os.urandom(200_000) + b"\r\n\r\nMAIL FROM:<\xff>\r\nRCPT TO:<>\r\nDATA\r\n")
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        send(port, b"x" * 30_000_000)
    assert refused.value.smtp_code == 552
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:  # one that does not say how large it is
        line.ehlo()
        assert line.esmtp_features.pop("size") == str(MOST_BYTES)
        with pytest.raises(smtplib.SMTPDataError) as late:
            line.sendmail("a@b.example", ["c@d.example"], (b"x" * 900 + b"\r\n") * 33_000)
    assert late.value.smtp_code == 552
    with socket.create_connection(("127.0.0.1", port)) as line:  # hangs up within a mail
        line.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nhalf a mail")
    send(port)
    assert [mail.endswith(MAIL) for mail in mails(folder)] == [True]


def test_addresses_of_any_script_are_taken(office: tuple[Path, int]) -> None:
    folder, port = office
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:
        line.sendmail("push@shop.example", ["顾客@shop.example"], MAIL, mail_options=["SMTPUTF8"])
    assert "Delivered-To: 顾客@shop.example\r\n".encode() in mails(folder)[0]


def test_a_thousand_mails_go_down_one_line(office: tuple[Path, int]) -> None:
    folder, port = office
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:
        for number in range(1_000):
            line.sendmail("push@shop.example", [f"c{number}@shop.example"], b"Subject: %d\r\n\r\n" % number)
    assert len(list(folder.iterdir())) == 1_000


def test_nobody_else_reaches_it(office: tuple[Path, int]) -> None:
    _folder, port = office
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").split("\n")
    listening = [line.split()[1] for line in lines[1:] if line and line.split()[3] == "0A"]
    assert [where for where in listening if where.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def envelope(content: bytes = MAIL, **fields: object) -> Envelope:
    made = Envelope()
    made.content, made.mail_from, made.rcpt_tos = content, "push@shop.example", ["you@shop.example"]
    vars(made).update(fields)
    return made


def test_the_oldest_go_and_what_is_not_a_mail_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / f"{name_of(MAIL, now=NOW)}.part").touch()
    names = [PostOffice(tmp_path, most=3).keep(envelope(), now=NOW + timedelta(seconds=n)) for n in range(5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names[2:], "notes.txt"]
    last = PostOffice(tmp_path, most=3).keep(envelope(), now=NOW + timedelta(hours=1))
    assert (tmp_path / last).exists()
    assert len(list(tmp_path.glob("*.eml"))) == 3


def test_an_address_cannot_end_its_line(tmp_path: Path) -> None:
    office = PostOffice(tmp_path)
    office.keep(envelope(rcpt_tos=["a@b\r\nBcc: c@d", "\udcff@x"], mail_from="x\ny"), now=NOW)
    [mail] = mails(tmp_path)
    assert mail.split(b"\r\n")[:4] == [
        b"Return-Path: <x?y>", b"Delivered-To: a@b??Bcc: c@d", b"Delivered-To: ?@x", MAIL.split(b"\r\n")[0],
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such thing")
def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    port = free_port()
    argv = ["-m", "recsite.post", "--folder", str(tmp_path / "post"), "--port", str(port)]
    program = f"""
import signal, sys, time
from recsite.processes import spawn
print(spawn([sys.executable, *{argv!r}], stop=signal.SIGTERM).pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert wait_for(lambda: answers(port), seconds=20)
        parent.kill()
    assert wait_for(lambda: not alive(pid), seconds=10)
    assert not answers(port)
