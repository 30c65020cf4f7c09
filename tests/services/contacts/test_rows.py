"""Contacts as the shop sends them: stored once, refused row by row, asked where nobody vouches for the address."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from recommendations.models import Address, ConsentStatement, Contact, Customer, Permission, Suppression
from recommendations.push_terms import AddressState, ConsentSource, ConsentState
from recommendations.services.contacts.confirming import confirm
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.reading import Erasure, erase_contact, record_of
from recommendations.services.contacts.rows import ContactRow, ContactVerdict, take_contacts
from recommendations.store.contacts.sealing import KeysMissingError, masked, unseal

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
YES = {
    "purpose": "for_you",
    "state": "given",
    "at": "2026-08-01T10:00:00Z",
    "proof": {"form": "checkout", "text_version": "3"},
}


def row(user_id: str = "u1", *, whole: bool = False, **fields: Any) -> ContactRow:
    form = msgspec.convert(fields, ContactChanges, strict=False)
    return ContactRow(user_id=user_id, form=form, whole=whole)


def take(*rows: ContactRow, source: ConsentSource = ConsentSource.API) -> list[ContactVerdict]:
    return take_contacts(rows, source=source, now=NOW)


def refusal(**fields: Any) -> str | None:
    [verdict] = take(row(**fields))
    assert verdict.verdict == "rejected"
    return verdict.pointer


def living() -> QuerySet[Address]:
    return Address.objects.exclude(state=AddressState.GONE)


def permissions(user: int | None = None) -> dict[str, str]:
    return dict(Permission.objects.values_list("purpose", "state"))


def test_a_contact_is_stored_once() -> None:
    sent = row(email="Ann.Lee@Example.COM", language="zh-CN", time_zone="Asia/Shanghai", confirmed=True, consents=[YES])
    assert [each.verdict for each in (*take(sent), *take(sent))] == ["stored", "unchanged"]
    contact, address = Contact.objects.get(), living().get()
    assert (contact.language, contact.time_zone, address.state) == ("zh-hans", "Asia/Shanghai", AddressState.ACTIVE)
    assert unseal(address.sealed) == {"email": "Ann.Lee@example.com"}
    assert masked(unseal(address.sealed)) == "A•••@example.com"
    assert permissions() == {"for_you": "given"}
    assert ConsentStatement.objects.get().proof == YES["proof"]


def test_a_new_address_is_written_once() -> None:
    rows = [row(f"u{number}", email=f"u{number}@example.com", confirmed=True) for number in range(3)]
    with CaptureQueriesContext(connection) as queries:
        take(*rows)
    writes = [each["sql"] for each in queries if "recommendations_address" in each["sql"].split(" SET ")[0]]
    assert [sql.split()[0] for sql in writes if not sql.startswith("SELECT")] == ["INSERT"]


def test_no_table_holds_an_address_that_can_be_read() -> None:
    take(row(email="ann@example.com", confirmed=True, consents=[YES]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(address)::text FROM recommendations_address address")
        [text] = cursor.fetchone()
    assert "ann@" not in text
    assert b"ann@example.com".hex() not in text


def test_an_address_nobody_vouches_for_is_only_asked() -> None:
    take(row(email="ann@example.com", consents=[YES, {"purpose": "news", "state": "refused"}]))
    assert living().get().state == AddressState.UNCONFIRMED
    assert permissions() == {"for_you": "asked", "news": "refused"}


def test_without_double_opt_in_the_shops_word_is_enough(settings: LazySettings) -> None:
    settings.DOUBLE_OPT_IN = False
    take(row(email="ann@example.com", consents=[YES]))
    assert living().get().state == AddressState.ACTIVE
    assert permissions() == {"for_you": "given"}


def test_the_later_statement_holds_whatever_arrives_last() -> None:
    withdrawn = {"purpose": "for_you", "state": "withdrawn", "at": "2026-08-05T10:00:00Z"}
    take(row(email="ann@example.com", confirmed=True, consents=[withdrawn]))
    take(row(consents=[YES]))
    assert permissions() == {"for_you": "withdrawn"}
    take(row(consents=[YES | {"at": "2026-08-05T10:00:00Z"}]))  # at the same instant
    assert permissions() == {"for_you": "withdrawn"}
    take(row(consents=[YES | {"at": "2026-08-05T10:00:01Z"}]))
    assert permissions() == {"for_you": "given"}


def test_statements_are_never_changed() -> None:
    take(row(email="ann@example.com", confirmed=True, consents=[YES]))
    with pytest.raises(Exception, match="only added"):
        ConsentStatement.objects.update(state=ConsentState.REFUSED)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"email": "ann"}, "/email"),
        ({"email": "ann@example.com\r\nBcc: all@example.com"}, "/email"),
        ({"language": "tlh"}, "/language"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"consents": [YES | {"at": None}]}, "/consents/0/at"),
        ({"consents": [YES | {"proof": {}}]}, "/consents/0/proof"),
        ({"consents": [YES | {"proof": {"form": "x" * 2_000}}]}, "/consents/0/proof"),
        ({"consents": [YES, YES | {"at": str(NOW + timedelta(hours=1))}]}, "/consents/1/at"),
        ({"consents": [YES | {"at": "0001-01-01T00:00:00+14:00"}]}, "/consents/0/at"),
        ({"consents": [YES | {"proof": {"form": "a\x00"}}]}, "/consents/0/proof"),
        ({"consents": [YES | {"proof": {"a\x00": "form"}}]}, "/consents/0/proof"),
    ],
)
def test_what_breaks_a_rule_is_refused_at_its_place(fields: dict[str, Any], pointer: str) -> None:
    assert refusal(**fields) == pointer
    assert not Customer.objects.exists()
    assert not Address.objects.exists()
    assert not ConsentStatement.objects.exists()


def test_a_refused_row_leaves_its_neighbours_alone() -> None:
    verdicts = take(row("u1", email="ann"), row("u2", email="bo@example.com", confirmed=True))
    assert [each.verdict for each in verdicts] == ["rejected", "stored"]
    assert Contact.objects.count() == 1


def test_an_address_belongs_to_one() -> None:
    take(row("u1", email="ann@example.com", confirmed=True, consents=[YES]))
    [verdict] = take(row("u2", email="ANN@example.com"))  # anybody could type it in
    assert (verdict.verdict, verdict.pointer) == ("rejected", "/email")
    take(row("u2", email="ann@example.com", confirmed=True))  # the shop has seen that it is theirs
    assert living().get().contact != ConsentStatement.objects.get().contact


def test_another_address_takes_the_place_of_the_first() -> None:
    take(row(email="ann@example.com", confirmed=True))
    take(row(email="lee@example.com", confirmed=True))
    assert unseal(living().get().sealed) == {"email": "lee@example.com"}
    take(row(email=None))
    assert [bytes(each.sealed) for each in Address.objects.all()] == [b"", b""]  # the hash alone is left


def test_put_empties_what_it_does_not_say_and_patch_leaves_it() -> None:
    take(row(email="ann@example.com", time_zone="Europe/Paris", confirmed=True))
    take(row(language="zh-hans"))
    assert Contact.objects.get().time_zone == "Europe/Paris"
    take(row(whole=True, language="en"))
    assert (Contact.objects.get().time_zone, living().count()) == ("", 0)


def test_who_confirms_an_unconfirmed_address_makes_it_active() -> None:
    take(row(email="ann@example.com"))
    take(row(email="ann@example.com", confirmed=True))
    assert living().get().state == AddressState.ACTIVE


def test_a_contact_of_which_all_is_as_usual_is_stored_once() -> None:
    assert [each.verdict for each in (*take(row(language="en")), *take(row(language="en")))] == ["stored", "unchanged"]


def test_customers_are_there_although_their_row_could_not_be_stored(settings: LazySettings) -> None:
    settings.CONTACT_HASH_KEY, key = "", settings.CONTACT_HASH_KEY
    with pytest.raises(KeysMissingError):
        take(row("u7", email="ann@example.com"))
    settings.CONTACT_HASH_KEY = key
    assert [each.verdict for each in take(row("u7", email="ann@example.com"))] == ["stored"]


def test_as_many_statements_for_a_thousand_rows_as_for_two() -> None:
    counts = []
    for number, language in ((2, "en"), (1_000, "en"), (2, "zh-hans"), (1_000, "zh-hans")):
        sent = [
            row(f"u{n}", email=f"{language}{n}@example.com", language=language, confirmed=True, consents=[YES])
            for n in range(number)
        ]
        with CaptureQueriesContext(connection) as seen:
            take(*sent)
        counts.append(len(seen))
    assert living().count() == Permission.objects.count() == 1_000
    assert max(counts) <= 20, counts


def test_two_customers_exchange_their_addresses_in_one_go() -> None:
    take(row("u1", email="a@example.com", confirmed=True), row("u2", email="b@example.com", confirmed=True))
    take(row("u1", email="b@example.com", confirmed=True), row("u2", email="a@example.com", confirmed=True))
    assert [unseal(each.sealed)["email"] for each in living().order_by("pk")] == ["b@example.com", "a@example.com"]


def test_who_reads_a_contact_sees_the_address_in_use_alone() -> None:
    take(row(email="ann@example.com", confirmed=True))
    take(row(email="lee@example.com", confirmed=True))
    contact = Contact.objects.get()
    assert [each.address for each in record_of(contact, now=NOW).addresses] == ["l•••@example.com"]
    assert erase_contact(contact, now=NOW) == Erasure(addresses=2, statements=0)
    assert Suppression.objects.count() == 2


def test_nobody_loses_an_address_that_waits_to_somebody_whom_nobody_vouches_for() -> None:
    for name in ("u1", "u2", "u3"):
        [verdict] = take(row(name, email="ann@example.com", consents=[YES]))
        assert verdict.verdict == "stored"
    assert living().count() == 3
    second = Address.objects.order_by("pk")[1]
    confirm(second, now=NOW)
    assert living().get() == second  # it is hers who confirmed
    [verdict] = take(row("u4", email="ann@example.com"))
    assert (verdict.verdict, verdict.pointer) == ("rejected", "/email")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("ann@例子.公司", "ann@xn--fsqu00a.xn--55qx5d"), ("ann@münchen.example", "ann@xn--mnchen-3ya.example")],
)
def test_a_domain_of_other_letters_is_stored_in_ascii(typed: str, stored: str) -> None:
    take(row(email=typed, confirmed=True))
    assert unseal(Address.objects.get().sealed) == {"email": stored}


@pytest.mark.parametrize("typed", ["用户@example.com", "jörg@example.com"])
def test_other_letters_before_the_at_are_refused(typed: str) -> None:
    assert refusal(email=typed) == "/email"


def test_a_refused_row_names_all_that_is_wrong_up_to_ten() -> None:
    wrong = {"purpose": "news", "state": "given"}
    [verdict] = take(row(email="ann", language="tlh", time_zone="Mars/Olympus", consents=[YES, wrong, wrong]))
    assert [(each.pointer, bool(each.reason)) for each in (verdict, *verdict.also)] == [
        (f"/{pointer}", True)
        for pointer in (
            "email", "language", "time_zone", "consents/1/at", "consents/1/proof", "consents/2/at", "consents/2/proof",
        )
    ]  # fmt: skip
    [many] = take(row(consents=[wrong] * 20))
    assert len({each.pointer for each in (many, *many.also)}) == 10
    assert not Contact.objects.exists()


def test_a_yes_to_webhooks_keeps_the_shops_own_id_sealed_and_in_use_at_once() -> None:
    yes = YES | {"channel": "webhook"}
    assert [each.verdict for each in (*take(row("用户 7", consents=[yes])), *take(row("用户 7", consents=[yes])))] == [
        "stored", "unchanged",
    ]  # fmt: skip
    address = living().get()
    assert (address.channel, address.state, unseal(address.sealed)) == ("webhook", "active", {"user_id": "用户 7"})
    assert masked(unseal(address.sealed)) == "•••"
    assert permissions() == {"for_you": "given"}


def test_an_email_that_waits_for_its_owner_keeps_no_webhook_waiting() -> None:
    take(row(email="ann@example.com", consents=[YES, YES | {"channel": "webhook"}]))
    assert dict(Permission.objects.values_list("channel", "state")) == {"email": "asked", "webhook": "given"}
    assert dict(living().values_list("channel", "state")) == {"email": "unconfirmed", "webhook": "active"}


def test_a_no_to_webhooks_keeps_no_id() -> None:
    take(row(consents=[{"channel": "webhook", "purpose": "news", "state": "refused"}]))
    assert not living().exists()


def test_an_erasure_takes_the_addresses_of_all_channels() -> None:
    take(row(email="ann@example.com", confirmed=True, consents=[YES | {"channel": "webhook"}]))
    assert erase_contact(Contact.objects.get(), now=NOW) == Erasure(addresses=2, statements=1)
    assert not Address.objects.exists()
    assert dict(Suppression.objects.values_list("channel", "reason")) == {"email": "erased", "webhook": "erased"}
