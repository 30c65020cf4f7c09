"""E-mail by SMTP before a real server: taken, later, refused, gone, and honest where the line breaks."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from recommendations.channels.protocol import Gone, Later, Outcome, Parcel, Refused, Taken, Unknown
from recommendations.channels.smtp import Smtp, SmtpServer
from tests.post_office import Office, free_port, post_office

MAIL = b"Subject: for you\r\nMessage-ID: <m1@shop.example>\r\n\r\n.a line with a dot\r\n"
PARCEL = Parcel(message=1, idempotency_key="k", address={"email": "ann@example.com"}, content=MAIL)


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office() as own:
        yield own


@pytest.fixture
def line(office: Office) -> Iterator[Smtp]:
    own = Smtp(SmtpServer(host="127.0.0.1", port=office.port, timeout=1), sender=lambda parcel: "b1@shop.example")
    yield own
    own.close()


def test_what_is_taken_arrived_as_it_was_written(office: Office, line: Smtp) -> None:
    assert isinstance(line.hand_over(PARCEL), Taken)
    assert isinstance(line.hand_over(PARCEL), Taken)  # by the same line
    assert office.got == [("b1@shop.example", ["ann@example.com"], MAIL)] * 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("451 4.3.0 try again later", Later("451 4.3.0 try again later", of_line=True)),
        ("450 4.2.0 greylisted", Later("450 4.2.0 greylisted")),
        ("421 4.7.0 too much", Later("421 4.7.0 too much", of_line=True, too_fast=True)),
        ("550 5.1.1 <ann@example.com>: no such mailbox", Gone("550 5.1.1 … no such mailbox")),
        ("550 no such user", Gone("550 no such user")),
        ("550 5.7.1 we do not like you", Refused("550 5.7.1 we do not like you")),
        ("552 5.2.2 mailbox full", Refused("552 5.2.2 mailbox full")),
    ],
)
def test_the_answer_to_the_address_is_understood(office: Office, line: Smtp, answer: str, expected: Outcome) -> None:
    office.at_rcpt = answer
    assert line.hand_over(PARCEL) == expected
    office.at_rcpt = ""
    assert isinstance(line.hand_over(PARCEL), Taken)  # the line goes on


def test_the_answer_to_the_mail_is_understood(office: Office, line: Smtp) -> None:
    office.at_data = "452 4.2.2 later"
    assert line.hand_over(PARCEL) == Later("452 4.2.2 later")
    office.at_data = "554 5.7.1 spam"
    assert line.hand_over(PARCEL) == Refused("554 5.7.1 spam")


@pytest.mark.parametrize(("hangs_up", "kind"), [("before", Later), ("after", Unknown), ("never", Unknown)])
def test_a_line_that_breaks_is_later_before_the_mail_and_unknown_after_it(
    office: Office, line: Smtp, hangs_up: str, kind: type[Outcome]
) -> None:
    office.hangs_up = hangs_up
    outcome = line.hand_over(PARCEL)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Later) or outcome.of_line
    assert "ann" not in str(outcome)
    office.hangs_up = ""
    assert isinstance(line.hand_over(PARCEL), Taken)  # by a new line


def test_without_a_server_it_is_later() -> None:
    line = Smtp(SmtpServer(host="127.0.0.1", port=free_port(), timeout=1), sender=lambda parcel: "b1@shop.example")
    assert isinstance(line.hand_over(PARCEL), Later)


def test_a_parcel_does_not_say_where_it_goes() -> None:
    assert "ann" not in repr(PARCEL)


def test_an_address_of_other_letters_is_refused_and_not_in_the_reason(line: Smtp) -> None:
    outcome = line.hand_over(replace(PARCEL, address={"email": "用户@example.com"}))
    assert isinstance(outcome, Refused)
    assert "用户" not in outcome.reason
    assert isinstance(line.hand_over(PARCEL), Taken)
