"""What was counted stays as it was counted once a month is gone, and what is left is counted on."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from analytics.queries.privacy.receipts import checked
from recommendations.ingest.accept import accept
from recommendations.models import (
    Event,
    Item,
    PlacementDay,
    PrivacyRequest,
    Receipt,
    RetentionDrop,
    RetentionRule,
    Slate,
)
from recommendations.privacy_terms import ReceiptPart, RetentionKind
from recommendations.services.privacy import receipts, retention
from recommendations.store.attribution.settle import recount, settle
from recommendations.store.events import insert
from recommendations.store.events.insert import EventLine
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.imports import import_record
from recommendations.store.retention import months, people, rows
from tests.services.privacy.test_retention import DAY, OLD, customer
from tests.store.test_attribution import HOUR, NOON, NOW, SERVER, SKUS, act, counted, slate, tied

LONG_AGO = NOW - 130 * DAY
pytestmark = pytest.mark.django_db


@pytest.fixture
def old_months(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Months of long ago; whatever went is there again afterwards."""
    prepare_partitions(LONG_AGO - 32 * DAY, NOW)
    before = months.stored_months(months.EVENT, months.SLATE)
    monkeypatch.setattr(months, "LOOK", 0)
    yield
    RetentionDrop.objects.all().delete()
    for month in before:
        prepare_partitions(month.first, month.first, tables=(month.table,))


def take(*acts: Any) -> None:
    accept(acts, SERVER, now=NOW)
    while settle():
        pass


def days() -> list[tuple[Any, ...]]:
    return list(PlacementDay.objects.order_by("day", "position").values_list().exclude(day__gt=LONG_AGO + 2 * DAY))


