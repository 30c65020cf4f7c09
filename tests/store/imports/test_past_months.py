"""Files of old events: what files of past events keep is taken, and nothing goes into a month that is in one."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis

from recommendations.models import Event, EventFile, Import, Item, RetentionRule
from recommendations.privacy_terms import RetentionKind
from recommendations.services.privacy import retention
from recommendations.store.imports import event_import
from recommendations.store.retention_rules import archived_files
from recommendations.store.temp_tables import silent
from tests.event_frames import event_frame
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HEAD = "name,timestamp,user_id,item_id,event_id\n"


def load(tmp_path: Path, content: str) -> Import:
    path = tmp_path / "events.csv"
    path.write_text(content, encoding="utf-8")
    return event_import.import_events(path, currency="USD", now=NOW, report=silent)


@pytest.mark.parametrize("columnar_from", [0, 10**12])
def test_years_of_a_lake_come_in_and_move_into_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis, columnar_from: int
) -> None:
    """With the columns and types of the query in docs/growing.md, which Spark writes so."""
    del valkey
    monkeypatch.setattr(event_import, "COLUMNAR_FROM", columnar_from)
    Item.objects.create(shop_id="7001", title="Tea")
    RetentionRule.objects.create(kind=RetentionKind.EVENT_FILES, days=3_650, note="made", at=NOW - 9 * DAY)
    ordered = [datetime(2021, month, 5, tzinfo=UTC) for month in (1, 1, 2)] + [NOW - DAY]
    numbers = range(len(ordered))
    lines = {
        "name": pa.array(["purchase"] * len(ordered)),
        "timestamp": pa.array([int(at.timestamp() * 1_000_000) for at in ordered], pa.int64()),
        "user_id": pa.array([4_200_000_001 + number % 2 for number in numbers], pa.int64()),
        "item_id": pa.array([7_001] * len(ordered), pa.int32()),
        "event_id": pa.array([str(uuid.uuid4()) for _ in numbers]),
        "quantity": pa.array([1, 2, 1, 1], pa.int32()),
        "price": pa.array([Decimal("4.50")] * len(ordered), pa.decimal128(10, 2)),
        "transaction_id": pa.array(numbers, pa.int64()),
    }
    path = tmp_path / "part-00000.parquet"
    pq.write_table(pa.table(lines), path)
    with artefact_folder(tmp_path):
        imported = event_import.import_events(path, currency="USD", now=NOW, report=silent)
        assert (imported.rows, imported.kept, imported.rejected) == (4, 4, 0)
        before = event_frame(until=NOW)
        retention.expire(now=NOW)
        assert [event.occurred_at for event in Event.objects.all()] == [NOW - DAY]
        assert [(f"{file.month:%Y-%m}", file.rows) for file in archived_files()] == [("2021-01", 2), ("2021-02", 1)]
        assert event_frame(until=NOW).equals(before)
        assert sorted(before["amount"]) == [4.5, 4.5, 4.5, 9.0]
        again = event_import.import_events(path, currency="USD", now=NOW, report=silent)
        assert (again.kept, again.duplicates, again.reasons) == (0, 1, {"month_closed": 3})


@pytest.mark.parametrize("columnar_from", [0, 10**12])
def test_what_files_keep_is_taken_but_into_months_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columnar_from: int
) -> None:
    """Events of before the days of the database, and not of before those of files; nothing into a month of files."""
    Item.objects.create(shop_id="A1", title="Item")
    monkeypatch.setattr(event_import, "COLUMNAR_FROM", columnar_from)
    RetentionRule.objects.create(kind=RetentionKind.EVENT_FILES, days=3_650, note="made")
    load(tmp_path, f"{HEAD}view_item,2020-01-01T12:00:00Z,u1,A1,{uuid.uuid4()}\n")
    EventFile.objects.create(
        path="of May", month=datetime(2017, 5, 1, tzinfo=UTC), late=False, archived=True, rows=1, size=1
    )
    moments = ("2009-01-05T12:00:00Z", "2012-01-05T12:00:00Z", "2017-04-30T23:59:59Z", "2017-05-01T00:00:00Z",
               "2017-06-01T01:59:59+02:00", "2017-06-01T00:00:00Z", "2019-12-05T12:00:00Z")  # fmt: skip
    imported = load(tmp_path, HEAD + "".join(f"view_item,{at},u1,A1,{uuid.uuid4()}\n" for at in moments))
    assert (imported.rows, imported.kept, imported.rejected) == (7, 4, 3)
    assert imported.reasons == {"not_kept": 1, "month_closed": 2}
    assert "older than the database keeps them: 3. They move into files" in imported.message
    assert "older than they are kept" not in imported.message
