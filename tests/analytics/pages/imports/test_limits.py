"""Files that are no table, or too much of one: refused at their field, and the next one is looked at as ever."""

import gzip
import io
import resource
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from recommendations.models import CatalogueFile, Import, Item
from recommendations.services.catalogue import files, uploads
from recommendations.store.imports import validate
from recommendations.store.jobs import forget_peak, peak_mb
from recommendations.terms import RunStatus
from tests.analytics.pages.imports.sending import FILE, look

pytestmark = pytest.mark.django_db


def stored(*jobs: UUID) -> set[str]:
    """Names under which the files of these jobs are kept."""
    return set(CatalogueFile.objects.filter(pk__in=jobs).values_list("stored_as", flat=True))


def test_files_that_wait_are_bounded(admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_KEPT", 3)
    jobs = [look(admin).context["job"].pk for _ in range(4)]
    assert {path.name for path in (tmp_path / files.FOLDER).iterdir()} == stored(*jobs[1:])
    monkeypatch.setattr(files, "MOST_BYTES", 2 * len(FILE))
    newest = look(admin).context["job"].pk
    assert {path.name for path in (tmp_path / files.FOLDER).iterdir()} == stored(jobs[-1], newest)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("artikel,price\nTea,3\n", "column “item_id”, “title” is missing"),
        ("<html><body>Sign in</body></html>", "spring.csv: This XML has no &lt;item&gt; or &lt;entry&gt;"),
        ("", "submitted file is empty"),
        (b"PK\x03\x04 a workbook", "spring.csv cannot be unpacked"),
        (b"\x89PNG\r\n\x1a\n\x00", "spring.csv: This is a PNG picture"),
    ],
)
def test_a_file_that_is_no_table_is_refused_at_its_field(admin: Client, content: str | bytes, told: str) -> None:
    page = look(admin, content).content.decode()
    assert told in page
    assert 'id="file-error"' in page


def test_an_archive_is_refused_by_what_it_unpacks_to(admin: Client, items: list[Item], tmp_path: Path) -> None:
    bomb = gzip.compress(b"item_id,title\n" + b"A1,Tea\n" * 15_000_000)  # 105 MB
    assert "more than 64 MB of text once it is unpacked" in look(admin, bomb, name="bomb.csv.gz").content.decode()
    assert list((tmp_path / files.FOLDER).iterdir()) == []


def test_too_many_rows_are_for_the_command(admin: Client, items: list[Item], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    assert "more than 3 rows" in look(admin).content.decode()


def parquet(rows: int, text: str) -> bytes:
    """A small file that says the same long text in every row."""
    buffer = io.BytesIO()
    columns = {"item_id": [f"P{n}" for n in range(rows)], "title": ["Tea"] * rows, "description": [text] * rows}
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def test_a_packed_file_is_refused_by_what_it_unpacks_to(
    admin: Client, items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = parquet(20_000, "x" * 100_000)
    assert len(bomb) < 200_000
    forget_peak()
    resident = peak_mb()
    for _ in range(2):
        page = look(admin, bomb, name="bomb.parquet").content.decode()
        assert "more than 64 MB of text once it is unpacked" in page
    assert peak_mb() - resident < 400  # 2 GB of text, unpacked
    assert "more than 20,000 rows" in look(admin, parquet(20_001, ""), name="rows.parquet").content.decode()
    assert list((tmp_path / files.FOLDER).iterdir()) == []  # what is refused is not kept
    assert Import.objects.count() == 0
    assert look(admin).context["preview"].taken == 3  # and the next file is looked at as ever


def test_a_file_of_too_many_rows_is_refused_before_the_rest_is_read(
    admin: Client, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST", 10**9)
    monkeypatch.setattr(validate, "judge", lambda *_given, **_named: pytest.fail("the rows were judged"))
    rows = "\n".join(f"r{number},Thing" for number in range(300_000))
    assert "more than 20,000 rows" in look(admin, f"item_id,title\n{rows}\n").content.decode()


def test_a_file_that_costs_too_much_memory_fails_and_its_worker_goes_on(
    admin: Client, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MEMORY", 50_000_000)
    monkeypatch.setattr(files, "look", lambda **_given: bytearray(200_000_000))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert "needs too much memory" in look(admin).content.decode()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert CatalogueFile.objects.get().status == RunStatus.FAILED
