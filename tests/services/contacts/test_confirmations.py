"""Confirmation mails: two at the most, none to who did not ask, and none that leaves unsent for good."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.conf import LazySettings
from django.db import connection

from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.models import Address, Suppression
from recommendations.push_terms import AddressState, Channel, ConsentSource
from recommendations.services.contacts import confirmations
from recommendations.services.contacts.confirmations import AT_ONCE, send_confirmations, send_waiting
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.rows import ContactRow, take_contacts
from recommendations.services.contacts.tokens import LinkKind, opened
from recommendations.store.contacts import silence
from recommendations.store.contacts.sealing import seal
from tests.post_office import Office, post_office
from tests.store.plans import by_nested_loops

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
YES = {"state": "given", "at": "2026-08-01T10:00:00Z", "proof": {"form": "checkout"}}


@pytest.fixture(autouse=True)
def _shop(settings: LazySettings) -> None:
    settings.SHOP_NAME, settings.PUSH_FROM = "Corner Shop", "hello@shop.example"
    settings.POSTAL_ADDRESS = "1 Market Square, Paris"


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office() as own:
        yield own


def put(user_id: str = "u1", email: str | None = "ann@example.com", **fields: object) -> None:
    fields = {"consents": [{"purpose": "for_you", **YES}]} | fields
    form = msgspec.convert({"email": email, **fields}, ContactChanges)
    [verdict] = take_contacts([ContactRow(user_id=user_id, form=form)], source=ConsentSource.API, now=NOW)
    assert verdict.verdict == "stored"


def send(office: Office, *, days: float = 0, minutes: float = 0) -> int:
    line = Smtp(SmtpServer(host="127.0.0.1", port=office.port, timeout=2), sender=lambda parcel: "back@shop.example")
    try:
        return send_confirmations(line, now=NOW + timedelta(days=days, minutes=minutes))
    finally:
        line.close()


def test_an_address_is_asked_twice_and_never_again(office: Office) -> None:
    put()
    assert [send(office, days=day) for day in (0, 1, 2.9, 3, 4, 6, 30, 400)] == [1, 0, 0, 1, 0, 0, 0, 0]


def test_the_mail_says_for_whom_and_what_and_leads_to_a_button(office: Office) -> None:
    put(consents=[{"purpose": "for_you", **YES}, {"purpose": "news", **YES}])
    send(office)
    [mail] = office.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "ann@example.com", "Corner Shop <hello@shop.example>", "Please confirm your address",
    )  # fmt: skip
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "Corner Shop may write to ann@example.com" in text
    assert "Recommendations for you, News and offers for everybody." in text
    assert "1 Market Square, Paris" in text
    [token] = re.findall(r"/m/k/([^/\s]+)/", text)
    assert f"/m/k/{token}/" in html
    link = opened(token, LinkKind.CONFIRM, now=NOW + timedelta(days=6))
    assert link is not None
    assert link.key == Address.objects.get().pk
    assert opened(token, LinkKind.CONFIRM, now=NOW + timedelta(days=8)) is None


def test_the_mail_is_written_in_the_language_of_the_contact(office: Office) -> None:
    put(language="zh-CN")
    send(office)
    assert office.mails[0]["Subject"] == "请确认您的邮箱地址"


def test_a_new_address_of_somebody_who_said_yes_before_is_asked_too(office: Office) -> None:
    put(confirmed=True)
    put(email="lee@example.com", consents=[])
    assert [send(office, days=day) for day in (0, 1, 3, 6)] == [1, 0, 1, 0]
    assert office.mails[0]["To"] == "lee@example.com"
    assert "Recommendations for you." in office.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize("without", ["a yes", "doubt", "an address"])
def test_who_need_not_be_asked_is_not(office: Office, without: str) -> None:
    if without == "a yes":
        put(consents=[])
    elif without == "doubt":
        put(confirmed=True)
    else:
        put(email=None)
    assert send(office) == 0


def test_a_silent_address_is_not_asked(office: Office) -> None:
    put()
    digest = bytes(Address.objects.get().digest)
    Suppression.objects.create(channel=Channel.EMAIL, digest=digest, reason="unsubscribed_all", at=NOW)
    assert send(office) == 0
    silence.lift(Channel.EMAIL, digest, reasons=["unsubscribed_all"])
    assert send(office) == 1


def test_whoever_enters_an_address_again_does_not_make_it_asked_a_third_time(office: Office) -> None:
    put("u1")
    assert send(office) == 1
    put("u1", email=None)
    put("u2")
    assert send(office) == 1
    put("u2", email=None)
    put("u3")
    assert [send(office, days=day) for day in (0, 4, 8)] == [0, 0, 0]


def test_a_contact_asks_at_most_five_addresses_an_hour(office: Office) -> None:
    sent = []
    for number in range(7):
        put(email=f"ann{number}@example.com")
        sent.append(send(office))
    assert sent == [1, 1, 1, 1, 1, 0, 0]
    assert send(office, minutes=61) == 1


def test_what_the_server_puts_off_is_tried_again_and_counts_for_nothing(office: Office) -> None:
    put()
    office.at_rcpt = "450 4.2.1 try again later"
    assert [send(office), send(office, minutes=4)] == [0, 0]
    office.at_rcpt = ""
    assert [send(office, minutes=6), send(office, days=3, minutes=7), send(office, days=9)] == [1, 1, 0]


def test_a_server_that_is_away_loses_nothing(office: Office) -> None:
    for number in range(5):
        put(f"u{number}", f"ann{number}@example.com")
    office.at_rcpt = "451 4.3.0 not now"
    assert send(office) == 0
    assert Address.objects.filter(asked_at=None).count() == 2  # three were enough to see it
    office.at_rcpt = ""
    assert send(office, minutes=6) == 5


def test_an_address_that_does_not_exist_is_let_go_and_stays_silent(office: Office) -> None:
    put()
    office.at_rcpt = "550 5.1.1 no such user"
    assert send(office) == 1
    address = Address.objects.get()
    assert (address.state, bytes(address.sealed)) == (AddressState.GONE, b"")
    assert Suppression.objects.get().reason == "hard_bounce"


def put_many(people: range) -> None:
    rows = [
        ContactRow(
            user_id=f"s{number}",
            form=msgspec.convert(
                {"email": f"s{number}@example.com", "consents": [{"purpose": "news", **YES}]}, ContactChanges
            ),
        )
        for number in people
    ]
    take_contacts(rows, source=ConsentSource.API, now=NOW)


def rows_read(office: Office) -> int:
    """Rows that PostgreSQL reads for one round, whose mails the server puts off."""
    counted = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    with connection.cursor() as cursor:
        before = cursor.execute(counted).fetchone()[0]
        assert send(office) == 0
        return int(cursor.execute(counted).fetchone()[0] - before)


def test_four_times_as_many_who_wait_are_some_four_times_the_work(office: Office) -> None:
    """Also where PostgreSQL has not counted the tables, as right after an import: no address looks at all others."""
    office.at_rcpt = "451 4.3.0 later"
    put_many(range(300))
    few = rows_read(office)
    assert few < 20 * 300
    put_many(range(300, 1_200))
    assert rows_read(office) < 8 * few


def test_whatever_the_plan_no_address_looks_at_all_others(office: Office) -> None:
    """PostgreSQL takes a small table for one that may be read anew for every row."""
    office.at_rcpt = "451 4.3.0 later"
    put_many(range(300))
    by_nested_loops()
    assert rows_read(office) < 40 * 300


@pytest.mark.parametrize("page", [100, 1_000])
def test_those_who_may_not_be_asked_do_not_stand_in_the_way(
    office: Office, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(confirmations, "PAGE", page)
    put_many(range(AT_ONCE))
    for address in Address.objects.all():
        silence.silence(Channel.EMAIL, bytes(address.digest), reason="staff", now=NOW)  # type: ignore[arg-type]
    put()
    assert send(office) == 1


def test_a_round_asks_the_newest_and_those_who_wait_the_longest(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signs up at the till does not wait behind a file, and the file is not forgotten."""
    for name, number in {"PAGE": 2, "AT_ONCE": 4, "NEWEST": 1}.items():
        monkeypatch.setattr(confirmations, name, number)
    put_many(range(8))
    put("till", "till@example.com")
    assert [send(office) for _ in range(4)] == [4, 4, 1, 0]
    asked = [to.split("@")[0] for _, addresses, _ in office.got for to in addresses]
    assert asked == ["till", "s0", "s1", "s2", "s7", "s3", "s4", "s5", "s6"]