@pytest.mark.django_db(transaction=True)
def test_a_closed_day_stays_and_what_is_left_is_attributed(old_months: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late words about what is gone, a refund and a click, change nothing of its day. Events stay as long as lists that
    cannot go.
    """
    Item.objects.bulk_create(Item(shop_id=sku, title=sku) for sku in SKUS)
    slate("r-old", at=LONG_AGO)
    slate("r-new")
    take(
        act("select_item", "SKU1", of="r-old", at=LONG_AGO),
        act("purchase", "SKU1", of="r-old", at=LONG_AGO + HOUR),
        act("select_item", "SKU1", of="r-new"),
    )
    assert [line[:2] for line in tied()] == [("purchase", "r-old")]
    closed = days()
    assert closed
    RetentionRule.objects.create(kind=RetentionKind.EVENTS, days=84, note="made", at=NOW - DAY)

    monkeypatch.setattr(months, "TRIES", 1)
    with months.advisory_lock(months.SETTLING):
        assert retention.expire(now=NOW) == []
    assert {drop.kind for drop in retention.expire(now=NOW) if drop.rows} == {"events", "slates"}
    assert list(Slate.objects.values_list("recommendation_id", flat=True)) == ["r-new"]
    assert tied() == []
    assert days() == closed

    take(
        act("refund", "SKU1", at=NOON + HOUR),
        act("select_item", "SKU2", of="r-old", at=NOON + HOUR),
        act("purchase", "SKU1", at=NOON + HOUR, transaction_id="t2"),
    )
    recount(["r-old"])
    assert [line[:3] for line in tied()] == [("purchase", "r-new", 2)]
    assert days() == closed
    assert counted()["revenue"] == 20


def test_who_left_is_not_taken_for_somebody_who_was_erased() -> None:
    """A process that has not heard yet sends an act of an hour ago: it counts, without a customer."""
    gone = customer("gone")
    now = timezone.now()
    prepare_partitions(now - HOUR, now)
    imported = import_record.begin(kind="events", file="they may be in it")
    assert people.leave(held=[], now=OLD + 2 * DAY) is None
    import_record.fail(imported, "stopped")
    assert people.leave(held=[], now=OLD + 2 * DAY) == 1
    line = EventLine(
        occurred_at=now - HOUR, event_id=uuid.uuid4(), line=0, name="view_item", source="api", customer_id=gone.pk
    )
    assert insert.insert([line], key=None).new == {0: None}
    assert Event.objects.get().customer is None


def test_receipts_go_after_six_years_and_the_chain_goes_on() -> None:
    """Of three receipts two are older, and so are their requests and that of an export; the newest always stays."""
    now = timezone.now()
    old, limit = now - 2_191 * DAY, now - 2_190 * DAY
    asked = [request("erase", at) for at in (old, old, now)]
    request("export", old)
    for each in asked:
        receipts.sign_receipt(each, ReceiptPart.ERASED, facts={}, now=each.closed_at)
    assert rows.oldest_rows()[RetentionKind.RECEIPTS] == old
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        Receipt.objects.filter(request=asked[2]).delete()

    drop = retention._delete(RetentionKind.RECEIPTS, limit, now=now)
    assert drop
    assert drop.rows == 2 + 3
    assert [each.pk for each in PrivacyRequest.objects.all()] == [asked[2].pk]
    anchor = receipts.stored_anchor()
    assert anchor
    assert (anchor["document"]["through"], anchor["document"]["flaws"]) == (2, [])
    assert receipts.verify(receipts.chain(), whole=True)  # some are missing
    assert receipts.verify(receipts.chain(), whole=True, anchor=anchor) == []
    assert [each.is_chained for each in checked(Receipt.objects.all())] == [True]
    assert rows.count_before(RetentionKind.RECEIPTS, now + 9_999 * DAY) == 0


def chain_since(*days: int) -> list[dict[str, Any]]:
    """Sign a receipt for an erasure of so many days ago, one after the other."""
    for ago in days:
        asked = request("erase", timezone.now() - ago * DAY)
        receipts.sign_receipt(asked, ReceiptPart.ERASED, facts={}, now=asked.closed_at)
    return receipts.chain()


def past_the_trigger(statement: str) -> None:
    """Do what only who owns the database can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")


def go() -> str:
    """Let receipts go by the rule; what is wrong with the chain then."""
    now = timezone.now()
    retention._delete(RetentionKind.RECEIPTS, now - 2_190 * DAY, now=now)
    return "\n".join(receipts.verify(receipts.chain(), whole=True, anchor=receipts.stored_anchor()))


def test_what_was_cut_off_is_not_taken_for_what_went() -> None:
    chain_since(2_300, 2_200, 5, 1)
    assert go() == ""
    past_the_trigger(f"DELETE FROM {Receipt._meta.db_table} WHERE serial = 3")
    assert "begins with Receipt 4, which does not follow Receipt 2, the last let go" in go()


def test_what_was_cut_off_before_is_said_when_those_after_it_have_gone() -> None:
    chain_since(2_300, 2_250, 2_200, 1)
    past_the_trigger(f"DELETE FROM {Receipt._meta.db_table} WHERE serial = 2")
    assert go() == go() == "Between Receipt 1 and Receipt 3 some are missing."
    assert [each["document"]["number"] for each in receipts.chain()] == [4]


def test_a_younger_receipt_stays_whatever_its_row_says(settings: LazySettings) -> None:
    chain_since(2_300, 2_200, 5, 1)
    keys, settings.RECEIPT_KEYS = settings.RECEIPT_KEYS, []
    go()
    assert len(receipts.chain()) == 4  # nothing can be signed
    settings.RECEIPT_KEYS = keys
    past_the_trigger(f"UPDATE {Receipt._meta.db_table} SET at = at - interval '6 years'")
    assert go() == ""
    assert [each["document"]["number"] for each in receipts.chain()] == [3, 4]


def request(kind: str, at: Any) -> PrivacyRequest:
    return PrivacyRequest.objects.create(
        kind=kind, status="succeeded", asked_for=b"", subject=b"s", due_at=at, closed_at=at
    )
