"""What others do while a large file comes in by its columns: between its reading and its end."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recommendations.models import Customer, CustomerAlias, Event, Item
from recommendations.privacy_terms import EraseMode
from recommendations.services.operations import housekeeping
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.partitions import partition_of, prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.events import EVENTS
from recommendations.store.imports import event_import
from recommendations.store.imports.columnar import month_tables
from recommendations.store.imports.import_record import LOCKS
from recommendations.store.own_connections import own_connection
from recommendations.store.temp_tables import Report, rows, run
from tests.store.imports.columnar.event_files import NOW, load

pytestmark = pytest.mark.django_db(transaction=True)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
ROW = "{id},purchase,{at},{user},{visitor},s1,A1,5.00,order {number},r{number}\n"


@pytest.fixture(autouse=True)
def _by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_import, "COLUMNAR_FROM", 0)
    Item.objects.create(shop_id="A1", title="Item")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Twenty acts of ada and twenty of bob, one a day; the first of each also as a visitor."""
    text = "event_id,name,timestamp,user_id,anonymous_id,session_id,item_id,price,transaction_id,recommendation_id\n"
    for number in range(40):
        user, at = ("ada", "bob")[number % 2], MAY + timedelta(days=number // 2)
        visitor = f"{user} at home" if number < 2 else ""
        text += ROW.format(id=uuid.UUID(int=number), at=at.isoformat(), user=user, visitor=visitor, number=number)
    file = tmp_path / "events.csv"
    file.write_text(text)
    return file


def then(act: Callable[[], object]) -> Report:
    """A report that acts once when the file is read and its keys are built."""
    acts = [act]

    def report(step: str, _done: int, _total: int) -> None:
        if step == "keys" and acts:
            acts.pop()()

    return report


def customer(name: str) -> Customer:
    return Customer.objects.get(pseudonym=pseudonym(name))


def test_nothing_is_seen_before_the_end_and_then_all(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    imported = load(path, report=then(lambda: seen.append((Event.objects.count(), Customer.objects.count()))))
    assert seen == [(0, 0)]
    assert (imported.rows, imported.kept) == (40, 40)
    assert Event.objects.filter(customer=customer("ada")).count() == 20
    assert CustomerAlias.objects.count() == 2
    partition = partition_of("recommendations_event", MAY)
    assert rows("SELECT count(*) FROM pg_inherits WHERE inhrelid = to_regclass(%(name)s)", name=partition) == [(1,)]
    assert left_over() == []


def test_a_month_gets_the_keys_and_defaults_of_the_others(path: Path) -> None:
    load(path)
    of_table = """
    SELECT regexp_replace(pg_get_indexdef(indexrelid), '.* USING', ''), indisunique FROM pg_index
    WHERE indrelid = to_regclass(%(name)s) ORDER BY 1
    """
    defaults = """
    SELECT column_name, column_default, is_nullable FROM information_schema.columns
    WHERE table_name = %(name)s ORDER BY 1
    """
    checks = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = to_regclass(%(name)s) AND contype = 'c' ORDER BY 1
    """
    prepare_partitions(NOW, NOW)
    made, attached = (partition_of("recommendations_event", month) for month in (NOW, MAY))
    for statement in (of_table, defaults, checks):
        assert rows(statement, name=attached) == rows(statement, name=made)


def test_who_objects_meanwhile_is_nobody_in_it(path: Path) -> None:
    def object_() -> None:
        Customer.objects.create(pseudonym=pseudonym("ada"), kind="signed_in", personalise=False)
        Customer.objects.create(pseudonym=pseudonym("bob"), kind="signed_in", measure=False)

    load(path, report=then(object_))
    unnamed = Event.objects.filter(customer=None)
    assert unnamed.count() == 20
    assert {(each.session_id, each.recommendation_id) for each in unnamed} == {(None, None)}
    assert {each.transaction_id for each in unnamed} == {str(each.event_id) for each in unnamed}
    of_bob = Event.objects.filter(customer=customer("bob"))
    assert {(each.session_id, each.recommendation_id) for each in of_bob} == {("s1", None)}
    assert of_bob.count() == 20


def test_who_is_erased_meanwhile_is_left_out(path: Path) -> None:
    def erase() -> None:
        bury(subject_of("ada", []), mode=EraseMode.FORGET, now=MAY + timedelta(days=15))

    Customer.objects.create(pseudonym=pseudonym("ada"), kind="signed_in")
    imported = load(path, report=then(erase))
    assert (imported.kept, imported.reasons) == (25, {"erased": 15})
    assert Event.objects.filter(customer=customer("bob")).count() == 20
    assert not Event.objects.exclude(customer=customer("bob")).filter(occurred_at__lt=MAY + timedelta(days=15)).exists()


def test_a_customer_who_came_meanwhile_keeps_their_key(path: Path) -> None:
    came = []
    load(path, report=then(lambda: came.append(Customer.objects.create(pseudonym=pseudonym("ada"), kind="signed_in"))))
    assert Event.objects.filter(customer=came[0]).count() == 20
    assert CustomerAlias.objects.filter(customer=came[0]).count() == 1
    assert Customer.objects.count() == 4


def test_a_month_that_got_lines_meanwhile_takes_the_others(path: Path) -> None:
    def insert() -> None:
        prepare_partitions(MAY, MAY)
        Event.objects.create(occurred_at=MAY, event_id=uuid.UUID(int=0), line=0, name="view_item")

    imported = load(path, report=then(insert))
    assert (imported.kept, imported.duplicates) == (39, 1)
    assert Event.objects.count() == 40
    assert left_over() == []


def test_an_empty_month_that_is_in_use_takes_the_lines_one_by_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody reads the event table in a long transaction: nobody waits for it, nor for whoever waits for it."""
    monkeypatch.setattr(month_tables, "TRIES", 2)
    monkeypatch.setattr(month_tables, "PAUSE", 0.01)
    monkeypatch.setattr(month_tables, "PATIENCE", "20ms")
    prepare_partitions(MAY, MAY)
    with own_connection() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM recommendations_event")
        imported = load(path)
    assert imported.kept == Event.objects.count() == 40
    assert left_over() == []


def test_what_a_killed_import_left_goes_and_that_of_a_running_one_stays() -> None:
    with own_connection() as running:
        running.execute("SELECT pg_advisory_lock(%s, 998)", [LOCKS])
        for name in ("import_998_people", "import_999_people", "import_999_202605"):
            running.execute(f"CREATE TABLE {name} (pseudonym bytea)")
        assert housekeeping.drop_import_tables() == 2
        assert left_over() == [("import_998_people",)]
    assert housekeeping.drop_import_tables() == 1


def test_an_erasure_does_not_wait_for_the_night() -> None:
    run("CREATE TABLE import_999_people (pseudonym bytea)")
    EVENTS.erase(subject_of("ada", []), now=NOW)
    assert left_over() == []


def left_over() -> list[tuple[str]]:
    return [(name,) for (name,) in rows("SELECT relname FROM pg_class WHERE relname ~ '^import_' AND relkind = 'r'")]
