"""Somebody with something at every holder of the record is exported, erased, and that is proved."""

import csv
import html
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import TestCase
from django.utils import timezone, translation

from recommendations.models import Customer, PrivacyRequest, Receipt, Slate, Unit
from recommendations.privacy_terms import HolderCode, ReceiptPart, RequestState
from recommendations.services.privacy import closing, receipts, work
from recommendations.services.privacy.exports import open_export
from recommendations.services.privacy.requests import EraseAsk, ExportAsk, ask_erase, ask_export
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.registry import HOLDERS
from recommendations.wording.privacy.words import COUNTED
from tests.holders import DAY, FOLDER, Person, World, event, person, slate, stored_files, world

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def shared() -> Iterator[World]:
    yield world()
    for name in list(stored_files()):
        default_storage.delete(f"{FOLDER}/{name}")


def archive(one: Person, language: str) -> zipfile.ZipFile:
    request = ask_export(ExportAsk(user_id=one.name, language=language), by=None, now=NOW)
    work.do_request(request.pk)
    request.refresh_from_db()
    assert request.state == RequestState.DONE, request.message
    return zipfile.ZipFile(io.BytesIO(b"".join(open_export(request, by=None, now=timezone.now()))))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_export_has_both_forms_of_every_sheet_and_nobody_else_in_it(shared: World, language: str) -> None:
    one, other = person(shared), person(shared)
    files = archive(one, language)
    names = files.namelist()
    assert len(names) == len(set(names))
    texts = {name: files.read(name).decode("utf-8-sig") for name in names}
    whole = "\n".join(texts.values())
    assert [token for token in one.tokens if token not in whole] == []
    assert [token for token in other.tokens if token in whole] == []
    for name in names:
        if name.endswith(".json"):
            stored = json.loads(texts[name])
            head, *rows = csv.reader(io.StringIO(texts[name.removesuffix("json") + "csv"]))
            assert len(set(head)) == len(head), name
            assert [list(row) for row in stored] == [head] * len(rows), name


def test_an_export_says_where_counts_are_others(shared: World) -> None:
    one = person(shared)
    rows = {holder.code: sum(len(list(sheet.rows)) for sheet in holder.export(one.subject)) for holder in HOLDERS}
    held = {holder.code: holder.find(one.subject) for holder in HOLDERS}
    models = {HolderCode.LIVE, HolderCode.LEARNED, HolderCode.SNAPSHOTS}  # of which nobody here has anything
    assert {code for code in held if held[code] != rows[code]} | models == COUNTED.keys()
    for language in ("en", "zh-hans"):
        files = archive(one, language)
        with translation.override(language):
            for name in ("index.html", "README.txt"):
                text = html.unescape(files.read(name).decode())
                assert [str(words) for words in COUNTED.values() if str(words) not in text] == [], name


def test_who_comes_back_before_the_scan_keeps_what_is_theirs_since(shared: World) -> None:
    """By the same id, and so by the same number: they are somebody new, of whom nothing is left to erase."""
    gone = person(shared)
    with TestCase.captureOnCommitCallbacks(execute=True):
        request = ask_erase(EraseAsk(user_id=gone.name, anonymous_ids=()), by=None, now=NOW)
    now, unit = timezone.now(), int.from_bytes(pseudonym(gone.name)[:8], signed=True)
    listed = slate(shared, gone, served_at=now, unit=unit)
    late = slate(shared, gone, served_at=now - timedelta(minutes=1), unit=unit)  # on its way when they were erased
    number = Unit.objects.filter(unit=unit).update(first_at=now, customer=None)
    follow: dict[str, Any] = {"target_type": "customer", "target_id": pseudonym(gone.name).hex()}
    prepare_partitions(now - DAY, now + DAY)
    follower = event(None, at=now, name="follow", **follow)

    work.do_request(request.pk)
    request.refresh_from_db()

    assert (request.state, request.message) == (RequestState.WAITING_FOR_RUN, "")
    assert list(Slate.objects.filter(unit=unit).values_list("recommendation_id", flat=True)) == [listed] != [late]
    assert Unit.objects.filter(unit=unit).count() == number == 1
    follower.refresh_from_db()
    assert follower.target_id == follow["target_id"]


def test_an_erasure_leaves_nothing_and_its_receipts_name_nobody(shared: World) -> None:
    gone, stays = person(shared), person(shared)
    before = {holder.code: holder.find(stays.subject) for holder in HOLDERS}
    request = ask_erase(EraseAsk(user_id=gone.name), by=None, now=NOW)
    work.do_request(request.pk)
    request.refresh_from_db()
    assert request.message == ""
    assert request.unknown_at is not None
    assert {entry["left"] for entry in request.counts.values()} == {0}
    assert all(request.counts[holder.code]["found"] for holder in HOLDERS if before[holder.code])
    assert {holder.code: holder.find(stays.subject) for holder in HOLDERS} == before

    closing.close_erasures(timezone.now() + timedelta(minutes=2))
    assert not Customer.objects.exclude(erased_at=None).exists()
    parts = list(Receipt.objects.order_by("serial").values_list("part", flat=True))
    assert parts[0] == ReceiptPart.ERASED
    handed = receipts.chain()
    assert receipts.verify(handed, whole=True) == []
    text = json.dumps(handed)
    assert [token for token in [gone.name, *gone.tokens] if token in text] == []
    [stored] = PrivacyRequest.objects.values()
    assert [token for token in [gone.name, *gone.tokens] if token in str(stored)] == []