def test_the_worker_sends_by_the_server_of_the_settings(office: Office, settings: LazySettings) -> None:
    put()
    settings.PUSH_MAIL_SERVER = {}
    assert send_waiting(now=NOW) == 0  # not set up yet
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
    assert send_waiting(now=NOW) == 1
    assert office.got[0][0] == "hello@shop.example"


def test_an_address_that_cannot_be_written_to_does_not_stop_the_others(office: Office) -> None:
    put("u1", "first@example.com")
    put("u2", "second@example.com")
    put("u3", "third@example.com")
    first, second, _third = Address.objects.order_by("pk")
    first.sealed, second.sealed = seal({"email": "用户@例子.公司"}), b"no key opens this"
    Address.objects.bulk_update([first, second], ["sealed"])
    send(office)
    assert [to for _, addresses, _ in office.got for to in addresses] == ["third@example.com"]


def test_of_several_who_wait_with_one_address_its_owner_gets_two_mails_in_all(office: Office) -> None:
    for number in range(4):
        put(f"u{number}", "ann@example.com")
    assert [send(office), send(office), send(office), send(office, days=3.1)] == [1, 1, 0, 0]


def test_another_who_does_not_say_yes_is_not_waited_for(office: Office) -> None:
    put("u1", consents=[])
    put("u2")
    assert send(office) == 1
