"""Holders of the record: each finds what is somebody's, tells all of it and nobody else's, and erases that alone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.storage import default_storage

from recommendations.customer_codes import customer_code
from recommendations.models import (
    Audience,
    AuditEntry,
    Customer,
    CustomerAlias,
    Event,
    Occurrence,
    Quarantine,
    RuleBook,
    Slate,
    Suppression,
)  # fmt: skip
from recommendations.privacy_terms import HolderCode, Kept
from recommendations.services.catalogue.files import FOLDER
from recommendations.services.rules.books import NothingToPublishError, roll_back_rules
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders import events, tables
from recommendations.store.holders.customer import delete_husks
from recommendations.store.holders.events import EVENTS
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.registry import HOLDERS
from recommendations.store.holders.slates import SLATES
from recommendations.store.holders.staff_work import STAFF_WORK
from recommendations.store.holders.tables import TableHolder
from recommendations.store.serving.slates import ServedSlate, append, write_slates
from recommendations.store.temp_tables import rows
from tests.holders import DAY, FOUND, NOW, Person, World, event, person, slate, stored_files, whole_text, world

COPIES = {HolderCode.LIVE, HolderCode.PROCESSES, HolderCode.SNAPSHOTS, HolderCode.LEARNED}
RECORD = [holder for holder in HOLDERS if holder.code not in COPIES]
pytestmark = pytest.mark.django_db


@pytest.fixture
def shared() -> Iterator[World]:
    yield world()
    for name in list(stored_files()):
        default_storage.delete(f"{FOLDER}/{name}")


@pytest.fixture
def pair(shared: World) -> tuple[Person, Person]:
    return person(shared), person(shared)


def whole_record() -> str:
    """Every row of every table, as PostgreSQL writes it."""
    tables = [model._meta.db_table for model in apps.get_app_config("recommendations").get_models()]
    return "\n".join(str(rows(f"SELECT string_agg(own::text, ' ') FROM {table} own")) for table in tables)


def files_text() -> list[str]:
    return [Path(default_storage.path(f"{FOLDER}/{name}")).read_text(encoding="utf-8") for name in stored_files()]


def test_everybody_has_something_in_every_holder_and_its_models(pair: tuple[Person, Person]) -> None:
    for one in pair:
        assert {holder.code: holder.find(one.subject) for holder in RECORD} == FOUND
    holders = [holder for holder in RECORD if isinstance(holder, TableHolder)]
    empty = [each.model for holder in holders for each in holder.tables if not each.count(pair[0].subject)]
    assert empty == []


def test_an_erasure_takes_all_of_one_and_nothing_of_another(pair: tuple[Person, Person]) -> None:
    gone, stays = pair
    before = whole_text(RECORD, stays.subject)
    done = {holder.code: holder.erase(gone.subject, now=NOW) for holder in RECORD}
    assert {code: each.deleted + each.changed for code, each in done.items()} == FOUND
    assert {holder.code: holder.find(gone.subject) for holder in RECORD} == dict.fromkeys(FOUND, 0)
    assert whole_text(RECORD, stays.subject) == before
    assert {holder.code: holder.find(stays.subject) for holder in RECORD} == FOUND
    assert all(holder.erase(gone.subject, now=NOW).deleted == 0 for holder in RECORD)  # and nothing a second time
    left = whole_record()
    codes, hexed = ([customer_code(key) for key in gone.subject.keys], [one.hex() for one in gone.subject.pseudonyms])
    assert [each for each in [*gone.tokens, *codes, *hexed] if each in left] == []
    assert len([each for each in stays.tokens if each not in left]) == 1  # the address is sealed
    assert [gone.name in text for text in files_text()] == [False]


def test_an_export_has_all_that_is_theirs_and_not_a_word_of_others(pair: tuple[Person, Person]) -> None:
    one, other = pair
    told = whole_text(RECORD, one.subject)
    assert [each for each in other.tokens if each in told] == []
    assert [each for each in one.tokens if each not in told] == []


def test_what_stays_is_said(pair: tuple[Person, Person]) -> None:
    gone, _stays = pair
    done = {holder.code: holder.erase(gone.subject, now=NOW) for holder in RECORD}
    assert (done[HolderCode.CONTACTS].kept, done[HolderCode.CONTACTS].why) == (1, Kept.SUPPRESSED_ADDRESS)
    assert Suppression.objects.get().reason == "erased"
    assert done[HolderCode.STAFF_WORK].why == Kept.ENTRY_OF_TRAIL
    contact = AuditEntry.objects.filter(object_type="contact").order_by("pk")[0]
    assert (contact.verb, contact.object_id, contact.label, contact.note) == ("silence", "", "", "")
    assert {rule["customer"] for rule in RuleBook.objects.order_by("pk")[0].rules} == {None, -1}


def test_sums_stay_and_groups_are_smaller(pair: tuple[Person, Person], shared: World) -> None:
    for holder in RECORD:
        holder.erase(pair[0].subject, now=NOW)
    counts = Occurrence.objects.get(pk=shared.sending.pk).counts
    assert sorted(counts.values()) == [1, 2, 2]  # a verdict, messages, those that were taken
    audience = Audience.objects.get(pk=shared.audience.pk)
    assert (audience.size, audience.generation) == (99, 1)
    assert Quarantine.objects.filter(reason="").count() == 2  # the crowd's, and that of who is gone


def test_the_row_goes_when_everybody_has_heard_of_it(pair: tuple[Person, Person]) -> None:
    gone, stays = pair
    for holder in RECORD:
        holder.erase(gone.subject, now=NOW)
    rest = Customer.objects.filter(pk__in=gone.subject.keys)
    assert [(bytes(each.pseudonym) in gone.subject.pseudonyms, each.erased_at) for each in rest] == [(False, NOW)] * 2
    assert delete_husks(NOW) == 0
    assert delete_husks(NOW + timedelta(seconds=1)) == 2
    assert set(Customer.objects.values_list("pk", flat=True)) == stays.subject.keys


def test_nothing_is_found_of_nobody() -> None:
    for nobody in (Subject(keys=frozenset()), Subject(keys=frozenset(), pseudonyms=(pseudonym("nobody"),))):
        assert [holder.find(nobody) for holder in RECORD] == [0] * len(RECORD)
        assert {holder.erase(nobody, now=NOW) for holder in RECORD} == {Erased()}
        assert [list(sheet.rows) for holder in RECORD for sheet in holder.export(nobody)] == [
            [] for holder in RECORD for _sheet in holder.export(nobody)
        ]


def test_a_list_that_waits_is_not_written_once_its_customer_is_gone(shared: World) -> None:
    gone, stays, back = (Customer.objects.create(pseudonym=pseudonym(name)) for name in ("gone", "stays", "back"))
    Customer.objects.filter(pk=gone.pk).update(erased_at=NOW)
    Customer.objects.filter(pk=back.pk).update(not_before=NOW)
    unit = int.from_bytes(back.pseudonym[:8], signed=True)
    for name, customer, number, at in (
        ("gone", gone.pk, 1, NOW), ("deleted", 10**9, 2, NOW), ("stays", stays.pk, 3, NOW), ("stranger", None, 4, NOW),
        ("before", None, unit, NOW - DAY), ("since", None, unit, NOW + timedelta(hours=1)),
    ):  # fmt: skip
        append(
            ServedSlate(
                served_at=at.isoformat(), recommendation_id=name, customer_id=customer, placement="home",
                source="model", personalised=True, fallback_reason="", model_version=None, weights_version=None,
                rules_version=0, items=[shared.item.pk], scores=[1.0], propensities=[1.0], latency_us=1, unit=number,
            )
        )  # fmt: skip
    assert write_slates() == 3
    assert set(Slate.objects.values_list("recommendation_id", flat=True)) == {"stays", "stranger", "since"}
    assert write_slates() == 0


def test_ten_thousand_rows_and_more_go_statement_by_statement(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS", 2)
    one = person(shared)
    for _each in range(5):
        slate(shared, one, customer=one.customer)
    assert SLATES.erase(one.subject, now=NOW).deleted == 9  # seven lists, two of which came of something
    assert SLATES.find(one.subject) == 0


def test_what_a_visitor_was_served_as_somebody_else_is_theirs(shared: World) -> None:
    """Whom they were joined with for a while keeps what they were served themselves."""
    visitor, other = person(shared), person(shared)
    CustomerAlias.objects.create(anonymous=visitor.visitor, customer=other.customer, source="api", undone_at=NOW)
    before = SLATES.find(other.subject)
    unit = int.from_bytes(visitor.visitor.pseudonym[:8], signed=True)
    slate(shared, visitor, customer=other.customer, unit=unit)
    assert (SLATES.find(visitor.subject), SLATES.find(other.subject)) == (before + 1, before + 1)
    assert SLATES.erase(visitor.subject, now=NOW).deleted == before + 1
    assert SLATES.find(other.subject) == before


def test_an_order_of_two_customers_is_each_ones_own(shared: World) -> None:
    """What another customer told of an order of the same number is about them."""
    one, other = person(shared), person(shared)
    order = Event.objects.get(customer=one.customer, name="purchase").transaction_id
    told = event(other.customer, name="purchase", transaction_id=order, item=shared.item)
    for holder in RECORD:
        holder.erase(one.subject, now=NOW)
    assert Event.objects.filter(event_id=told.event_id).exists()


def test_events_go_in_parts(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "ROWS", 2)
    one = person(shared)
    for _each in range(5):
        event(one.customer, name="purchase", transaction_id="a number", item=shared.item)
        event(None, name="follow", target_type="customer", target_id=bytes(one.customer.pseudonym).hex())
        event(None, name="refund", transaction_id="a number", item=shared.item)
    erased = EVENTS.erase(one.subject, now=NOW)
    assert (erased.deleted, erased.changed, EVENTS.find(one.subject)) == (11 + 10, 3 + 5, 0)
    assert Event.objects.filter(name="follow", target_type="customer", target_id=None).count() == 6


def test_a_rule_of_theirs_is_served_to_no_one_and_its_book_can_be_rolled_back_to(shared: World) -> None:
    one = person(shared)
    book = RuleBook.objects.get()
    RuleBook.objects.filter(pk=book.pk).update(is_default=True)
    STAFF_WORK.erase(one.subject, now=NOW)
    later = RuleBook.objects.create(number=99, rules=[], note="Later")
    book.refresh_from_db()
    assert [rule["name"] for rule in book.rules] == ["For all", f"#{book.rules[1]['id']}"]
    RuleBook.objects.update(is_default=False)
    RuleBook.objects.filter(pk=later.pk).update(is_default=True)
    with pytest.raises(NothingToPublishError):  # neither rule is there any more
        roll_back_rules(book=book, note="back", by=None, now=NOW)
