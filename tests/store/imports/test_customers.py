"""Files of customers: properties by any name, as the API would set them, and audiences that they are for."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.models import Customer, Import, RejectedRow
from recommendations.services.catalogue.refused_rows import filled_columns, refused_file
from recommendations.services.customers import set_properties
from recommendations.store.audiences.conditions import as_statement
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.imports import bulk_import
from recommendations.store.imports.table_files import UnreadableFileError
from recommendations.store.temp_tables import rows, silent

pytestmark = pytest.mark.django_db

FILE = """user_id,country,Kundengruppe,loyalty_years,member,postcode
u1,IT,B2B,3.50,true,01234
u2,DE,,0,FALSE,
"""


def load(folder: Path, content: str | bytes, *, name: str = "customers.csv") -> Import:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return bulk_import.import_customers(path, report=silent)


def said(user_id: str) -> dict[str, object]:
    return dict(Customer.objects.get(pseudonym=pseudonym(user_id)).properties)


def counts(imported: Import) -> tuple[int, int, int, int]:
    return imported.rows, imported.kept, imported.duplicates, imported.rejected


def test_every_column_is_a_property_and_twice_changes_nothing(tmp_path: Path) -> None:
    imported = load(tmp_path, FILE)
    assert (imported.kind, imported.status, counts(imported)) == ("customers", "finished", (2, 2, 0, 0))
    assert said("u1") == {
        "country": "IT", "Kundengruppe": "B2B", "loyalty_years": 3.5, "member": True, "postcode": "01234"
    }  # fmt: skip
    assert said("u2") == {"country": "DE", "loyalty_years": 0, "member": False}
    assert counts(load(tmp_path, FILE)) == (2, 0, 2, 0)
    assert Customer.objects.count() == 2


def test_it_is_what_the_api_sets(tmp_path: Path) -> None:
    load(tmp_path, FILE)
    sent: dict[str, str | float | bool | None] = {
        "country": "IT",
        "Kundengruppe": "B2B",
        "loyalty_years": 3.5,
        "member": True,
        "postcode": "01234",
    }
    assert not set_properties(user_id="u1", properties=sent)  # nothing differs


def test_an_empty_cell_deletes_and_what_the_file_lacks_stays(tmp_path: Path) -> None:
    load(tmp_path, FILE)
    imported = load(tmp_path, "country,user_id\n,u1\nDE,u2\nFR,u3\n")
    assert counts(imported) == (3, 2, 1, 0)
    assert said("u1") == {"Kundengruppe": "B2B", "loyalty_years": 3.5, "member": True, "postcode": "01234"}
    assert said("u3") == {"country": "FR"}


def test_names_may_be_any_text_and_parquet_is_read(tmp_path: Path) -> None:
    names = ["fault", "content", "file_line", "property_1", "国家", 'a"b', "x%s", "a'; DROP", "ü" * 60]
    table = pa.table({"user_id": ["u1"], **{name: [f"v{place}"] for place, name in enumerate(names)}})
    path = tmp_path / "customers.parquet"
    pq.write_table(table, path)
    imported = bulk_import.import_customers(path, report=silent)
    assert counts(imported) == (1, 1, 0, 0)
    assert said("u1") == {name: f"v{place}" for place, name in enumerate(names)}


def test_a_bad_row_is_refused_with_its_remedy_under_the_files_own_names(tmp_path: Path) -> None:
    Customer.objects.create(pseudonym=pseudonym("full"), properties={str(number): 1 for number in range(50)})
    content = f"user_id,country\nu1,IT\n,DE\nu1,FR\n{'u' * 129},DE\nu2,{'x' * 201}\nfull,DE\nu3,NL\n"
    imported = load(tmp_path, content)
    assert counts(imported) == (7, 2, 0, 5)
    flaws = [(row.line, row.field, row.reason) for row in RejectedRow.objects.filter(source=imported)]
    assert flaws == [
        (3, "user_id", "The field is required but empty."),
        (4, "user_id", "The customer is in an earlier row already. Keep one row per customer."),
        (5, "user_id", "The text is too long for this field."),
        (6, "country", "The text is too long for this field."),
        (7, "user_id", "The customer would have more than 50 properties; empty some of them."),
    ]
    assert said("u1") == {"country": "IT"}
    stored = json.dumps(list(RejectedRow.objects.values("content", "given")))
    assert "u1" not in stored  # ids are stored nowhere
    lines = list(refused_file(RejectedRow.objects.all(), kind=imported.kind, filled=filled_columns(imported)))
    assert lines[0] == "line,why,country,row\r\n"
    assert lines[1].endswith(",DE,\r\n")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("user_id", "there is no property; every column beside user_id is one"),
        ("id,country", "the column “user_id” is missing"),
        ("user_id,a,a", "the column “a” appears twice"),
        (f"user_id,{'x' * 61}", "a property has a name of 1 to 60 characters"),
        ("user_id," + ",".join(f"p{number}" for number in range(51)), "at most 50 properties, and these are 51"),
    ],
)
def test_a_file_that_says_nothing_is_refused_whole(tmp_path: Path, head: str, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        load(tmp_path, f"{head}\nu1{',1' * head.count(',')}\n")
    assert Import.objects.get().status == "failed"
    assert not Customer.objects.exists()


def test_fifty_properties_are_the_most(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(50)]
    assert counts(load(tmp_path, f"user_id,{','.join(names)}\nu1{',7' * 50}\n")) == (1, 1, 0, 0)
    assert said("u1") == dict.fromkeys(names, 7)


def members(name: str, operator: str, *values: str) -> set[str]:
    condition = {"kind": "property", "property": name, "operator": operator, "values": list(values)}
    statement, parameters = as_statement(condition, now=datetime(2026, 9, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        keys = [row[0] for row in cursor.fetchall()]
    people = {Customer.objects.get(pseudonym=pseudonym(name)).pk: name for name in ("u1", "u2")}
    return {people[key] for key in keys}


def test_audiences_are_described_by_them(tmp_path: Path) -> None:
    load(tmp_path, FILE)
    assert members("country", "is", "it") == {"u1"}
    assert members("country", "is_not", "IT") == {"u2"}
    assert members("loyalty_years", "at_least", "1") == {"u1"}
    assert members("member", "is", "false") == {"u2"}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    content=st.one_of(
        st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=6)
        .map(lambda pairs: "user_id,p\n" + "".join(f"{one},{two}\n" for one, two in pairs))
        .map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=100),
    )
)
def test_any_file_ends_in_words(content: bytes, tmp_path: Path) -> None:
    with suppress(UnreadableFileError):
        imported = load(tmp_path, content)
        assert imported.rows == imported.kept + imported.duplicates + imported.rejected
    assert rows("SELECT 1") == [(1,)]
