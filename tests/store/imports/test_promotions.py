"""Promotion files into the plan, and the plan as the engine sees it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from recommendations.engine.ids import id_map
from recommendations.models import Import, Item, Promotion, RejectedRow
from recommendations.store.imports import bulk_import, promotion_merge
from recommendations.store.imports.table_files import UnreadableFileError
from recommendations.store.models import training_data
from recommendations.store.models.model import days
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
MONDAY = date(2026, 9, 7)


@pytest.fixture(autouse=True)
def items() -> list[Item]:
    return [Item.objects.create(shop_id=name, title=name) for name in ("A1", "A2")]


def load(tmp_path: Path, content: str, *, now: datetime = NOW) -> Import:
    path = tmp_path / "promotions.csv"
    path.write_text(content)
    return bulk_import.import_promotions(path, now=now, report=silent)


def refused(imported: Import) -> list[tuple[int, str, str]]:
    """Line, field and the first words of the reason."""
    rows = RejectedRow.objects.filter(source=imported)
    return [(row.line, row.field, " ".join(row.reason.split()[:5])) for row in rows]


def counts(imported: Import) -> tuple[int, int, int, int]:
    return (imported.rows, imported.kept, imported.duplicates, imported.rejected)


def plan() -> list[tuple[str, date, float, float]]:
    rows = Promotion.objects.order_by("item__shop_id", "week")
    return list(rows.values_list("item__shop_id", "week", "display", "mailer"))


FILE = "item_id,week,display,mailer\nA1,2026-09-07,0.25,1\nA1,2026-09-14,,0.5\nA2,2026-09-07,1,\n"


def test_weeks_of_items_are_kept_and_an_empty_share_is_none(tmp_path: Path) -> None:
    imported = load(tmp_path, FILE)
    assert (imported.kind, imported.status, counts(imported)) == ("promotions", "finished", (3, 3, 0, 0))
    assert plan() == [
        ("A1", MONDAY, 0.25, 1), ("A1", date(2026, 9, 14), 0, 0.5), ("A2", MONDAY, 1, 0)
    ]  # fmt: skip


def test_importing_a_promotion_file_twice_changes_nothing_but_changed_shares(tmp_path: Path) -> None:
    load(tmp_path, FILE)
    before = list(Promotion.objects.order_by("pk").values())
    assert counts(load(tmp_path, FILE)) == (3, 0, 3, 0)
    assert list(Promotion.objects.order_by("pk").values()) == before
    assert counts(load(tmp_path, FILE.replace("0.25", "0.3"))) == (3, 1, 2, 0)
    assert plan()[0] == ("A1", MONDAY, 0.3, 1)


def test_a_share_that_the_file_has_no_column_for_stays(tmp_path: Path) -> None:
    load(tmp_path, FILE)
    assert counts(load(tmp_path, "item_id,week,mailer\nA1,2026-09-07,0.5\nA2,2026-09-14,1\n")) == (2, 2, 0, 0)
    assert plan()[0] == ("A1", MONDAY, 0.25, 0.5)
    assert plan()[-1] == ("A2", date(2026, 9, 14), 0, 1)


BAD = [
    (",2026-09-07,1,1", "item_id", "The field is required but"),
    ("A9,2026-09-07,1,1", "item_id", "The catalogue has no such"),
    ("A1,,1,1", "week", "The field is required but"),
    ("A1,37/2026,1,1", "week", "Not a date. Write the"),
    ("A1,2026-02-30,1,1", "week", "Not a date. Write the"),
    ("A1,2026-09-07T10:00:00,1,1", "week", "Not a date. Write the"),
    ("A1,1989-12-25,1,1", "week", "The time is before 1990."),
    ("A1,2206-09-07,1,1", "week", "The week is more than"),
    ("A1,2026-09-08,1,1", "week", "The shop's promotion weeks start"),
    ("A1,2026-09-07,many,1", "display", "Not a number. Use a"),
    ("A1,2026-09-07,NaN,1", "display", "Not a number. Use a"),
    ("A1,2026-09-07,1,1.01", "mailer", "A share of the stores"),
    ("A1,2026-09-07,-0.1,1", "display", "A share of the stores"),
    ("A2,2026-09-07 00:00:00,0,1", "week", "The item and the week"),
    ("A1", "", "The row has more or"),
]


@pytest.mark.parametrize(("row", "field", "reason"), BAD)
def test_a_bad_row_is_refused_with_its_remedy_and_its_neighbours_are_kept(
    tmp_path: Path, row: str, field: str, reason: str
) -> None:
    good = "A2,2026-09-07,1,0\nA2,2026-09-14,1,0"
    imported = load(tmp_path, f"item_id,week,display,mailer\n{good}\n{row}\n")
    assert refused(imported) == [(4, field, reason)]
    assert counts(imported) == (3, 2, 0, 1)
    assert [name for name, *_ in plan()] == ["A2", "A2"]


def test_a_week_starts_as_those_of_the_plan_or_as_most_of_the_file(tmp_path: Path) -> None:
    first = load(tmp_path, "item_id,week,mailer\nA1,2026-09-01,1\nA1,2026-09-02,1\nA2,2026-09-09,1\n")
    assert [row.reason for row in first.rejected_rows.all()] == [
        "The shop's promotion weeks start on a Wednesday; enter the date of that day."
    ]
    later = load(tmp_path, "item_id,week,mailer\nA1,2026-09-14,1\nA2,2026-09-14,1\nA2,2026-09-16,1\n")
    assert (first.kept, later.kept, later.reasons) == (2, 1, {"not_a_wednesday": 2})
    assert {week.weekday() for _, week, *_ in plan()} == {2} == {promotion_merge.first_weekday()}


def test_a_file_without_any_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="one of the columns “display”, “mailer” is needed"):
        load(tmp_path, "item_id,week\nA1,2026-09-07\n")
    assert Import.objects.get().status == Import.Status.FAILED


def test_weeks_in_parquet_may_be_dates_or_moments(tmp_path: Path) -> None:
    path = tmp_path / "promotions.parquet"
    columns = {"item_id": ["A1", "A2"], "mailer": [0.125, float("nan")]}
    dates = pa.array([MONDAY, MONDAY], pa.date32())
    for weeks in (dates, dates.cast(pa.timestamp("us"))):
        pq.write_table(pa.table(columns | {"week": weeks}), path)
        imported = bulk_import.import_promotions(path, now=NOW, report=silent)
        assert refused(imported) == [(2, "mailer", "Not a number. Use a")]
    assert plan() == [("A1", MONDAY, 0, 0.125)]


def test_the_database_keeps_shares_between_none_and_all(items: list[Item]) -> None:
    for shares in ({"display": -0.1}, {"mailer": 1.1}, {"display": float("nan")}):
        with pytest.raises(IntegrityError, match="is_a_share"), transaction.atomic():
            Promotion.objects.create(item=items[0], week=MONDAY, **shares)
    Promotion.objects.create(item=items[0], week=MONDAY)
    with pytest.raises(IntegrityError, match="item_is_promoted_once_a_week"), transaction.atomic():
        Promotion.objects.create(item=items[0], week=MONDAY)


def test_the_plan_is_the_weeks_that_are_not_over(items: list[Item]) -> None:
    weeks = [MONDAY + timedelta(weeks=number) for number in range(-2, 3)]
    Promotion.objects.bulk_create(Promotion(item=items[0], week=week) for week in weeks)
    ending = Promotion.objects.ending_after(MONDAY)
    assert sorted(ending.values_list("week", flat=True)) == weeks[2:]
    sunday = Promotion.objects.ending_after(MONDAY - timedelta(days=1)).of_items([items[0]])
    assert sorted(sunday.values_list("week", flat=True)) == weeks[1:]
    assert promotion_merge.weeks() == weeks[::-1]


def test_without_promotions_there_are_no_weeks() -> None:
    assert (promotion_merge.weeks(), promotion_merge.first_weekday()) == ([], None)
    frame = training_data.promotion_frame(first=NOW, last=NOW)
    assert frame.columns.tolist() == ["item", "start", "display", "mailer"]
    assert training_data.promotions_at(days(NOW), frame, id_map(np.array([1]))) is None


def test_the_engine_sees_a_year_of_the_past_and_four_weeks_of_the_plan(items: list[Item]) -> None:
    """The cut is Tuesday noon: the week it falls into began 1.5 days before."""
    cut = datetime(2026, 9, 8, 12, tzinfo=UTC)
    for number in (-53, -52, -51, -1, 0, 3, 4, 5):
        Promotion.objects.create(
            item=items[0], week=MONDAY + timedelta(weeks=number), display=0.5 if number else 1, mailer=0.25
        )
    Promotion.objects.create(item=items[1], week=MONDAY, mailer=1)
    frame = training_data.promotion_frame(first=cut, last=cut)
    seen = training_data.promotions_at(days(cut), frame, id_map(np.array([items[0].pk])))
    assert seen is not None
    order = np.argsort(seen.start)
    np.testing.assert_allclose(seen.start[order], np.array([-51, -1, 0, 3, 4]) * 7 - 1.5)
    assert seen.item.tolist() == [0] * 5
    assert seen.display[order].tolist() == [0.5, 0.5, 1, 0.5, 0.5]
    assert {array.dtype.name for array in (seen.start, seen.display, seen.mailer)} == {"float32"}


def test_a_week_begins_at_midnight_in_the_shop_s_time_zone(items: list[Item], settings: Settings) -> None:
    settings.SHOP_TIME_ZONE = "America/New_York"
    Promotion.objects.create(item=items[0], week=MONDAY)
    cut = datetime(2026, 9, 7, tzinfo=UTC)
    assert training_data.promotion_frame(first=cut, last=cut)["start"].tolist() == pytest.approx([days(cut) + 4 / 24])
