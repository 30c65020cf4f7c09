"""Variants by file: who is whose parent, by name or by group, and what becomes of those whose parent was refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommendations.ingest.import_files import import_items
from recommendations.models import Import, Item
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)


def load(tmp_path: Path, text: str) -> Import:
    path = tmp_path / "items.csv"
    path.write_text(text)
    return import_items(path, now=NOW, report=silent)


def parents() -> dict[str, str | None]:
    return dict(Item.objects.order_by("shop_id").values_list("shop_id", "parent__shop_id"))


def flaws(imported: Import) -> list[tuple[int, str, str]]:
    rows = imported.rejected_rows.all()
    return [(row.line, row.field, " ".join(row.reason.split()[:3])) for row in rows]


def test_rows_name_their_parents_in_any_order(tmp_path: Path) -> None:
    imported = load(tmp_path, "item_id,title,parent_id\nA1,Shoe 41,A\nA,Shoe,\nA2,Shoe 42,A\n")
    assert (imported.kept, imported.rejected) == (3, 0)
    assert parents() == {"A": None, "A1": "A", "A2": "A"}
    again = load(tmp_path, "item_id,title,parent_id\nA1,Shoe 41,A\nA,Shoe,\nA2,Shoe 42,\n")
    assert (again.kept, again.duplicates) == (1, 2)  # an empty cell clears its field
    assert parents() == {"A": None, "A1": "A", "A2": None}
    assert load(tmp_path, "item_id,title\nA1,Shoe 41\n").duplicates == 1
    assert parents()["A1"] == "A"  # a file without the column leaves it


def test_a_parent_that_is_nowhere_is_refused_and_so_is_who_hangs_on_it(tmp_path: Path) -> None:
    text = (
        "item_id,title,parent_id,price\nA,Shoe,,cheap\nA1,Shoe 41,A,1\nA11,Shoe 41 red,A1,1\n"
        "B,Boot,C,-1\nC1,Cap,C1,1\nD,Hat,,1\n"
    )
    imported = load(tmp_path, text)
    assert flaws(imported) == [
        (2, "price", "Not a number."),
        (3, "parent_id", "Neither the catalogue"),  # the row of A was refused
        (4, "parent_id", "Neither the catalogue"),
        (5, "price", "A price cannot"),
        (5, "parent_id", "Neither the catalogue"),  # all flaws of a row at once
        (6, "parent_id", "An item cannot"),
    ]
    assert (imported.rows, imported.kept, imported.rejected) == (6, 1, 5)
    assert parents() == {"D": None}


def test_a_group_hangs_on_its_namesake_or_its_first_item(tmp_path: Path) -> None:
    header = "id,title,item_group_id\n"
    load(tmp_path, f"{header}A2,Shoe 42,A\nA,Shoe,A\nB1,Boot 1,B\nB2,Boot 2,B\nC,Cap,C\nD,Hat,\n")
    assert parents() == {"A": None, "A2": "A", "B1": None, "B2": "B1", "C": None, "D": None}


def test_the_parent_of_a_group_stays_where_the_rows_change_places(tmp_path: Path) -> None:
    header = "id,title,item_group_id\n"
    load(tmp_path, f"{header}B1,Boot 1,B\nB2,Boot 2,B\n")
    again = load(tmp_path, f"{header}B3,Boot 3,B\nB2,Boot 2,B\nB1,Boot 1,B\n")
    assert (again.kept, again.duplicates) == (1, 2)
    assert parents() == {"B1": None, "B2": "B1", "B3": "B1"}
    load(tmp_path, f"{header}B2,Boot 2,X\nB1,Boot 1,B\n")
    assert parents() == {"B1": None, "B2": None, "B3": "B1"}  # it left the group


def test_a_refused_row_is_no_parent_of_its_group(tmp_path: Path) -> None:
    imported = load(tmp_path, "id,title,item_group_id\nB1,,B\nB2,Boot 2,B\nB3,Boot 3,B\n")
    assert (imported.kept, imported.rejected) == (2, 1)
    assert parents() == {"B2": None, "B3": "B2"}
