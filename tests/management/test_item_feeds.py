"""``import_items`` with what shops have: addresses, columns by other names, and the whole catalogue at once."""

import builtins
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from recommendations.models import AuditEntry, Import, Item, Staff
from recommendations.services.catalogue import editing
from recommendations.services.catalogue.history import undo_import
from recommendations.terms import Role
from tests.feed_server import FeedServer, serving

pytestmark = pytest.mark.django_db
HEADER = "item_id,title\n"


def run(*arguments: str | Path) -> str:
    output = io.StringIO()
    call_command("import_items", *map(str, arguments), stdout=output, stderr=output)
    return output.getvalue()


def table(*numbers: int, path: Path) -> Path:
    path.write_text(HEADER + "".join(f"A{number:02},Item {number}\n" for number in numbers))
    return path


def on_sale() -> set[str]:
    return set(Item.objects.filter(retired_at=None).values_list("shop_id", flat=True))


def ids(*numbers: int) -> set[str]:
    return {f"A{number:02}" for number in numbers}


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """Ten items, and the file that they came from."""
    path = table(*range(10), path=tmp_path / "items.csv")
    run(path)
    return path


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "input", lambda _question: pytest.fail("it asked"))


def test_columns_are_named_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("artno;bezeichnung;farbe\n1;Schuh;rot\n")
    with pytest.raises(CommandError, match=r"has “artno”, “bezeichnung”, “farbe”.*--map NAME=item_id"):
        run(path)
    told = run(path, "--map", "artno=item_id", "--map", "bezeichnung=title", "--map", "farbe=attributes.color")
    assert "1 kept" in told
    assert "Read under our names: “artno → item_id”, “bezeichnung → title”, “farbe → attributes”." in told
    assert Item.objects.get().attributes == {"color": "rot"}
    with pytest.raises(CommandError, match="Write --map as NAME=COLUMN"):
        run(path, "--map", "artno")


def test_an_address_is_imported_at_once(settings: LazySettings) -> None:
    with serving(FeedServer(content=b"id\ttitle\tprice\nA1\tShoe\t39.99 USD\n")) as server:
        address = f"{server.address}/feed.tsv?token=secret"
        with pytest.raises(CommandError, match="is inside this network, where only the host of ITEM_FEED is asked"):
            run(address)
        settings.ITEM_FEED = server.address
        assert "1 kept" in run(address)
        server.status = 404
        with pytest.raises(CommandError, match=r"has no feed \(404\)"):
            run(address)
    assert Import.objects.get().file == f"{server.address}/feed.tsv?…"
    assert str(Item.objects.get().price) == "39.99"


def test_a_full_file_asks_before_it_retires(items: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_two = table(*range(8), 10, path=tmp_path / "full.csv")
    asked: list[str] = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or "n")
    with pytest.raises(CommandError, match="Nothing was imported"):
        run(without_two, "--full")
    assert (len(asked), on_sale()) == (1, ids(*range(10)))
    assert Import.objects.first().status == Import.Status.STOPPED  # type: ignore[union-attr]
    monkeypatch.setattr(builtins, "input", lambda _question: "y")
    told = run(without_two, "--full")
    assert "Retires 2 of 10 items, which the file lacks: A08 (Item 8), A09 (Item 9)\n" in told
    assert "Items that were retired, as the file lacks them: 2." in told
    assert on_sale() == ids(*range(8), 10)
    assert "Retires" not in run(without_two, "--full")  # there is nothing left to retire


def test_nobody_to_ask_is_no_yes(items: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="nobody is there to be asked"):
        run(table(*range(9), path=tmp_path / "full.csv"), "--full")
    assert on_sale() == ids(*range(10))


@pytest.mark.usefixtures("nobody")
def test_much_is_retired_with_yes_alone(items: Path, tmp_path: Path) -> None:
    """Of ten items two are twenty percent, and three are more."""
    full = table(*range(7), path=tmp_path / "full.csv")
    with pytest.raises(CommandError, match=r"That is 30% of them, more than 20%\. Nothing was imported\..*--yes"):
        run(full, "--full")
    assert on_sale() == ids(*range(10))
    assert "That is 30% of them, more than 20%." in run(full, "--full", "--yes")
    assert on_sale() == ids(*range(7))
    assert "Retires 1 of 7 items" in run(table(*range(6), path=full), "--full", "--yes")


@pytest.mark.usefixtures("nobody")
def test_an_item_whose_row_was_refused_is_not_lacking(items: Path, tmp_path: Path) -> None:
    full = tmp_path / "full.csv"
    full.write_text(HEADER + "A08,\n" + "".join(f"A{number:02},Item {number}\n" for number in range(8)))
    told = run(full, "--full", "--yes")
    assert "Retires 1 of 10 items, which the file lacks: A09 (Item 9)" in told
    assert on_sale() == ids(*range(9))
    full.write_text(HEADER + ",Item 8\nA01\n" + "".join(f"A{number:02},Item {number}\n" for number in range(8)))
    told = run(full, "--full", "--yes")
    assert "Nothing was retired: 2 refused rows have no item id, and may be those of the 1 items" in told
    assert on_sale() == ids(*range(9))


@pytest.mark.usefixtures("nobody")
def test_what_a_full_file_retired_comes_back_with_the_next(items: Path, tmp_path: Path) -> None:
    full = tmp_path / "full.csv"
    editing.retire(items=[Item.objects.get(shop_id="A00").pk], by=None, now=Item.objects.first().updated_at)  # type: ignore[union-attr]
    run(table(*range(9), path=full), "--full", "--yes")
    assert on_sale() == ids(*range(1, 9))
    told = run(items)
    assert "10 already there" in told  # only a full file says that an item is on sale
    assert "Rows of items that stay retired: 2. A file with --full brings back what such a file retired" in told
    assert on_sale() == ids(*range(1, 9))
    told = run(items, "--full", "--yes")
    assert "1 kept, 9 already there" in told
    assert "Retired items that are in the file again, and on sale: 1." in told
    assert "Rows of items that stay retired: 1. Staff put them on sale again, or the API." in told
    assert on_sale() == ids(*range(1, 10))  # what staff retired stays retired


@pytest.mark.usefixtures("nobody")
def test_what_a_full_file_retired_can_be_undone(items: Path, tmp_path: Path) -> None:
    before = {item.pk: item.updated_at for item in Item.objects.all()}
    run(table(*range(8), path=tmp_path / "full.csv"), "--full", "--yes")
    imported = Import.objects.order_by("-pk")[0]
    entries = AuditEntry.objects.filter(verb="retire")
    assert {entry.label for entry in entries} == {"Item 8", "Item 9"}
    staff = Staff.objects.create_user(email="a@b.co", password="x" * 12, name="A", role=Role.ADMIN)
    editing.update_item(item=Item.objects.get(shop_id="A09"), changes={"price": 3}, by=staff, now=imported.started_at)
    undone = undo_import(imported=imported, by=staff, now=imported.started_at)
    assert (undone.reverted, undone.retired, undone.left) == (2, 0, [])
    assert on_sale() == ids(*range(10))
    assert before.keys() == {item.pk for item in Item.objects.all()}


@pytest.fixture
def no_tables() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recommendations_import RENAME TO elsewhere")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO recommendations_import")


@pytest.mark.django_db(transaction=True)
def test_an_import_before_migrate_says_so(tmp_path: Path, no_tables: None) -> None:
    with pytest.raises(CommandError, match=r"Run first: manage\.py migrate"):
        run(table(1, path=tmp_path / "items.csv"))
