"""Files of contacts: every row taken once or refused with its remedy, and no address left where it can be read."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection

from recommendations.models import Address, ConsentStatement, Contact, Customer, Import, Permission, RejectedRow
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    Purpose,
    SuppressionReason,
)
from recommendations.services.contacts import file_import
from recommendations.services.contacts.file_import import KeysMissingError, import_contacts, look
from recommendations.services.contacts.file_rows import COLUMNS
from recommendations.services.contacts.forms import ContactChanges, StatementForm
from recommendations.services.contacts.rows import ContactRow, take_contacts
from recommendations.store.contacts import silence
from recommendations.store.contacts.sealing import unseal
from recommendations.store.imports.table_files import FileLimits, FileTooLargeError, UnreadableFileError
from recommendations.store.temp_tables import silent
from tests.services.contacts.addresses import address_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
SOUND = {
    "user_id": "u1",
    "email": "ann@example.com",
    "language": "en",
    "time_zone": "Europe/Paris",
    "purposes": "for_you",
    "consent_at": "2026-08-01T10:00:00Z",
    "source": "checkout",
    "proof": "order 17",
    "confirmed": "yes",
}


def csv_of(*rows: Mapping[str, str]) -> bytes:
    lines = [",".join(COLUMNS)] + [",".join(row.get(name, "") for name in COLUMNS) for row in rows]
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contacts.csv"


def take(file: Path, content: bytes) -> Import:
    file.write_bytes(content)
    return import_contacts(file, now=NOW, report=silent)


def flaws(imported: Import) -> list[tuple[int, str]]:
    return list(imported.rejected_rows.values_list("line", "field"))


def addresses() -> set[str]:
    living = Address.objects.exclude(state=AddressState.GONE)
    return {unseal(address.sealed)["email"] for address in living}


def test_a_file_is_taken_once(file: Path) -> None:
    content = csv_of(SOUND, {"user_id": "u2", "email": "bo@example.com"})
    first, second = take(file, content), take(file, content)
    assert (first.kind, first.rows, first.kept, first.duplicates, first.rejected) == ("contacts", 2, 2, 0, 0)
    assert (second.kept, second.duplicates) == (0, 2)
    assert first.get_kind_display() == "Contacts"
    contact = Contact.objects.get(time_zone="Europe/Paris")
    [statement] = ConsentStatement.objects.all()
    assert (statement.contact, statement.source, statement.proof) == (
        contact, ConsentSource.IMPORT, {"form": "checkout", "shop_reference": "order 17"},
    )  # fmt: skip
    states = dict(Address.objects.values_list("contact__time_zone", "state"))
    assert states == {"Europe/Paris": AddressState.ACTIVE, "": AddressState.UNCONFIRMED}


@pytest.mark.parametrize("between", [" ", "; ", ";", "|"])
def test_purposes_are_words_with_anything_between(file: Path, between: str) -> None:
    take(file, csv_of(SOUND | {"purposes": between.join(["News", "for_you", "news"])}))
    assert set(Permission.objects.values_list("purpose", "state")) == {("news", "given"), ("for_you", "given")}


def test_what_nobody_vouches_for_is_asked(file: Path) -> None:
    take(file, csv_of(SOUND | {"confirmed": ""}))
    assert Address.objects.get().state == AddressState.UNCONFIRMED
    assert Permission.objects.get().state == "asked"


@pytest.mark.parametrize(
    ("changes", "field", "remedy"),
    [
        ({"user_id": ""}, "user_id", "required"),
        ({"user_id": "u" * 129}, "user_id", "too long: at most 128 characters"),
        ({"email": "ann"}, "email", "no e-mail address"),
        ({"email": "=ann@example.com"}, "email", "no e-mail address"),
        ({"email": "=cmd|' /C calc'!A0"}, "email", "no e-mail address"),
        ({"email": f"{'x' * 320}@example.com"}, "email", "too long"),
        ({"language": "tlh"}, "language", "one of these languages: en, zh-CN (or zh-hans)."),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "no such time zone"),
        ({"purposes": "everything"}, "purposes", "for_you, reminders, news"),
        ({"purposes": "news " * 50}, "purposes", "too long"),
        ({"consent_at": ""}, "consent_at", "needs the time"),
        ({"proof": ""}, "proof", "needs a proof"),
        ({"proof": "x" * 2_000}, "proof", "2000 bytes"),
        ({"consent_at": "2026-08-01T10:00:00"}, "consent_at", "no time zone"),
        ({"consent_at": "yesterday"}, "consent_at", "Not a time"),
        ({"consent_at": "0001-01-01T00:00:00+23:59"}, "consent_at", "Not a time"),
        ({"consent_at": "1989-12-31T23:59:59Z"}, "consent_at", "before 1990"),
        ({"consent_at": str(NOW + timedelta(hours=1))}, "consent_at", "future"),
        ({"confirmed": "perhaps"}, "confirmed", "yes or no"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_and_its_neighbours_taken(
    file: Path, changes: dict[str, str], field: str, remedy: str
) -> None:
    before = {"user_id": "before", "email": "before@example.com"}
    after = {"user_id": "after", "email": "after@example.com"}
    content = csv_of(before, SOUND | changes, after)
    file.write_bytes(content)
    seen = look(file, now=NOW)
    assert (seen.rows, seen.sound, seen.rejected, [(each.line, each.field) for each in seen.refused]) == (
        3, 2, 1, [(3, field)],
    )  # fmt: skip
    imported = take(file, content)
    assert flaws(imported) == [(3, field)]
    assert remedy in imported.rejected_rows.get().reason
    assert (imported.kept, imported.rejected) == (2, 1)
    assert addresses() == {"before@example.com", "after@example.com"}
    assert not ConsentStatement.objects.exists()


def test_a_row_names_each_column_that_is_wrong_and_counts_once(file: Path) -> None:
    wrong = {
        "user_id": "", "email": "ann", "language": "tlh", "time_zone": "Mars/Olympus", "purposes": "for_you news",
        "consent_at": "yesterday", "proof": "", "confirmed": "perhaps",
    }  # fmt: skip
    content = csv_of(wrong, SOUND, SOUND | {"user_id": "u2", "email": "bo@example.com", "purposes": "x", "proof": ""})
    file.write_bytes(content)
    seen, imported = look(file, now=NOW), take(file, content)
    columns = {"user_id", "email", "language", "time_zone", "consent_at", "proof", "confirmed"}
    assert flaws(imported) == [(each.line, each.field) for each in seen.refused]
    assert {field for line, field in flaws(imported) if line == 2} == columns
    assert [field for line, field in flaws(imported) if line == 4] == ["purposes"]
    assert len(flaws(imported)) == 8
    assert (imported.rows, imported.kept, imported.rejected, seen.rejected) == (3, 1, 2, 2)


def test_flawed_lines_leave_their_neighbours(file: Path) -> None:
    head, sound = csv_of(SOUND).splitlines()
    lines = [
        head, b"u2,\xff\xfe@example.com,,,,,,,,,", b"u3,a\x00b@example.com,,,,,,,,,", b"u4,too,few",
        b"u5," + b"x" * 10_000_000 + b"@example.com,,,,,,,,,", b"u6,,,,,,,,,no,", sound,
    ]  # fmt: skip
    imported = take(file, b"\n".join(lines) + b"\n")
    assert flaws(imported) == [(2, "email"), (3, "email"), (4, ""), (5, "")]
    assert addresses() == {"ann@example.com"}
    assert imported.reasons == {"not_utf8": 1, "nul": 1, "ragged": 1, "line_too_long": 1}


def test_a_formula_elsewhere_is_a_text(file: Path) -> None:
    take(file, csv_of(SOUND | {"source": "=cmd|' /C calc'!A0", "proof": "+1+1"}))
    assert ConsentStatement.objects.get().proof == {"form": "=cmd|' /C calc'!A0", "shop_reference": "+1+1"}


def test_the_later_of_two_rows_of_a_customer_stands(file: Path) -> None:
    rows = [SOUND | {"email": f"ann{number}@example.com"} for number in range(3)]
    assert take(file, csv_of(*rows)).kept == 3
    assert addresses() == {"ann2@example.com"}


def test_an_empty_cell_changes_nothing(file: Path) -> None:
    take(file, csv_of(SOUND))
    take(file, csv_of({"user_id": "u1", "language": "zh-CN"}))
    assert addresses() == {"ann@example.com"}
    assert Contact.objects.values_list("language", "time_zone").get() == ("zh-hans", "Europe/Paris")


def test_a_newer_withdrawal_is_never_overwritten(file: Path) -> None:
    take(file, csv_of(SOUND))
    said = StatementForm(purpose=Purpose.FOR_YOU, state="withdrawn", at=datetime(2026, 8, 5, tzinfo=UTC))
    row = ContactRow(user_id="u1", form=ContactChanges(consents=[said]))
    take_contacts([row], source=ConsentSource.API, now=NOW)
    take(file, csv_of(SOUND | {"consent_at": "2026-08-04T23:59:59Z"}))
    assert Permission.objects.get().state == "withdrawn"
    take(file, csv_of(SOUND | {"consent_at": "2026-08-05T02:00:00+02:00"}))  # the same instant
    assert Permission.objects.get().state == "withdrawn"
    take(file, csv_of(SOUND | {"consent_at": "2026-08-05T00:00:01Z"}))
    assert Permission.objects.get().state == "given"


def test_the_preview_refuses_what_the_import_would_refuse_and_stores_nothing(file: Path) -> None:
    address_of("u1", email="ann@example.com", confirmed=True)
    silent = address_of("u2", email="bo@example.com", confirmed=True)
    silence.silence(Channel.EMAIL, bytes(silent.digest), reason=SuppressionReason.COMPLAINT, now=NOW)
    rows = [
        {"user_id": "x1", "email": "ann@example.com"},  # another customer's
        {"user_id": "x2", "email": "ann@example.com", "confirmed": "yes"},  # it moves
        {"user_id": "u1", "email": "ann@example.com"},  # so now it is not the former one's
        {"user_id": "x3", "email": "cy@example.com", "confirmed": "yes"},
        {"user_id": "x4", "email": "cy@example.com"},  # an earlier row's
        {"user_id": "u2", "language": "en"},
        {"user_id": "x5", "email": "no address"},
    ]
    content = csv_of(*rows)
    file.write_bytes(content)
    before = [list(model.objects.order_by("pk").values()) for model in (Customer, Contact, Address)]
    seen = look(file, now=NOW)
    assert [list(model.objects.order_by("pk").values()) for model in (Customer, Contact, Address)] == before
    assert [(each.line, each.field) for each in seen.refused] == [(line, "email") for line in (2, 4, 6, 8)]
    assert (seen.rows, seen.sound, seen.rejected, seen.silent) == (7, 3, 4, 1)
    imported = take(file, content)
    assert flaws(imported) == [(each.line, each.field) for each in seen.refused]
    assert "write yes into “confirmed”" in seen.refused[0].reason


def test_an_address_of_another_customer_is_refused_when_the_file_is_taken(file: Path) -> None:
    take(file, csv_of(SOUND))
    imported = take(file, csv_of(SOUND | {"user_id": "u2", "confirmed": "", "purposes": ""}))
    assert flaws(imported) == [(2, "email")]
    assert "Another customer has this address" in imported.rejected_rows.get().reason


def test_parquet_keeps_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "contacts.parquet"
    columns = {
        "user_id": ["u1", "u2", "u3"],
        "email": ["ann@example.com", "x" * 10_000_000, None],
        "purposes": pa.array([["for_you", "news"], None, ["for_you"]], pa.list_(pa.string())),
        "consent_at": pa.array([NOW - timedelta(days=1)] * 3, pa.timestamp("us", "UTC")),
        "proof": ["order 17", None, None],
        "confirmed": [True, False, None],
    }
    pq.write_table(pa.table(columns), path)
    imported = import_contacts(path, now=NOW, report=silent)
    assert flaws(imported) == [(2, "email"), (3, "proof")]
    assert set(Permission.objects.values_list("purpose", "state")) == {("news", "given"), ("for_you", "given")}
    assert ConsentStatement.objects.values_list("at", flat=True).distinct().get() == NOW - timedelta(days=1)


def test_no_table_keeps_what_stood_in_a_refused_row(file: Path) -> None:
    secret = "Secret.Person"
    rows = [
        {"user_id": "u1", "email": f"{secret}@exa mple.com"},
        {"user_id": "u2", "email": f"{secret}@-.com", "language": f"{secret}@example.com"},
        SOUND | {"purposes": f"{secret}@example.com"},
        SOUND | {"time_zone": f"{secret}@example.com"},
        SOUND | {"consent_at": f"{secret}@example.com", "confirmed": secret},
        {"user_id": f"{secret}," + "x" * 200},
    ]
    imported = take(file, csv_of(*rows))
    assert imported.rejected == 6
    assert secret.lower() not in stored_text(Import, RejectedRow)


def test_a_file_without_names_of_columns_is_not_repeated(file: Path) -> None:
    with pytest.raises(UnreadableFileError, match="the column “user_id” is missing"):
        take(file, b"u1,secret.person@example.com\nu2,bo@example.com\n")
    assert Import.objects.get().status == Import.Status.FAILED
    assert "secret" not in stored_text(Import)


def stored_text(*models: type[Any]) -> str:
    texts = []
    for model in models:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT row_to_json(each)::text FROM {model._meta.db_table} each")
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts).lower()


def test_what_cannot_be_read_to_its_end_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "contacts.parquet"
    pq.write_table(pa.table({"user_id": [f"u{number}" for number in range(30_000)]}), path, row_group_size=10_000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4_000] = bytes(4_000)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="damaged"):
        import_contacts(path, now=NOW, report=silent)
    assert not Contact.objects.exists()
    assert not Customer.objects.exists()


def test_more_than_the_limit_is_refused_before_anything_is_taken(file: Path) -> None:
    file.write_bytes(csv_of(*({"user_id": f"u{number}"} for number in range(4))))
    with pytest.raises(FileTooLargeError):
        import_contacts(file, now=NOW, report=silent, limits=FileLimits(rows=3, unpacked=10_000))
    assert not Customer.objects.exists()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Parts of two rows; sizes of those that were taken."""
    sizes: list[int] = []

    def taking(rows: list[ContactRow], **options: Any) -> Any:
        sizes.append(len(rows))
        if len(sizes) == 2 and rows[0].user_id == "u3":
            raise DatabaseError("no space left on device\nDETAIL: failing row contains (secret)")
        return take_contacts(rows, **options)

    monkeypatch.setattr(file_import, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(file_import, "take_contacts", taking)
    return sizes


def test_rows_are_taken_in_parts(file: Path, small_parts: list[int]) -> None:
    imported = take(file, csv_of(*({"user_id": f"x{number}", "language": "zh"} for number in range(5))))
    assert (small_parts, imported.kept) == ([2, 2, 1], 5)


def test_after_a_fault_of_the_database_the_file_is_imported_again(file: Path, small_parts: list[int]) -> None:
    content = csv_of(*({"user_id": f"u{number}", "language": "zh"} for number in range(1, 6)))
    with pytest.raises(DatabaseError):
        take(file, content)
    failed = Import.objects.get()
    assert (failed.status, failed.kept) == (Import.Status.FAILED, 2)
    assert failed.message.startswith("no space left on device The rows before it were taken.")
    again = take(file, content)
    assert (again.kept, again.duplicates) == (3, 2)


def test_without_keys_nothing_is_begun(file: Path, settings: LazySettings) -> None:
    settings.CONTACT_KEYS = []
    with pytest.raises(KeysMissingError):
        take(file, csv_of(SOUND))
    assert not Import.objects.exists()


def test_a_yes_is_to_a_channel_and_one_to_notifications_waits_for_a_browser(file: Path) -> None:
    yes = SOUND | {"email": "", "confirmed": ""}
    imported = take(file, csv_of(SOUND, yes | {"channel": "web_push"}, yes | {"channel": "Webhook"}))
    assert (imported.kept, imported.rejected) == (3, 0)
    assert set(Permission.objects.values_list("channel", "purpose", "state")) == {
        (channel, "for_you", "given") for channel in Channel
    }
    assert set(Address.objects.values_list("channel", flat=True)) == {Channel.EMAIL, Channel.WEBHOOK}


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"channel": "fax"}, "channel", "Write one of email, web_push, webhook"),
        ({"endpoint": "https://push.example/abc"}, "endpoint", "A browser says where it gets notifications itself"),
    ],
)
def test_what_no_file_can_say_of_a_channel_is_refused(
    file: Path, changes: dict[str, str], field: str, told: str
) -> None:
    imported = take(file, csv_of(SOUND | changes))
    [flaw] = imported.rejected_rows.all()
    assert (flaw.field, imported.kept) == (field, 0)
    assert told in flaw.reason
    assert "push.example" not in flaw.reason
