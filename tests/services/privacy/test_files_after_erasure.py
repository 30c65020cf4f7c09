"""No file of a shop that learned from somebody has a byte of theirs once they are erased."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.utils import timezone

from recommendations.loop.run import run_loop
from recommendations.models import Customer
from recommendations.services.operations.runs import start_run
from recommendations.services.privacy import work
from recommendations.services.privacy.requests import EraseAsk, ask_erase
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Cut, RunStatus
from tests.grocery import open_shop
from tests.trained import NOW, artefact_folder

FIRST_KEY = 7_123_456_789_012
"""Keys that no other number of the shop looks like."""


@pytest.fixture
def folder(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('recommendations_customer_id_seq', %s)", [FIRST_KEY])
    with artefact_folder(tmp_path / "artefacts"):
        open_shop(now=NOW)
        learn()
        yield tmp_path / "artefacts"
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE recommendations_customer_id_seq RESTART")


def learn() -> None:
    run = start_run(by=None, now=NOW, in_worker=False)
    assert run_loop(run.pk, clock=timezone.now) is RunStatus.SUCCEEDED


def found(folder: Path, sought: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """What is found in which kinds of files, all of which are read."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".npy", ".parquet", ".json"}  # others may hide what they hold
    seen = set()
    for path in files:
        content = told(path)
        kind = path.relative_to(folder).with_suffix("").as_posix().split("/", 1)[1]
        seen |= {(kind, name) for name, bytes_ in sought.items() if bytes_ in content}
    return seen


def told(path: Path) -> bytes:
    if path.suffix != ".parquet":
        return path.read_bytes()
    columns = pq.read_table(path).itercolumns()
    return b"\n".join(raw(value) for column in columns for value in column.to_pylist())


def raw(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.to_bytes(8, "little", signed=True) if isinstance(value, int) else str(value).encode()


def test_no_file_has_a_byte_of_who_was_erased(folder: Path) -> None:
    name = pseudonym("u3")
    key = Customer.objects.get(pseudonym=name).pk
    sought = {
        "key": key.to_bytes(8, "little"),
        "key in text": str(key).encode(),
        "first half": name[:8],
        "first half, turned": name[7::-1],
        "second half": name[8:16],
        "second half, turned": name[15:7:-1],
        "pseudonym in text": name.hex().encode(),
    }
    before = {kind: name for kind, name in found(folder, sought) if not kind.startswith("events/")}
    assert before == {
        "live/directory/prefix": "first half, turned",
        "live/directory/rest": "second half, turned",
        "live/directory/key": "key",
        **{f"{cut}/ids/users": "key" for cut in Cut},
    }
    months = {kind.split("/")[1] for kind, _ in found(folder, sought) if kind.startswith("events/")}
    assert len(months) >= 3

    request = ask_erase(EraseAsk(user_id="u3"), by=None, now=timezone.now())
    assert work.do_request(request.pk) is RunStatus.SUCCEEDED

    assert found(folder, sought) == set()  # before any run
