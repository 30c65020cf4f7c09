"""A new key of pseudonyms: every stored one gets a layer, nobody becomes a stranger, and nothing is half done."""

import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from recommendations.models import (
    Customer,
    Event,
    HeldEvent,
    Item,
    LegalHold,
    PrivacyRequest,
    ShopSetting,
    Slate,
    Tombstone,
    Unit,
    WaitingLine,
)
from recommendations.privacy_terms import EraseMode
from recommendations.services.operations.readiness import Readiness
from recommendations.services.privacy import my_data
from recommendations.services.privacy.blocks import lift_blocks
from recommendations.services.privacy.exports import forget_exports_of
from recommendations.services.privacy.holds import hold, lift_hold
from recommendations.services.privacy.own_links import link_to_my_data
from recommendations.services.privacy.repeating import repeat_erasures
from recommendations.services.privacy.requests import EraseAsk, ask_erase
from recommendations.services.privacy.rotation import rotate_pseudonyms
from recommendations.services.privacy.sealed import PersonIds, open_sealed, seal_subject
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.legal_holds import holds_on
from recommendations.store.erasure.log import complete_log
from recommendations.store.erasure.subjects import subject_digest, subject_of, subject_of_keys
from recommendations.store.events.generations import GENERATION, LOCK, RotatingError, generation, settled
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.known_customers import ensure_customers
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import first_pseudonym, pseudonym
from recommendations.store.events.tombstones import Comeback, digest_of
from recommendations.store.holders import rotation as layers
from recommendations.store.holders.protocol import Subject
from recommendations.store.imports import event_import
from recommendations.store.process_held import drop_all
from recommendations.store.retention.people import held_customers
from recommendations.store.serving.slates import ServedSlate, append, write_slates
from recommendations.store.temp_tables import rows, silent
from recommendations.terms import CustomerKind, ExperimentStatus
from tests import experiment_records
from tests.event_frames import event_frame
from tests.privacy_holders import somebody
from tests.trained import artefact_folder

