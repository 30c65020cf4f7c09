"""The columns' way leaves what the stage and its rules would have left, whatever is in the file."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommendations.store.imports import csv_rows, event_import, table_files
from recommendations.store.imports.columnar import sieve
from recommendations.store.temp_tables import rows
from tests.emptying import empty
from tests.lengths import cases
from tests.store.imports.columnar.event_files import COLUMNS, ImportMade, left, load, mixed, open_shop, write

pytestmark = pytest.mark.django_db(transaction=True)
NEVER = 10**12


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of about 20 rows, proved by 150; one with a quote in it is staged."""
    monkeypatch.setattr(csv_rows, "BLOCK", 3_000)
    monkeypatch.setattr(sieve, "BLOCK", 150)


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[ImportMade], list[ImportMade], int]:
    """What is left after a file came once, and twice, by the stage alone and by the columns; how many of its lines went
    by these the first time.
    """
    made, keyed = [], {0}
    for smallest in (NEVER, 0):
        empty()
        open_shop()
        monkeypatch.setattr(event_import, "COLUMNAR_FROM", smallest)
        made.append(
            [left(load(path, report=lambda step, _, total: keyed.add(total * (step == "keys")))), left(load(path))]
        )
    return made[0], made[1], max(keyed)


def differences(mine: Sequence[Any], theirs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What only one of the two has."""
    return [each for each in mine if each not in theirs], [each for each in theirs if each not in mine]


@pytest.mark.parametrize("seed", range(cases(short=2, full=40)))
@pytest.mark.parametrize("scattered", [False, True])
def test_both_ways_leave_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, seed: int, scattered: bool
) -> None:
    chance = random.Random(seed)
    path = write(tmp_path / "events.csv", mixed(chance, events=300, scattered=scattered))
    compare(path, monkeypatch)


def test_both_ways_take_the_numbers_of_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20)
    made = mixed(chance, events=300, scattered=True)
    for number, row in enumerate(made):
        row["line"] = chance.choice([str(300 + number)] * 8 + ["", f"{20_000 + number}.0", "32768", "x"])
    compare(write(tmp_path / "events.csv", made, [*COLUMNS, "line"]), monkeypatch)


def test_both_ways_read_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = mixed(random.Random(21), events=300, scattered=True)
    table = pa.table({name: pa.array([row.get(name) for row in made], pa.string()) for name in COLUMNS})
    monkeypatch.setattr(table_files, "BATCH_ROWS", 20)
    pq.write_table(table, tmp_path / "events.parquet")
    compare(tmp_path / "events.parquet", monkeypatch)


def compare(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staged, by_column, keyed = both_ways(path, monkeypatch)
    for one, other in zip(staged, by_column, strict=True):
        for field, mine, theirs in zip(ImportMade._fields, one, other, strict=True):
            assert differences(mine, theirs) == ([], []), field
    assert len(staged[0].events) > 250
    assert keyed > len(staged[0].events) / 8  # blocks with a quote in them are staged
    assert staged[1].figures[1] == 0
    assert rows("SELECT relname FROM pg_class WHERE relname LIKE 'import%' AND relkind = 'r'") == []
