"""Who is erased leaves the files of events at once, also in the middle of a run, and their key with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from recommendations.models import CustomerAlias, Event
from recommendations.privacy_terms import HolderCode, RequestState
from recommendations.services.privacy import work
from recommendations.services.privacy.erasing import scan
from recommendations.services.privacy.requests import EraseAsk, ask_erase
from recommendations.store.erasure.subjects import subject_of, subject_of_keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.snapshots import SNAPSHOTS
from recommendations.store.snapshots import files, update
from recommendations.terms import CustomerKind
from tests.event_frames import event_frame
from tests.store.snapshots.asked_frame import asked_frame
from tests.store.snapshots.record import DAY, JULY, JUNE, NOW, customer, customers_in_files, events, stored
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with artefact_folder(tmp_path):
        yield tmp_path


def test_an_erasure_rewrites_the_files_and_its_request_counts_the_rows(folder: Path) -> None:
    anna, bert = customer("anna"), customer("bert")
    device = customer("device", kind=CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous=device, customer=anna, source="api")
    events(anna, JUNE, name="purchase", transaction_id="order 1", amount=3)
    events(None, JUNE + DAY, name="refund", transaction_id="order 1", amount=3)
    events(device, JULY, number=2)
    events(bert, JUNE, number=30)
    update.update(until=NOW)
    events(anna, JUNE + 2 * DAY)
    update.update(until=NOW)
    assert stored()[6, True].rows == 1
    old = {folder / each.path for each in stored().values()}
    assert SNAPSHOTS.find(subject_of("anna", [])) == 5

    request = ask_erase(EraseAsk(user_id="anna", anonymous_ids=()), by=None, now=timezone.now())
    work.do_request(request.pk)
    request.refresh_from_db()

    assert (request.message, request.state) == ("", RequestState.DONE)
    assert {name: request.counts[HolderCode.SNAPSHOTS][name] for name in ("found", "deleted", "left")} == {
        "found": 5, "deleted": 5, "left": 0,
    }  # fmt: skip
    assert customers_in_files() == [bert.pk] * 30
    assert not [path for path in old if path.exists()]
    for path in folder.rglob("*.parquet"):
        assert pseudonym("anna")[:8] not in path.read_bytes()
    assert event_frame(until=NOW).equals(asked_frame(until=NOW))


def test_a_run_amid_an_erasure_writes_nobody_who_is_being_erased() -> None:
    anna, bert = customer("anna"), customer("bert")
    events(anna, JUNE, number=3)
    events(bert, JUNE, number=3)
    update.update(until=NOW)
    request = ask_erase(EraseAsk(user_id="anna", anonymous_ids=()), by=None, now=timezone.now())
    request.refresh_from_db()
    assert request.unknown_at is not None  # and her events are there
    assert Event.objects.filter(customer=anna).exists()
    update.update(until=NOW)
    assert customers_in_files() == [bert.pk] * 3
    assert scan(subject_of_keys([anna.pk]))[HolderCode.SNAPSHOTS] == 0


def test_several_people_leave_a_file_at_once() -> None:
    people = [customer(f"customer {number}") for number in range(5)]
    for number, one in enumerate(people):
        events(one, JUNE, number=number + 1)
    update.update(until=NOW)
    first = stored()[6, False].path
    subjects = [subject_of_keys([one.pk]) for one in people[1:3]]
    done = SNAPSHOTS.erase_all(subjects, now=NOW)
    assert [each.deleted for each in done] == [2, 3]
    assert [SNAPSHOTS.find(each) for each in subjects] == [0, 0]
    assert sorted(set(customers_in_files())) == sorted(one.pk for one in people if one not in people[1:3])
    assert stored()[6, False].path != first
    assert [each.deleted for each in SNAPSHOTS.erase_all(subjects, now=NOW)] == [0, 0]
    assert SNAPSHOTS.find(subject_of_keys([])) == 0


def test_a_damaged_file_goes_where_somebody_is_looked_for_in_it(folder: Path) -> None:
    anna = customer("anna")
    events(anna, JUNE, number=3)
    update.update(until=NOW)
    (folder / stored()[6, False].path).write_bytes(b"no Parquet")
    files._known_good.clear()
    assert SNAPSHOTS.find(subject_of_keys([anna.pk])) == 0
    assert stored() == {}