NEW = "a-second-key-of-pseudonyms-0123456789"
VISITOR, SIGNED_IN = CustomerKind.ANONYMOUS, CustomerKind.SIGNED_IN
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EVENTS = """name,timestamp,user_id,item_id,price,transaction_id,target_type,target_id
view_item,2026-08-19T12:00:00Z,ada,A1,,,,
purchase,2026-08-19T12:01:00Z,bob,A1,5,order 7,,
follow,2026-08-19T12:02:00Z,ada,,,,customer,bob
follow,2026-08-19T12:03:00Z,ada,,,,brand,Acme
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def new_key(settings: LazySettings) -> None:
    settings.PSEUDONYM_KEYS = [*settings.PSEUDONYM_KEYS, NEW]


def once_more(value: bytes) -> bytes:
    """What the second key makes of it, by hand."""
    return hmac.digest(NEW.encode(), value, "sha256")


def number(value: bytes) -> int:
    return int.from_bytes(value[:8], signed=True)


def rotate() -> None:
    rotate_pseudonyms()
    drop_all()  # a test's transaction announces nothing


@contextmanager
def taken(function: str = "pg_advisory_lock") -> Iterator[None]:
    """Somebody else holds the lock of pseudonyms."""
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [LOCK])
            yield
            cursor.execute("SELECT pg_advisory_unlock_all()")  # the pool keeps the connection
    finally:
        own.close()


def load(folder: Path, content: str = EVENTS) -> tuple[int, int, int]:
    path = folder / "file.csv"
    path.write_text(content)
    imported = event_import.import_events(path, currency="USD", now=NOW, report=silent)
    return imported.kept, imported.duplicates, imported.rejected


@pytest.mark.usefixtures("new_key")
def test_every_pseudonym_gets_a_layer_wherever_it_stands() -> None:
    prepare_partitions(NOW, NOW)
    ada, phone = somebody("ada", "phone"), pseudonym("phone", kind=VISITOR)
    before, stranger = bytes(ada.pseudonym), pseudonym("stranger")
    for target, kind in ((before.hex(), "customer"), (stranger.hex(), "customer"), ("Acme", "brand")):
        Event.objects.create(
            occurred_at=NOW, event_id=uuid4(), line=0, name="follow", target_type=kind, target_id=target
        )
    sent = {"name": "follow", "target_type": "customer", "target_id": stranger.hex()}
    WaitingLine.objects.create(occurred_at=NOW, event_id=uuid4(), line=0, shop_id="X1", sent=sent)
    of_old = {"name": "follow", "target_type": "customer", "target_id": before.hex()}
    HeldEvent.objects.create(held_for=ada.pk, occurred_at=NOW, event_id=uuid4(), line=0, event=of_old)
    experiment = experiment_records.experiment(status=ExperimentStatus.STOPPED, ended_at=NOW)
    arm = experiment_records.arms_of(experiment)[0]
    visitor = pseudonym("a visitor who did nothing", kind=VISITOR)
    for unit in (number(before), number(visitor)):
        Slate.objects.create(
            served_at=NOW, recommendation_id=f"r{unit}", unit=unit, placement="home", source="model",
            personalised=True, items=[], scores=[], propensities=[],
        )  # fmt: skip
        Unit.objects.create(experiment=experiment, unit=unit, arm=arm, first_at=NOW)

    rotate()

    known = {bytes(value) for value in Customer.objects.values_list("pseudonym", flat=True)}
    assert known == {once_more(before), once_more(phone)}
    assert once_more(before) == pseudonym("ada")
    targets = {once_more(before).hex(), once_more(stranger).hex(), "Acme"}
    assert set(Event.objects.values_list("target_id", flat=True)) == targets
    assert WaitingLine.objects.get().sent == {**sent, "target_id": once_more(stranger).hex()}
    assert HeldEvent.objects.get().event == {**of_old, "target_id": once_more(before).hex()}
    unknown = number(once_more(visitor[:8]))  # of whom nothing but the number was there
    units = {number(once_more(before)), unknown}
    assert (
        set(Slate.objects.values_list("unit", flat=True)) == set(Unit.objects.values_list("unit", flat=True)) == units
    )
    assert subject_of("ada", []).keys == subject_of(None, ["phone"]).keys == {ada.pk, *subject_of_keys([ada.pk]).keys}
    assert unknown in subject_of(None, ["a visitor who did nothing"]).units


@pytest.mark.usefixtures("new_key")
def test_requests_and_holds_go_on_finding_whom_they_are_about() -> None:
    ada = somebody("ada")
    for user_id in ("ada", "stranger"):
        hold(PersonIds(user_id=user_id), reason="case 12", until=None, by=None, now=NOW)
    request, digest = ask_erase(EraseAsk(user_id="bob"), by=None, now=NOW), subject_digest("ada", [])
    found = subject_of("ada", [])
    PrivacyRequest.objects.create(
        kind="erase", asked_for=b"", subject=b"", due_at=NOW, sealed=seal_subject(found), pk=(held := uuid4())
    )

    rotate()

    later = open_sealed(PrivacyRequest.objects.get(pk=held).sealed or b"")
    assert isinstance(later, Subject)
    assert (later.keys, set(later.pseudonyms)) == (found.keys, {once_more(value) for value in found.pseudonyms})
    assert open_sealed(PrivacyRequest.objects.get(pk=request.pk).sealed or b"") == PersonIds(user_id="bob")
    assert subject_digest("ada", []) == digest  # what a receipt has
    for subject in (subject_of_keys([ada.pk]), subject_of("ada", []), subject_of("stranger", [])):
        assert holds_on(subject, now=NOW)
    assert not holds_on(subject_of("bob", []), now=NOW)
    assert LegalHold.objects.count() == 2


@pytest.mark.usefixtures("new_key")
def test_a_hold_on_who_comes_later_keeps_them_by_their_key() -> None:
    hold(PersonIds(user_id="stranger", anonymous_ids=["phone"]), reason="case 12", until=None, by=None, now=NOW)
    assert not Customer.objects.exists()  # of whom nothing is known is no customer
    rotate()
    keys = [*person_keys(["stranger"], SIGNED_IN).values(), *person_keys(["phone"], VISITOR).values()]
    assert all(holds_on(subject_of_keys([key]), now=NOW) for key in keys)  # as *My data* asks for an erasure
    assert held_customers(now=NOW) == set(keys)


@pytest.mark.usefixtures("new_key")
def test_a_hold_that_has_ended_names_nobody() -> None:
    ended = hold(PersonIds(user_id="ada"), reason="case 12", until=NOW + DAY, by=None, now=NOW)
    lasting = hold(PersonIds(user_id="bob"), reason="case 13", until=None, by=None, now=NOW)
    digest = bytes(ended.digest)
    bury(subject_of("eve", []), mode=EraseMode.FORGET, now=NOW + 2 * DAY)
    rotate()
    ended.refresh_from_db()
    assert (ended.pseudonym, bytes(ended.digest)) == (None, digest)
    lasting.refresh_from_db()
    assert bytes(lasting.pseudonym or b"") == pseudonym("bob")
    assert lift_hold(lasting, reason="over", by=None, now=NOW + DAY).pseudonym is None


@pytest.mark.usefixtures("new_key")
def test_what_somebody_asked_for_themselves_is_found_and_their_file_goes_with_them() -> None:
    ada = somebody("ada")
    request = my_data.ask_own_export(ada, now=NOW)
    request.file, request.file_until = "no such.zip", NOW + 7 * DAY
    request.options["of"] = [digest_of(bytes(ada.pseudonym)).hex()]
    request.save()

    rotate()

    ada.refresh_from_db()
    export = my_data.own_requests(ada, now=NOW).export
    assert export is not None
    assert my_data.ask_own_export(ada, now=NOW) == export
    bury(subject_of_keys([ada.pk]), mode=EraseMode.FORGET, now=NOW)
    other = ask_erase(EraseAsk(user_id="eve"), by=None, now=NOW)
    forget_exports_of(other, Subject(keys=frozenset(), pseudonyms=(bytes(ada.pseudonym),)), now=NOW)
    assert [each.file for each in PrivacyRequest.objects.filter(pk=export.pk)] == [""]


@pytest.mark.usefixtures("new_key")
@pytest.mark.parametrize("mode", list(EraseMode))
def test_an_erased_id_stays_erased_whatever_generation_its_tombstone_has(mode: EraseMode, tmp_path: Path) -> None:
    Item.objects.create(shop_id="A1", title="Item")
    somebody("ada")
    bury(subject_of("ada", []), mode=mode, now=NOW)
    Customer.objects.filter(erased_at__isnull=False).delete()
    rotate()

    gone = dict[str, Comeback]()
    early = person_keys(["ada"], SIGNED_IN, erased=gone, acted=lambda _name: NOW - DAY)
    assert (early, gone) == ({}, {"ada": Comeback(NOW, blocked=mode is EraseMode.BLOCK)})
    assert load(tmp_path) == (1, 0, 3) if mode is EraseMode.FORGET else (4, 0, 0)
    assert not Event.objects.filter(customer__pseudonym=pseudonym("ada")).exists()
    late = person_keys(["ada"], SIGNED_IN)
    assert (late == {}) is (mode is EraseMode.BLOCK)
    assert set(Customer.objects.filter(pk__in=late.values()).values_list("not_before", flat=True)) <= {NOW}
    if mode is EraseMode.BLOCK:
        assert lift_blocks(PersonIds(user_id="ada", anonymous_ids=()), by=None, now=NOW) == 1
        assert person_keys(["ada"], SIGNED_IN).keys() == {"ada"}


@pytest.mark.usefixtures("new_key")
def test_a_file_of_before_brings_nothing_twice(tmp_path: Path) -> None:
    """Rows without ids get the same ids as before; what they say of people is under both keys."""
    Item.objects.create(shop_id="A1", title="Item")
    assert load(tmp_path) == (4, 0, 0)
    rotate()
    assert load(tmp_path) == (0, 4, 0)
    assert load(tmp_path, EVENTS.replace("2026-08-19", "2026-08-20")) == (4, 0, 0)
    assert Customer.objects.count() == 2
    followed = Event.objects.filter(target_type="customer").values_list("target_id", flat=True)
    assert list(followed) == [pseudonym("bob").hex()] * 2


@pytest.mark.usefixtures("new_key")
def test_a_process_that_heard_nothing_adds_no_strangers() -> None:
    ada = somebody("ada")
    assert generation() == 1
    rotate_pseudonyms()
    assert generation() == 1  # nobody told it

    keys = ensure_customers([first_pseudonym("ada"), first_pseudonym("eve")], kind=SIGNED_IN)

    assert keys[first_pseudonym("ada")] == ada.pk
    assert bytes(Customer.objects.get(pk=keys[first_pseudonym("eve")]).pseudonym) == pseudonym("eve", layers=2)
    assert Customer.objects.count() == 2
    assert generation() == 2


@pytest.mark.usefixtures("new_key")
def test_a_slate_that_was_on_its_way_is_written_without_its_unit() -> None:
    prepare_partitions(NOW, NOW)
    value = pseudonym("stranger")
    append(experiment_slate(unit=number(value)))
    rotate()
    append(experiment_slate(unit=number(pseudonym("stranger")), layers=2))
    write_slates()
    assert {slate.unit for slate in Slate.objects.all()} == {None, number(once_more(value))}


def experiment_slate(**fields: Any) -> Any:
    given: dict[str, Any] = {
        "served_at": NOW.isoformat(), "recommendation_id": f"r-{uuid4().hex}", "customer_id": None,
        "placement": "home", "source": "model", "personalised": True, "fallback_reason": "", "model_version": None,
        "weights_version": None, "rules_version": 0, "items": [], "scores": [], "propensities": [], "latency_us": 1,
    }  # fmt: skip
    return ServedSlate(**given | fields)


@pytest.mark.usefixtures("new_key")
def test_while_it_goes_on_who_is_known_goes_on_and_who_is_new_waits() -> None:
    ada = somebody("ada")
    with taken():
        assert person_keys(["ada"], SIGNED_IN) == {"ada": ada.pk}
        with pytest.raises(RotatingError):
            person_keys(["eve"], SIGNED_IN)
        with pytest.raises(RotatingError):  # and nobody reads that nothing is held
            link_to_my_data("ada", minutes=5, now=NOW)
    assert person_keys(["eve"], SIGNED_IN).keys() == {"eve"}


def test_without_a_new_key_nothing_is_done() -> None:
    with pytest.raises(CommandError, match="no new key"):
        call_command("rotate_pseudonyms")


@pytest.mark.usefixtures("new_key")
def test_while_an_experiment_draws_people_or_an_import_writes_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody("ada")
    monkeypatch.setattr(layers, "PATIENCE", 0.05)
    experiment = experiment_records.experiment(name="Larger pictures")
    with pytest.raises(CommandError, match="Larger pictures"):
        call_command("rotate_pseudonyms")
    experiment.delete()
    with taken("pg_advisory_lock_shared"), pytest.raises(CommandError, match="under way"):
        call_command("rotate_pseudonyms")
    assert bytes(Customer.objects.get().pseudonym) == first_pseudonym("ada")


@pytest.mark.usefixtures("new_key")
def test_a_program_without_the_new_key_writes_nobody_and_is_not_ready(settings: LazySettings) -> None:
    somebody("ada")
    rotate()
    assert "pseudonym_key" not in Readiness().missing()
    for keys in ([settings.PSEUDONYM_KEYS[0]], [settings.PSEUDONYM_KEYS[0], "another-second-key-0123456789-0123"]):
        settings.PSEUDONYM_KEYS = keys
        drop_all()
        assert "PSEUDONYM_KEYS" in Readiness().missing()["pseudonym_key"]
    settings.PSEUDONYM_KEYS = settings.PSEUDONYM_KEYS[:1]
    with pytest.raises(DatabaseError, match="fewer than the 2 keys"), settled():
        pass


@pytest.mark.usefixtures("new_key")
def test_a_backup_of_before_is_of_its_own_generation_and_erasures_of_after_are_repeated() -> None:
    ada = somebody("ada")
    rotate()
    bury(subject_of("ada", []), mode=EraseMode.FORGET, now=NOW)
    complete_log()
    Tombstone.objects.all().delete()
    ShopSetting.objects.filter(key=GENERATION).delete()
    before = {"pseudonym": first_pseudonym("ada"), "erased_at": None, "not_before": None, "personalise": True}
    Customer.objects.filter(pk=ada.pk).update(**before)
    drop_all()

    assert repeat_erasures(NOW + DAY) == 1
    assert subject_of("ada", []).keys == set()
    assert not person_keys(["ada"], SIGNED_IN, acted=lambda _name: NOW - DAY)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("new_key")
def test_killed_in_the_middle_it_is_not_done() -> None:
    ada = somebody("ada")
    errors: list[BaseException] = []

    def work() -> None:
        try:
            rotate_pseudonyms()
        except DatabaseError as error:
            errors.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=ada.pk)  # at which the last statement waits
        thread = threading.Thread(target=work)
        thread.start()
        locked = "wait_event_type = 'Lock' AND query LIKE 'UPDATE %pseudonym_layer%'"
        for _ in range(500):
            rows("SELECT pg_stat_clear_snapshot()::text")
            if ended := rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {locked}"):
                break
            time.sleep(0.01)
        thread.join(10)
    assert ended

    assert len(errors) == 1
    assert bytes(Customer.objects.get(pk=ada.pk).pseudonym) == first_pseudonym("ada")
    assert not ShopSetting.objects.filter(key=GENERATION).exists()
    rotate_pseudonyms()
    assert bytes(Customer.objects.get(pk=ada.pk).pseudonym) == once_more(first_pseudonym("ada"))


@pytest.mark.usefixtures("new_key")
def test_events_are_read_from_files_as_before(tmp_path: Path) -> None:
    prepare_partitions(NOW, NOW)
    ada = Customer.objects.create(pseudonym=pseudonym("ada"))
    Event.objects.create(customer=ada, occurred_at=NOW, event_id=uuid4(), name="view_item")
    with artefact_folder(tmp_path):
        before = event_frame(until=NOW + DAY)
        rotate()
        assert event_frame(until=NOW + DAY).equals(before)
