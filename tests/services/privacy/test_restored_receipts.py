"""Receipts after the database was restored from a copy: no number twice, and what is missing is said."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from recommendations.models import PrivacyRequest, Receipt
from recommendations.privacy_terms import ReceiptPart, RequestState
from recommendations.services.privacy import receipts
from recommendations.services.privacy.receipts import sign_receipt
from recommendations.store.erasure.line_files import place_of
from recommendations.store.erasure.receipt_log import NAME, last_receipt
from tests.analytics.pages.privacy.asking import erased, request_in

pytestmark = pytest.mark.django_db(transaction=True)


def signed(number: int = 1) -> list[dict[str, Any]]:
    """So many erasures, each with two receipts, the newest last."""
    for _erasure in range(number):
        erased(closed=True)
    return receipts.chain()


def restore(number: int) -> None:
    """Put the database back to when it had so many receipts, past the trigger that keeps them."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Receipt.objects.filter(serial__gt=number).delete()
        PrivacyRequest.objects.filter(receipts=None).delete()
        cursor.execute("SET session_replication_role = DEFAULT")


def test_no_number_is_given_twice_and_what_is_missing_is_said() -> None:
    before = signed(3)
    assert [each["document"]["number"] for each in before] == [1, 2, 3, 4, 5, 6]
    restore(4)

    after = signed()[4:]

    assert [each["document"]["number"] for each in after] == [7, 8]
    assert [each["document"].get("restored_after") for each in after] == [4, None]
    [flaw] = receipts.verify(receipts.chain(), whole=True)
    assert flaw.startswith("Between Receipt 4 and Receipt 7 some are missing: it says that the database was restored")
    assert receipts.verify([*before, *after], whole=True) == []  # with those that were handed out it is whole


def test_a_torn_line_and_a_log_that_cannot_be_read_stop_nothing() -> None:
    signed()
    file = place_of(NAME)
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("ab") as torn:
        torn.write(b'{"number":99,"chain')
    signed()
    assert last_receipt() is not None
    assert [each["document"]["number"] for each in receipts.chain()] == [1, 2, 3, 4]
    file.unlink()
    file.mkdir()
    assert receipts.verify(signed(), whole=True) == []


def test_what_was_not_committed_has_no_number() -> None:
    signed()
    request = request_in(RequestState.WAITING_FOR_RUN)
    with transaction.atomic():
        sign_receipt(request, ReceiptPart.CLOSED, facts={}, now=timezone.now())
        transaction.set_rollback(True)
    known = last_receipt()
    assert known is not None
    assert known.number == 2
