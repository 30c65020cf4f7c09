"""The commands: exit status, what stands on the screen, and what the database says afterwards."""

import io
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from demo.load import lacks_complete_journey
from recommendations.models import Customer, Event, Import, Item, Promotion, ShopSetting
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
ITEMS = "item_id,title,price,colour\nA1,Shoe,19.90,red\nA2,Boot,cheap,\n"
EVENTS = "name,timestamp,user_id,item_id\nview_item,2026-08-01T12:00:00Z,u1,A1\nview_item,yesterday,u1,A1\n"


def run(command: str, *arguments: str | Path, **options: object) -> tuple[str, str]:
    output, errors = io.StringIO(), io.StringIO()
    call_command(command, *map(str, arguments), stdout=output, stderr=errors, **options)
    return output.getvalue(), errors.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "items.csv").write_text(ITEMS)
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path


@pytest.mark.django_db
def test_items_and_events_are_imported_and_refused_rows_named(files: Path) -> None:
    output, errors = run("import_items", files / "items.csv")
    assert output.splitlines() == [
        "items.csv: 2 rows: 1 kept, 0 already there, 1 refused.",
        "Columns that are ignored: “colour”.",
    ]
    assert errors.splitlines() == ["items.csv, line 3, price: Not a number. Use a format like 19.90."]
    output, errors = run("import_events", files / "events.csv")
    assert output.splitlines() == ["events.csv: 2 rows: 1 kept, 0 already there, 1 refused."]
    assert errors.splitlines() == ["events.csv, line 3, timestamp: Not a time. Write it like 2026-09-01T10:02:11Z."]
    assert (Item.objects.count(), Event.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["import_items", "import_events"])
def test_strict_keeps_the_good_rows_and_fails(files: Path, command: str) -> None:
    Item.objects.create(shop_id="A1", title="Shoe")
    name = command.removeprefix("import_")
    with pytest.raises(CommandError, match="1 rows were refused") as caught:
        run(command, files / f"{name}.csv", "--strict")
    assert caught.value.returncode == 1
    assert Import.objects.get().kept == 1


