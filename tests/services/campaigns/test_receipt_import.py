"""Files of another system's campaigns: each row taken once or refused with its remedy; a receipt a person."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError

from recommendations.models import Campaign, Customer, Import, ImportedReceipt, RejectedRow
from recommendations.push_terms import CampaignKind, Purpose
from recommendations.services.campaigns import receipt_import
from recommendations.services.campaigns.importing import CampaignRecord, ReceiptRow, import_campaign
from recommendations.services.campaigns.receipt_import import import_receipts, look
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.imports.receipt_rows import COLUMNS
from recommendations.store.imports.table_files import FileLimits, FileTooLargeError, UnreadableFileError
from recommendations.store.push.response_lessons import response_lessons
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SENT = {"campaign": "Spring sale", "user_id": "u1", "sent_at": "2026-03-02T08:00:00Z", "channel": "email"}
ANSWERED = SENT | {"answered_at": "2026-03-03T10:00:00+01:00"}


@pytest.fixture(autouse=True)
def _customers() -> None:
    for name in ("u1", "u2", "u3"):
        Customer.objects.create(pseudonym=pseudonym(name))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "campaigns.csv"


def csv_of(*rows: Mapping[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    lines = [",".join(columns)] + [",".join(row.get(name, "") for name in columns) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def take(file: Path, content: bytes) -> Import:
    file.write_bytes(content)
    return import_receipts(file, now=NOW, report=silent)


def receipts() -> list[tuple[str, str, int, str]]:
    names = {bytes(pseudonym(name)): name for name in ("u1", "u2", "u3")}
    rows = ImportedReceipt.objects.order_by("campaign__name", "pk").select_related("campaign", "customer")
    return [
        (
            each.campaign.name, names[bytes(each.customer.pseudonym)], each.answers,
            each.answered_at.isoformat() if each.answered_at else "",
        )
        for each in rows
    ]  # fmt: skip


def test_a_file_is_taken_once_and_a_campaign_is_over(file: Path) -> None:
    content = csv_of(ANSWERED, SENT | {"user_id": "u2"}, SENT | {"campaign": "Autumn", "channel": "sms"})
    first, second = take(file, content), take(file, content)
    assert (first.kind, first.rows, first.kept, first.duplicates, first.rejected) == ("receipts", 3, 3, 0, 0)
    assert (second.kept, second.duplicates) == (0, 3)
    assert receipts() == [
        ("Autumn", "u1", 0, ""), ("Spring sale", "u1", 1, "2026-03-03T09:00:00+00:00"), ("Spring sale", "u2", 0, ""),
    ]  # fmt: skip
    spring = Campaign.objects.get(name="Spring sale")
    assert (spring.kind, spring.draft["description"], spring.draft["items"]) == (CampaignKind.IMPORTED, "email", [])
    assert spring.draft["starts"] == "2026-03-02T08:00:00+00:00"
    assert spring.draft["ends"] == "2026-03-09T08:00:00+00:00"  # for seven days somebody may answer
    lessons = response_lessons(now=NOW)
    assert (lessons.campaigns, lessons.answers, len(lessons.receipts)) == (2, 1, 3)


def test_rows_of_a_customer_are_one_receipt_and_answers_are_counted(file: Path) -> None:
    later = {"sent_at": "2026-03-05T08:00:00Z", "answered_at": "2026-03-06T08:00:00Z", "campaign": "SPRING  SALE "}
    imported = take(file, csv_of(SENT | later, ANSWERED, ANSWERED))
    assert (imported.rows, imported.kept, imported.duplicates) == (3, 1, 2)
    assert imported.message.startswith("Rows that repeat a campaign and a customer: 2.")
    assert receipts() == [("SPRING SALE", "u1", 2, "2026-03-03T09:00:00+00:00")]
    assert ImportedReceipt.objects.get().received_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_what_a_later_file_says_of_a_receipt_stands_and_others_stay(file: Path) -> None:
    take(file, csv_of(SENT, SENT | {"user_id": "u2"}))
    again = take(file, csv_of(ANSWERED, SENT | {"user_id": "u3", "sent_at": "2026-04-02T08:00:00Z"}))
    assert (again.kept, again.duplicates) == (2, 0)
    assert [each[1:3] for each in receipts()] == [("u1", 1), ("u2", 0), ("u3", 0)]
    assert Campaign.objects.get().draft["ends"] == "2026-04-09T08:00:00+00:00"


@pytest.mark.parametrize(
    ("columns", "answers"), [(COLUMNS, 0), (tuple(name for name in COLUMNS if name != "answered_at"), 1)]
)
def test_a_click_is_an_answer_only_where_the_file_has_no_answers(
    file: Path, columns: tuple[str, ...], answers: int
) -> None:
    row = SENT | {"opened_at": "2026-03-02T09:00:00Z", "clicked_at": "2026-03-02T09:05:00Z"}
    take(file, csv_of(row, columns=columns))
    assert receipts()[0][2] == answers


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"campaign": " "}, "campaign", "required"),
        ({"user_id": ""}, "user_id", "required"),
        ({"campaign": "x" * 121}, "campaign", "too long: at most 120 characters"),
        ({"user_id": "u" * 129}, "user_id", "too long: at most 128 characters"),
        ({"channel": "c" * 41}, "channel", "too long"),
        ({"sent_at": "2026-03-02"}, "sent_at", "no time zone"),
        ({"sent_at": "yesterday"}, "sent_at", "Not a time"),
        ({"sent_at": "1980-01-01T00:00:00Z"}, "sent_at", "before 1990"),
        ({"sent_at": "2027-01-01T00:00:00Z"}, "sent_at", "in the future: correct it"),
        ({"sent_at": "2026-05-28T08:00:00Z"}, "sent_at", "less than 7 days ago"),
        ({"answered_at": "2026-03-01T08:00:00Z"}, "answered_at", "before the message was sent"),
        ({"opened_at": "soon"}, "opened_at", "Not a time"),
        ({"clicked_at": "2026-07-01T00:00:00Z"}, "clicked_at", "in the future: correct it"),
        ({"user_id": "stranger"}, "user_id", "Nothing was ever told of this customer"),
        ({"campaign": "our own"}, "campaign", "A campaign of your own has this name"),
    ],
)
def test_a_row_is_refused_at_its_field_with_the_remedy_and_its_neighbours_are_taken(
    file: Path, changes: dict[str, str], field: str, told: str
) -> None:
    Campaign.objects.create(slug="own", name="Our own", kind=CampaignKind.ONCE, purpose=Purpose.NEWS)
    imported = take(file, csv_of(SENT | {"user_id": "u2"}, SENT | changes))
    assert (imported.rows, imported.kept, imported.rejected) == (2, 1, 1)
    [flaw] = RejectedRow.objects.all()
    assert (flaw.line, flaw.field, flaw.content, flaw.given) == (3, field, "", {})
    assert told in flaw.reason
    assert [each[1] for each in receipts()] == ["u2"]


def test_all_flaws_of_a_row_are_named_and_it_counts_once(file: Path) -> None:
    imported = take(file, csv_of({"sent_at": "x", "clicked_at": "y"}))
    assert list(imported.rejected_rows.values_list("field", flat=True)) == [
        "campaign", "user_id", "sent_at", "clicked_at",
    ]  # fmt: skip
    assert (imported.rejected, imported.reasons) == (1, {"missing": 1})
    assert not Campaign.objects.exists()


def test_rows_that_are_no_rows_are_refused(file: Path) -> None:
    imported = take(file, csv_of(SENT) + b"a,b\n" + b"\xff\xfe,u1,2026-03-02T08:00:00Z,,,,\n")
    assert (imported.kept, imported.rejected) == (1, 2)
    assert list(imported.rejected_rows.values_list("line", flat=True)) == [3, 4]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"Spring,secret-user,2026-03-02T08:00:00Z\n",
            "missing: “campaign”, “user_id”, “sent_at”, and one of “answered_at”, “clicked_at”. The columns",
        ),
        (csv_of(SENT, columns=("campaign", "sent_at", "clicked_at")), "the column “user_id” is missing"),
        (csv_of(SENT, columns=("campaign", "clicked_at")), "missing: “user_id”, “sent_at”. The columns are campaign,"),
        (csv_of(SENT, columns=("campaign", "user_id", "sent_at")), "one of the columns “answered_at”"),
        (b"\x89PNG", "This is a PNG picture"),
    ],
)
def test_a_file_that_will_not_do_leaves_a_record_that_says_why(file: Path, content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFileError, match=told):
        take(file, content)
    imported = Import.objects.get()
    assert (imported.status, Campaign.objects.count()) == (Import.Status.FAILED, 0)
    assert "secret" not in imported.message


def test_a_file_over_the_limits_is_refused(file: Path) -> None:
    file.write_bytes(csv_of(*[SENT] * 4))
    with pytest.raises(FileTooLargeError):
        import_receipts(file, now=NOW, report=silent, limits=FileLimits(rows=3, unpacked=10_000))
    assert Import.objects.get().status == Import.Status.FAILED


def test_a_fault_in_the_middle_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def once(record: CampaignRecord, rows: list[ReceiptRow]) -> int:
        if Campaign.objects.exists():
            raise DatabaseError("no space left")
        return import_campaign(record, rows)

    monkeypatch.setattr(receipt_import, "import_campaign", once)
    with pytest.raises(DatabaseError):
        take(file, csv_of(SENT, SENT | {"campaign": "Autumn"}))
    assert (Campaign.objects.count(), Import.objects.get().status) == (0, Import.Status.FAILED)


def test_a_look_says_what_an_import_would_do_and_stores_nothing(file: Path) -> None:
    take(file, csv_of(SENT))
    file.write_bytes(csv_of(SENT, ANSWERED | {"user_id": "u2"}, SENT | {"user_id": "stranger"}))
    seen = look(file, now=NOW)
    assert (seen.rows, seen.sound, seen.rejected, seen.number, seen.receipts) == (3, 2, 1, 1, 2)
    [spring] = seen.campaigns
    assert (spring.name, spring.channels, spring.people, spring.answered, spring.fresh) == (
        "Spring sale", "email", 2, 1, 1,
    )  # fmt: skip
    assert [(flaw.line, flaw.field) for flaw in seen.refused] == [(4, "user_id")]
    assert ImportedReceipt.objects.count() == 1


def test_a_message_of_seven_days_ago_is_taken_and_its_campaign_is_over(file: Path) -> None:
    sent = NOW - timedelta(days=7)
    take(file, csv_of(SENT | {"sent_at": sent.isoformat()}))
    assert Campaign.objects.get().ended_at == NOW
