"""Floods of addresses: no mail for what is no address, and few for one that many people enter."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.conf import LazySettings

from recommendations.channels.protocol import Outcome, Parcel, Taken
from recommendations.models import Address, Contact
from recommendations.push_terms import ConsentSource
from recommendations.services.contacts.confirmations import send_confirmations
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.rows import ContactRow, ContactVerdict, take_contacts
from tests.hostile_texts import hostile_texts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
YES = {"purpose": "for_you", "state": "given", "at": "2026-08-01T10:00:00Z", "proof": {"form": "checkout"}}
MANY = 1_000


class Counting:
    """A line that takes everything."""

    repeats_safely = False

    def __init__(self) -> None:
        self.to = Counter[str]()

    def hand_over(self, parcel: Parcel) -> Outcome:
        self.to[parcel.address["email"]] += 1
        return Taken()

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"


def row(user_id: str, email: str) -> ContactRow:
    return ContactRow(user_id=user_id, form=msgspec.convert({"email": email, "consents": [YES]}, ContactChanges))


def taken(*rows: ContactRow) -> list[ContactVerdict]:
    return take_contacts(rows, source=ConsentSource.API, now=NOW)


def test_of_1_000_bad_addresses_none_is_kept_or_written_to() -> None:
    forms = ("{}", "{}@shop.example", "ann@{}", "ann@shop.example{}")
    texts = [text for text in hostile_texts() if re.search(r"\S[ \t\n]+\S|[<>()\[\],;:\x22]", text) and len(text) < 250]
    bad = [form.format(text) for text in texts for form in forms][:MANY]
    assert len(bad) == MANY
    verdicts = taken(*(row(f"u{number}", email) for number, email in enumerate(bad)))
    kept = {email for email, verdict in zip(bad, verdicts, strict=True) if verdict.verdict != "rejected"}
    assert kept == set()
    assert {each.pointer for each in verdicts} == {"/email"}
    line = Counting()
    assert send_confirmations(line, now=NOW) == 0
    assert (Address.objects.count(), Contact.objects.count()) == (0, 0)


def test_an_address_that_1_000_people_enter_gets_two_mails() -> None:
    taken(*(row(f"u{number}", "ann@example.com") for number in range(MANY)))
    line = Counting()
    for hours in (0, 0.1, 1, 2, 25, 73, 74, 200, 500, 2_000):
        send_confirmations(line, now=NOW + timedelta(hours=hours))
    assert line.to == {"ann@example.com": 2}


def test_somebody_who_enters_address_after_address_has_five_an_hour_asked() -> None:
    line = Counting()
    for number in range(60):
        taken(row("u1", f"ann{number}@example.com"))
        send_confirmations(line, now=NOW + timedelta(seconds=number * 59))
    assert (line.to.total(), max(line.to.values())) == (5, 1)
