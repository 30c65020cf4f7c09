"""An erasure takes away what a writer of the same moment stores, too."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from recommendations.models import Contact, Suppression
from recommendations.push_terms import ConsentSource
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.reading import Erasure, erase_contact
from recommendations.services.contacts.rows import ContactRow, take_contacts

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_whoever_writes() -> None:
    def write(email: str) -> None:
        row = ContactRow(user_id="u1", form=ContactChanges(email=email, confirmed=True))
        take_contacts([row], source=ConsentSource.API, now=NOW)

    def erase() -> Erasure:
        try:
            return erase_contact(contact, now=NOW)
        finally:
            connection.close()

    write("ann@example.com")
    contact = Contact.objects.get()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            write("lee@example.com")
            erasing = pool.submit(erase)
            time.sleep(0.3)
            assert not erasing.done()
        assert erasing.result(timeout=20).addresses == 2
    assert not Contact.objects.exists()
    assert Suppression.objects.count() == 2
