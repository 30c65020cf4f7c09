"""The file of all that is held about somebody: what is in it, that it lies sealed, and that it goes after a week."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography.fernet import Fernet, MultiFernet
from django.conf import LazySettings
from django.test import TestCase
from django.utils import timezone

from recommendations.models import AuditEntry, PrivacyRequest, StatedTaste
from recommendations.privacy_terms import EraseMode, RequestState
from recommendations.services.privacy import erasing, exports, work
from recommendations.services.privacy.exports import ExportExpiredError, ExportNotReadyError, open_export
from recommendations.services.privacy.requests import EraseAsk, ExportAsk, ask_erase, ask_export
from recommendations.services.privacy.sealed import PrivacyKeysMissingError
from recommendations.services.privacy.sealed_file import PIECE, SealingWriter, unsealed
from recommendations.store.contacts.sealing import SealBrokenError
from recommendations.store.erasure.burial import bury
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Sheet, Subject
from tests.privacy_holders import JoinHolder, TasteHolder, somebody

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _holders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))


def export(language: str = "en") -> PrivacyRequest:
    request = ask_export(ExportAsk(user_id="ada", language=language), by=None, now=NOW)
    work.do_request(request.pk)
    request.refresh_from_db()
    return request


def archive(request: PrivacyRequest) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(open_export(request, by=None, now=timezone.now()))))


@pytest.mark.django_db
def test_it_has_every_sheet_twice_and_a_text_that_explains_them() -> None:
    somebody("ada", "phone")
    somebody("bo")
    request = export()
    assert (request.state, request.sealed) == (RequestState.DONE, None)
    assert {code: entry["found"] for code, entry in request.counts.items()} == {"interests": 2, "customer": 1}

    files = archive(request)
    assert files.testzip() is None
    assert set(files.namelist()) == {
        "interests/tastes.csv", "interests/tastes.json", "customer/joined.csv", "customer/joined.json", "README.txt",
        "index.html", "index.zh-hans.html",
    }  # fmt: skip
    text = files.read("interests/tastes.csv").decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["tags", "categories", "stated_at"]
    assert [row[:2] for row in rows] == [['["ümlaut"]', "'=1+1"]] * 2  # no spreadsheet runs it
    stored = json.loads(files.read("interests/tastes.json"))
    assert [(row["tags"], row["categories"]) for row in stored] == [(["ümlaut"], "=1+1")] * 2
    assert "Interests and segments (interests/)" in files.read("README.txt").decode()
    assert "tastes: 2 rows" in files.read("README.txt").decode()


@pytest.mark.django_db
def test_it_is_explained_in_the_language_that_was_asked_for() -> None:
    somebody("ada")
    text = archive(export("zh-hans")).read("README.txt").decode()
    assert "兴趣" in text
    assert "Purpose" not in text


class Page(HTMLParser):
    """A page's tags with what they say, its texts, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.links, self.cells = list[str](), list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += [tag, *(name for name, _value in attrs)]
        self.links += [unquote(value or "") for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.cells.append(data.strip())


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_its_pages_are_read_in_both_languages_without_a_script(language: str) -> None:
    ada = somebody("ada", *(f"visit {number}" for number in range(12)))
    StatedTaste.objects.filter(customer=ada).update(categories=["<script>alert(1)</script>", "and so on " * 100])
    files = archive(export(language))
    pages = {name: Page(files.read(name).decode()) for name in files.namelist() if name.endswith(".html")}
    other = "zh-hans" if language == "en" else "en"
    assert set(pages) == {"index.html", f"index.{other}.html"}
    for page in pages.values():
        assert not [each for each in page.tags if each == "script" or each.startswith("on")]
        assert not [each for each in page.links if not each.startswith("#") and each not in files.namelist()]
        assert {"interests/tastes.csv", "interests/tastes.json"} <= set(page.links)
        assert any(each.startswith("<script>alert(1)</script>") for each in page.cells)
        assert "tags" in page.cells
    english, chinese = (pages["index.html" if language == code else f"index.{code}.html"] for code in ("en", "zh-hans"))
    assert "The first 10 of 13 rows; all are in the files." in english.cells
    assert "inferred, not said by you" in english.cells
    assert any(each.startswith("前 10 行") for each in chinese.cells)
    assert "目的" in chinese.cells
    assert [page.links[0] for page in (pages["index.html"], pages[f"index.{other}.html"])] == [
        f"index.{other}.html", "index.html",
    ]  # fmt: skip


@pytest.mark.django_db
def test_an_export_before_an_erasure_has_what_was_there() -> None:
    somebody("ada")
    request = ask_erase(EraseAsk(user_id="ada", export_first=True), by=None, now=NOW)
    work.do_request(request.pk)
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    assert len(json.loads(archive(request).read("interests/tastes.json"))) == 1
    assert request.counts["interests"]["deleted"] == 1


@pytest.mark.django_db
def test_it_lies_sealed_for_a_week_and_the_trail_says_who_took_it() -> None:
    somebody("ada")
    asked = ask_export(ExportAsk(user_id="ada"), by=None, now=NOW)
    with pytest.raises(ExportNotReadyError):
        open_export(asked, by=None, now=NOW)
    request = export()
    [path] = exports.folder().iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"PK" not in path.read_bytes()[:4]
    archive(request)
    assert AuditEntry.objects.filter(verb="download").count() == 1

    later = timezone.now() + timedelta(days=7)
    with pytest.raises(ExportExpiredError):
        open_export(request, by=None, now=later)
    assert exports.forget_exports(now=later - timedelta(hours=1)) == 0
    assert exports.forget_exports(now=later) == 1
    assert not path.exists()
    request.refresh_from_db()
    with pytest.raises(ExportExpiredError):
        open_export(request, by=None, now=NOW)


@pytest.mark.django_db
def test_without_keys_nothing_is_taken_in(settings: LazySettings) -> None:
    settings.EXPORT_KEYS = []
    with pytest.raises(PrivacyKeysMissingError, match="EXPORT_KEYS"):
        export()
    assert not PrivacyRequest.objects.exists()


def test_a_sealed_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    box = MultiFernet([Fernet(Fernet.generate_key())])
    content = bytes(range(256)) * (PIECE // 100)
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        with SealingWriter(path, box) as file:
            file.write(content[:1000])
            file.write(content[1000:])
            file.finish()
    assert b"".join(unsealed(paths[0], box)) == content
    lines = paths[0].read_bytes().splitlines(keepends=True)
    assert len(lines) > 2
    others = paths[1].read_bytes().splitlines(keepends=True)
    swapped, mixed = [lines[1], lines[0], *lines[2:]], [others[0], *lines[1:]]
    for forged in (lines[:-1], lines[1:], swapped, mixed, [*lines, lines[0]]):
        paths[0].write_bytes(b"".join(forged))
        with pytest.raises(SealBrokenError):
            list(unsealed(paths[0], box))
    with SealingWriter(tmp_path / "half", box) as half:
        half.write(b"never finished")
    assert not (tmp_path / "half").exists()


@pytest.mark.django_db
def test_files_of_who_is_erased_go_but_the_one_that_was_wanted_with_it() -> None:
    somebody("ada")
    before, others = export(), ask_export(ExportAsk(user_id="bo"), by=None, now=NOW)
    work.do_request(others.pk)
    erased = ask_erase(EraseAsk(user_id="ada", export_first=True), by=None, now=NOW)
    work.do_request(erased.pk)
    kept = {path.name for path in exports.folder().iterdir()}
    assert kept == {f"{others.pk}.zip", f"{erased.pk}.zip"}
    before.refresh_from_db()
    with pytest.raises(ExportExpiredError):
        open_export(before, by=None, now=timezone.now())


@pytest.mark.django_db
def test_who_wants_an_export_first_stays_known_until_it_is_written_whoever_else_asks() -> None:
    somebody("ada")
    with TestCase.captureOnCommitCallbacks(execute=True):
        wanted = ask_erase(EraseAsk(user_id="ada", export_first=True), by=None, now=NOW)
    with TestCase.captureOnCommitCallbacks(execute=True):
        other = ask_erase(EraseAsk(user_id="ada"), by=None, now=NOW)
    work.do_request(other.pk)
    other.refresh_from_db()
    assert (other.unknown_at, other.options["same_as"]) == (None, str(wanted.pk))
    for each in (wanted, other):
        work.do_request(each.pk)
        each.refresh_from_db()
        assert each.state == RequestState.DONE
    assert len(json.loads(archive(wanted).read("interests/tastes.json"))) == 1


@pytest.mark.django_db
def test_files_go_by_whatever_id_they_were_asked_for() -> None:
    somebody("ada", "phone")
    before = export()
    erased = ask_erase(EraseAsk(anonymous_ids=("phone",)), by=None, now=NOW)
    work.do_request(erased.pk)
    before.refresh_from_db()
    assert before.file == ""
    assert not list(exports.folder().iterdir())


@pytest.mark.django_db
def test_files_go_of_who_was_made_unknown_by_another_request() -> None:
    """As whoever waits is, where files are written for many; or where a worker is killed after it."""
    somebody("ada")
    before = export()
    erased = ask_erase(EraseAsk(user_id="ada"), by=None, now=NOW)
    erasing.make_unknown(erased, now=timezone.now())
    work.do_request(erased.pk)
    before.refresh_from_db()
    assert before.file == ""


class ErasedMeanwhile(TasteHolder):
    """A holder during whose export the person is erased."""

    def export(self, subject: Subject) -> Iterator[Sheet]:
        yield from super().export(subject)
        if subject.keys:
            bury(subject, mode=EraseMode.FORGET, now=timezone.now())


@pytest.mark.django_db
def test_a_file_of_who_is_erased_as_it_is_written_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (ErasedMeanwhile(), JoinHolder()))
    somebody("ada", "phone")
    request = export()
    assert request.state == RequestState.DONE
    assert json.loads(archive(request).read("interests/tastes.json")) == []
    assert {entry["found"] for entry in request.counts.values()} == {0}
