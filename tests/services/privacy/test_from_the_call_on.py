"""From the call of an erasure on nobody finds what was before, by the same id either; what is theirs since is found."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from recommendations.models import CatalogueFile, Customer, Experiment, Import, PrivacyRequest, Unit, WaitingLine
from recommendations.privacy_terms import HolderCode, RequestState
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.privacy import work
from recommendations.services.privacy.erasing import held_about
from recommendations.services.privacy.exports import open_export
from recommendations.services.privacy.holders import held_of_customer
from recommendations.services.privacy.my_data import ask_own_export, holdings_of
from recommendations.services.privacy.own_links import customer_of_token, link_to_my_data
from recommendations.services.privacy.requests import EraseAsk, ExportAsk, ask_erase, ask_export
from recommendations.services.privacy.rotation import rotate_pseudonyms
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.events.id_cache import living_keys
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym, pseudonym_unit
from recommendations.store.holders.registry import HOLDERS
from recommendations.store.process_held import drop_all
from recommendations.terms import CustomerKind, ExperimentStatus
from tests import experiment_records
from tests.holders import DAY, FOLDER, FOUND, Person, World, event, person, slate, stored_files, token, world

pytestmark = pytest.mark.django_db
NOTHING = dict.fromkeys((holder.code for holder in HOLDERS), 0)
THEIRS = NOTHING | {
    HolderCode.CUSTOMER: 1, HolderCode.EXPERIMENTS: 1, HolderCode.SLATES: 1, HolderCode.EVENTS: 2, HolderCode.FILES: 1,
}  # fmt: skip
"""What each holder has of who came back: of events those of others, who follow them."""


@pytest.fixture
def shared() -> Iterator[World]:
    yield world()
    for name in list(stored_files()):
        default_storage.delete(f"{FOLDER}/{name}")


def erase(one: Person) -> PrivacyRequest:
    """Ask for it; no worker has been at it when this returns."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return ask_erase(EraseAsk(user_id=one.name, anonymous_ids=(one.name,)), by=None, now=timezone.now())


def held(one: Person) -> dict[HolderCode, int]:
    return held_about(PersonIds(user_id=one.name, anonymous_ids=(one.name,)))


def found_by_command(*arguments: str) -> dict[str, int]:
    output = io.StringIO()
    call_command("privacy", "find", *arguments, stdout=output)
    lines = (line.split() for line in output.getvalue().splitlines())
    return {code: int(number.replace(",", "")) for code, number in lines}


def written(request: PrivacyRequest) -> tuple[str, dict[str, int]]:
    """The rows of all tables as text, and how many each holder has, of those that have any."""
    work.do_request(request.pk)
    request.refresh_from_db()
    assert request.state == RequestState.DONE, request.message
    archive = zipfile.ZipFile(io.BytesIO(b"".join(open_export(request, by=None, now=timezone.now()))))
    tables = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    rows = {code: entry["found"] for code, entry in request.counts.items() if entry["found"]}
    return "".join(str(rows) for rows in tables.values() if rows), rows


def come_back(of: World, one: Person) -> Customer:
    """Act by the same id as somebody new: drawn, shown a list, followed, and named in a file."""
    now, unit = timezone.now(), pseudonym_unit(pseudonym(one.name))
    prepare_partitions(now - DAY, now + DAY)
    key = living_keys([one.name], CustomerKind.SIGNED_IN)[one.name]
    later = experiment_records.experiment()
    Unit.objects.create(experiment=later, unit=unit, arm=later.arms.get(position=0), first_at=now)
    slate(of, one, served_at=now, unit=unit)
    followed: dict[str, Any] = {"target_type": "customer", "target_id": pseudonym(one.name).hex()}
    event(None, at=now, name="follow", **followed)
    WaitingLine.objects.create(
        occurred_at=now, event_id=uuid.uuid4(), line=0, shop_id="not yet", sent={"name": "follow", **followed}
    )  # fmt: skip
    file = f"{token()}.csv"
    default_storage.save(f"{FOLDER}/{file}", ContentFile(f"user_id\n{one.name}\n".encode()))
    CatalogueFile.objects.create(kind=Import.Kind.CONTACTS, file="contacts.csv", stored_as=file, lang="en")
    return Customer.objects.get(pk=key)


def test_no_id_leads_to_what_was_before(shared: World) -> None:
    gone, stays = person(shared), person(shared)
    before = held(stays)
    assert held(gone) == before == NOTHING | FOUND
    erase(gone)
    assert held(gone) == NOTHING
    assert held(stays) == before


def test_what_a_command_a_link_and_an_export_find_then_is_nothing(shared: World) -> None:
    gone = person(shared)
    erase(gone)
    for as_visitor in ([], ["--anonymous"]):
        assert set(found_by_command(gone.name, *as_visitor).values()) == {0}
    address, _until = link_to_my_data(gone.name, minutes=5, now=timezone.now())
    opened = customer_of_token(address.rstrip("/").rpartition("/")[2], LinkKind.MY_DATA, now=timezone.now())
    assert opened is not None
    assert opened[1] is None
    asked = ask_export(ExportAsk(user_id=gone.name, anonymous_ids=(gone.name,)), by=None, now=timezone.now())
    assert written(asked) == ("", {})


def test_who_comes_back_finds_what_is_theirs_since_and_no_more(shared: World) -> None:
    gone = person(shared)
    erase(gone)
    back = come_back(shared, gone)
    assert held(gone) == THEIRS
    assert found_by_command(gone.name) == THEIRS
    assert held_of_customer(back.pk) == THEIRS
    assert {each.code: each.number for each in holdings_of(back)} == {code: n for code, n in THEIRS.items() if n}
    for asked in (
        ask_export(ExportAsk(user_id=gone.name, anonymous_ids=(gone.name,)), by=None, now=timezone.now()),
        ask_own_export(back, now=timezone.now()),
    ):
        text, rows = written(asked)
        assert [each for each in gone.tokens[:-1] if each in text] == []
        assert gone.tokens[-1] in text  # of the list since
        assert rows == {HolderCode.CUSTOMER: 1, HolderCode.EXPERIMENTS: 1, HolderCode.SLATES: 1}


def test_what_was_asked_for_before_the_erasure_is_not_written_after_it(shared: World) -> None:
    gone = person(shared)
    by_id = ask_export(ExportAsk(user_id=gone.name), by=None, now=timezone.now())
    by_key = ask_own_export(gone.customer, now=timezone.now())
    erase(gone)
    come_back(shared, gone)
    for asked in (by_id, by_key):
        assert written(asked) == ("", {})


def test_nor_does_an_id_under_another_key_of_pseudonyms(shared: World, settings: LazySettings) -> None:
    settings.PSEUDONYM_KEYS = [*settings.PSEUDONYM_KEYS, "a-second-key-of-pseudonyms-0123456789"]
    gone = person(shared)
    erase(gone)
    Experiment.objects.update(status=ExperimentStatus.STOPPED, ended_at=timezone.now())
    rotate_pseudonyms()
    drop_all()  # a test's transaction announces nothing
    assert held(gone) == NOTHING
    come_back(shared, gone)
    assert held(gone) == THEIRS


def test_who_comes_back_and_is_erased_again_has_a_receipt_of_their_own(shared: World) -> None:
    gone = person(shared)
    first = erase(gone)
    come_back(shared, gone)
    second = erase(gone)
    for request in (first, second):
        work.do_request(request.pk)
        request.refresh_from_db()
    assert first.receipts.count() == second.receipts.count() == 1
    assert {code: entry["found"] for code, entry in second.counts.items()} == THEIRS | {HolderCode.FILES: 0}
