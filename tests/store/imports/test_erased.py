"""Files that tell of people who were erased: nothing of before comes back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommendations.models import Customer, CustomerAlias, Event, Import, Item, RejectedRow
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events import bulk_append
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.imports import bulk_import, erased_ids, event_import
from recommendations.store.temp_tables import silent

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
ERASED_AT = datetime(2026, 8, 20, 12, tzinfo=UTC)
EVENTS = """name,timestamp,user_id,anonymous_id,session_id,item_id,price,transaction_id
view_item,2026-08-19T12:00:00Z,ada,v1,s1,A1,,
purchase,2026-08-19T12:01:00Z,ada,,s1,A1,5,order 7
purchase,2026-08-19T12:02:00Z,bob,,s2,A1,5,order 8
purchase,2026-08-21T12:00:00Z,ada,,s3,A1,5,order 9
"""
CUSTOMERS = "user_id,city\nada,Bern\nbob,Rome\n"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(db: None) -> None:
    Item.objects.create(shop_id="A1", title="Item")


def load(folder: Path, content: str = EVENTS) -> Import:
    path = folder / "file.csv"
    path.write_text(content)
    if content == CUSTOMERS:
        return bulk_import.import_customers(path, report=silent)
    return event_import.import_events(path, currency="USD", now=NOW, report=silent)


def erase(*names: str, mode: EraseMode = EraseMode.FORGET, at: datetime = ERASED_AT) -> None:
    for name in names:
        bury(subject_of(name, []), mode=mode, now=at)


def counts(imported: Import) -> tuple[int, int, int, int]:
    return imported.rows, imported.kept, imported.duplicates, imported.rejected


def orders_of(user_id: str) -> set[str | None]:
    events = Event.objects.filter(customer__pseudonym=pseudonym(user_id))
    return set(events.values_list("transaction_id", flat=True))


def test_a_file_from_before_brings_nobody_back(tmp_path: Path) -> None:
    load(tmp_path)
    erase("ada")
    Event.objects.filter(customer__erased_at__isnull=False).delete()  # as the holder of events does
    CustomerAlias.objects.all().delete()

    imported = load(tmp_path)

    assert counts(imported) == (4, 1, 1, 2)
    assert imported.reasons == {"erased": 2}
    assert orders_of("ada") == {"order 9"}
    assert Customer.objects.get(pseudonym=pseudonym("ada")).not_before == ERASED_AT
    assert not CustomerAlias.objects.exists()
    listed = RejectedRow.objects.order_by("line")
    assert [(row.line, row.field, row.content, row.given) for row in listed] == [
        (2, "timestamp", "", {}), (3, "timestamp", "", {})
    ]  # fmt: skip
    assert "erased" in listed[0].reason
    assert counts(load(tmp_path)) == (4, 0, 2, 2)


def test_acts_of_a_blocked_id_are_counted_and_joined_to_nothing(tmp_path: Path) -> None:
    erase("ada", mode=EraseMode.BLOCK)

    assert counts(load(tmp_path)) == (4, 2, 0, 2)

    assert not Customer.objects.filter(pseudonym=pseudonym("ada")).exists()
    [event] = Event.objects.filter(customer=None)
    assert (event.transaction_id, event.session_id) == (str(event.event_id), None)


def test_a_file_of_customers_speaks_only_of_who_came_back_by_an_act(tmp_path: Path) -> None:
    load(tmp_path, CUSTOMERS)
    erase("ada")

    imported = load(tmp_path, CUSTOMERS)
    assert counts(imported) == (2, 0, 1, 1)
    assert imported.reasons == {"erased": 1}
    assert RejectedRow.objects.get().given == {}
    assert not Customer.objects.filter(pseudonym=pseudonym("ada")).exists()

    load(tmp_path, EVENTS)
    assert counts(load(tmp_path, CUSTOMERS)) == (2, 1, 1, 0)
    assert Customer.objects.get(pseudonym=pseudonym("ada")).properties == {"city": "Bern"}


def test_who_is_erased_while_a_file_is_read_does_not_come_back_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure comes between the look at the ids and the insertion; for bob the row is gone, too."""
    prepare = bulk_append.prepare_months

    def erase_first(months: Iterable[bulk_append.Month]) -> None:
        erase("ada", "bob", at=NOW)
        Customer.objects.filter(erased_at__isnull=False, kind="signed_in").order_by("-pk")[:1].get().delete()
        prepare(months)

    monkeypatch.setattr(bulk_append, "prepare_months", erase_first)

    imported = load(tmp_path)

    assert counts(imported) == (4, 0, 0, 4)
    assert not Event.objects.exists()


def test_ids_in_a_file_are_looked_up_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erased_ids, "AT_ONCE", 2)
    erase(*(f"u{number}" for number in range(9)))
    head, row = EVENTS.splitlines()[0], "view_item,2026-08-19T12:00:00Z,u{},,s1,A1,,"

    imported = load(tmp_path, "\n".join([head, *(row.format(number) for number in range(12))]))

    assert counts(imported) == (12, 3, 0, 9)