@pytest.mark.django_db
def test_strict_is_content_with_a_sound_file(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\nA1,Shoe\n")
    assert "1 kept" in run("import_items", tmp_path / "items.csv", "--strict")[0]


@pytest.mark.django_db
def test_a_missing_file_fails_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        run("import_events", tmp_path / "none.csv")
    assert str(caught.value) == "none.csv cannot be read: No such file or directory."
    assert Import.objects.get().status == Import.Status.FAILED


@pytest.mark.django_db
def test_many_refused_rows_are_pointed_to(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n" + ",Shoe\n" * 12)
    errors = run("import_items", tmp_path / "items.csv")[1].splitlines()
    assert len(errors) == 11
    assert errors[-1].startswith("… and 2 more; all are listed in the admin under import")


@pytest.mark.django_db
def test_a_new_catalogue_is_announced(
    files: Path, valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run("import_items", files / "items.csv")
    assert valkey.hget(fetch.CHANGED, "catalogue") is not None


@pytest.mark.django_db
def test_no_row_is_kept_when_the_database_refuses(files: Path) -> None:
    """A trigger stands in for a full disk: the error comes from the server, late, in the middle of the insert."""
    Item.objects.create(shop_id="A1", title="Shoe")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE disk_full USING MESSAGE = 'no space left on device'; END $$"
        )
        cursor.execute("CREATE TRIGGER no_room AFTER INSERT ON recommendations_event EXECUTE FUNCTION no_room()")
    try:
        with pytest.raises(CommandError, match="nothing was imported: no space left on device"):
            run("import_events", files / "events.csv")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_room ON recommendations_event; DROP FUNCTION no_room")
    imported = Import.objects.get()
    assert (imported.status, imported.kept, imported.rejected_rows.count()) == (Import.Status.FAILED, 0, 0)
    assert not Event.objects.exists()
    assert "1 kept" in run("import_events", files / "events.csv")[0]


@pytest.mark.django_db
def test_load_complete_journey_prints_seconds_and_counts() -> None:
    output, _ = run("load_complete_journey", households=5)
    lines = [line.split() for line in output.splitlines()]
    steps = ["wheel", "items", "reading", "purchases", "shares", "promotions", "campaigns"]
    assert [line[0] for line in lines[: len(steps)]] == steps
    figures = [(" ".join(line[:-1]), int(line[-1].replace(",", ""))) for line in lines[len(steps) :]]
    refused = sum(count for name, count in figures if name.startswith("refused"))
    counts = dict(figures)
    assert counts["events"] == Event.objects.count() + refused
    assert counts["promotions"] == Promotion.objects.count() > 0
    with pytest.raises(CommandError, match="loaded with --shift-weeks"):
        run("load_complete_journey", "--shift-weeks", "3", households=5)


@pytest.mark.django_db
def test_the_demo_is_loaded_again_where_it_came_without_promotions() -> None:
    assert lacks_complete_journey()
    item = Item.objects.create(shop_id="A1", title="Shoe")
    prepare_partitions(NOW, NOW)
    Event.objects.create(occurred_at=NOW, event_id=uuid4(), name="view_item", item=item)
    assert not lacks_complete_journey()  # a shop with data of its own
    ShopSetting.objects.create(key="demo_clock", value={"shift_weeks": 452})
    assert lacks_complete_journey()
    Promotion.objects.create(item=item, week=NOW.date(), mailer=1)
    assert not lacks_complete_journey()


@pytest.mark.django_db
def test_promotions_are_imported_and_refused_rows_named(tmp_path: Path) -> None:
    (tmp_path / "promotions.csv").write_text("item_id,week,mailer\nA1,2026-09-07,1\nA1,2026-09-15,1\n")
    Item.objects.create(shop_id="A1", title="Shoe")
    output, errors = run("import_promotions", tmp_path / "promotions.csv")
    assert output.splitlines() == ["promotions.csv: 2 rows: 1 kept, 0 already there, 1 refused."]
    assert errors.splitlines() == [
        "promotions.csv, line 3, week: The shop's promotion weeks start on a Monday; enter the date of that day."
    ]


@pytest.mark.django_db
def test_customers_are_imported_and_refused_rows_named(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(f"user_id,country\nu1,IT\nu2,{'x' * 201}\n")
    output, errors = run("import_customers", tmp_path / "customers.csv")
    assert output.splitlines() == ["customers.csv: 2 rows: 1 kept, 0 already there, 1 refused."]
    assert errors.splitlines() == ["customers.csv, line 3, country: The text is too long for this field."]


@pytest.mark.django_db
def test_contacts_are_imported_and_refused_rows_named(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("user_id,email\nu1,ann@example.com\nu2,bo\n")
    output, errors = run("import_contacts", tmp_path / "contacts.csv")
    assert output.splitlines() == ["contacts.csv: 2 rows: 1 kept, 0 already there, 1 refused."]
    assert errors.splitlines() == [
        "contacts.csv, line 3, email: This is no e-mail address; write one such as ann@example.com."
    ]


@pytest.mark.django_db
def test_campaigns_of_another_system_are_imported_and_refused_rows_named(tmp_path: Path) -> None:
    rows = "Spring,u1,2026-03-02T08:00:00Z,\nSpring,u2,2026-03-02T08:00:00Z,\n"
    (tmp_path / "sent.csv").write_text(f"campaign,user_id,sent_at,clicked_at\n{rows}")
    Customer.objects.create(pseudonym=pseudonym("u1"))
    output, errors = run("import_receipts", tmp_path / "sent.csv")
    assert output.splitlines() == ["sent.csv: 2 rows: 1 kept, 0 already there, 1 refused."]
    assert errors.splitlines() == [
        "sent.csv, line 3, user_id: Nothing was ever told of this customer. Import customers or events first."
    ]


@pytest.mark.django_db
def test_contacts_need_keys(tmp_path: Path, settings: LazySettings) -> None:
    (tmp_path / "contacts.csv").write_text("user_id,email\nu1,ann@example.com\n")
    settings.CONTACT_HASH_KEY = ""
    with pytest.raises(CommandError, match=r"manage\.py push_keys makes them"):
        run("import_contacts", tmp_path / "contacts.csv")


def test_a_shift_is_a_number_or_auto() -> None:
    with pytest.raises(CommandError, match="'soon' is neither auto nor a number of weeks"):
        run("load_complete_journey", "--shift-weeks", "soon")
