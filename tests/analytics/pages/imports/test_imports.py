"""Imports of items: looked at first, taken with a way back; and what every import kept and refused."""

import csv
import gzip
import io
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from recommendations.models import AuditEntry, CatalogueFile, Category, Import, Item, ItemPrice, RejectedRow, Staff
from recommendations.services.catalogue import editing, files, uploads
from recommendations.services.operations.jobs import watch_jobs
from recommendations.store.imports.item_rows import FORM
from recommendations.tasks import work_on_file
from recommendations.terms import Role
from tests.analytics.conftest import MODEL_BACKEND
from tests.analytics.pages.imports.sending import FILE, NEW, look, take

pytestmark = pytest.mark.django_db
IMPORTS = reverse("imports")


def state() -> list[tuple[object, ...]]:
    rows = Item.objects.order_by("shop_id")
    return [(i.shop_id, i.title, i.price, sorted(c.path for c in i.categories.all()), bool(i.retired_at)) for i in rows]


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"PK\x03\x04"), ("a.csv", b"title\nTea\n"), ("a.pq", b"x")])
def test_a_refused_file_is_named_and_removed_and_no_folder_told(
    admin: Client, tmp_path: Path, name: str, content: bytes
) -> None:
    page = look(admin, content, name=name).content.decode()
    assert name in page
    assert str(tmp_path) not in page
    assert list((tmp_path / files.FOLDER).iterdir()) == []


def test_the_part_that_waits_leads_to_what_is_wrong_with_the_file(admin: Client) -> None:
    answer = admin.post(NEW, {"file": SimpleUploadedFile("a.csv", b"\x89PNG")})
    address = answer["Location"]
    job = admin.get(address).context["job"]
    assert 'id="import-file"' in admin.get(address, headers={"HX-Request": "true"}).content.decode()
    work_on_file(str(job.pk))
    assert admin.get(address, headers={"HX-Request": "true"})["HX-Redirect"] == address
    assert "This is a PNG picture" in admin.get(address).content.decode()


def test_a_preview_shows_every_change_and_makes_none(admin: Client, items: list[Item]) -> None:
    before = state()
    seen = look(admin)
    preview = seen.context["preview"]
    assert (preview.rows, preview.new, preview.changed, preview.unchanged, preview.rejected) == (4, 1, 2, 0, 1)
    assert [row.line for row in preview.refused] == [5]
    page = seen.content.decode()
    assert "Use a format like 19.90" in page
    assert "Import 3 items" in page
    tea = next(change for change in preview.changes if change.shop_id == "A1")
    assert tea.before == {"title": "Tea", "price": "3.00", "categories": ["Drinks"]}
    assert tea.after == {"title": "Green tea", "price": "3.50", "categories": ["Drinks > Tea"]}
    assert state() == before
    assert Import.objects.count() == AuditEntry.objects.count() == Category.objects.exclude(path="Drinks").count() == 0


def test_a_preview_says_how_many_rows_are_of_items_that_stay_retired(admin: Client, items: list[Item]) -> None:
    editing.retire(items=[items[0].pk], by=None, now=timezone.now())
    page = look(admin).content.decode()
    assert "Rows of items that stay retired: 1. A file with --full brings back what such a file retired" in page


def test_a_file_is_imported_as_previewed_and_undone(admin: Client, items: list[Item]) -> None:
    before = state()
    page = take(admin, look(admin)).content.decode()
    assert [row[:3] for row in state()] == [
        ("A1", "Green tea", Decimal("3.50")), ("A2", "Coffee", Decimal("4.00")), ("A3", "New mug", Decimal("9.00")),
    ]  # fmt: skip
    imported = Import.objects.get()
    assert (imported.file, imported.kept, imported.rejected) == ("spring.csv", 3, 1)
    assert "Undo this import" in page
    address = reverse("catalogue_items", query={"imported": imported.pk})
    Item.objects.create(shop_id="A9", title="Cup")
    assert f'href="{address}"' in page
    listed = admin.get(address)
    assert {line.item.shop_id for line in listed.context["lines"]} == {"A1", "A2", "A3"}
    assert "New or changed by one import" in listed.content.decode()
    Item.objects.get(shop_id="A9").delete()
    undo = reverse("undo_import", args=[imported.pk])
    page = admin.post(undo, follow=True).content.decode()
    assert "Undone. 2 items have their old values again. 1 new item was retired." in page
    assert state() == [*before, ("A3", "New mug", Decimal("9.00"), ["Kitchen"], True)]
    assert "nothing left to undo" in admin.post(undo, follow=True).content.decode()
    assert "Undo this import" not in page
    imported.refresh_from_db()
    assert (imported.get_status_display(), imported.kept) == ("Undone", 0)
    seen = admin.get(reverse("imported_file", args=[imported.pk]))
    assert seen.context["taken_back"] + imported.duplicates + imported.rejected == imported.rows == 4
    assert "changed again since" not in seen.content.decode()
    prices = ItemPrice.objects.filter(item=items[0]).order_by("valid_from").values_list("price", flat=True)
    assert list(prices)[-2:] == [Decimal("3.50"), Decimal("3.00")]


def test_a_feed_is_previewed_taken_and_undone_like_any_file(admin: Client, items: list[Item]) -> None:
    before = state()
    feed = (
        '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
        "<item><g:id>A1</g:id><title>Tea</title><g:price>3.50 USD</g:price><g:item_group_id>T</g:item_group_id></item>"
        "<item><g:id>A7</g:id><g:title>Tin</g:title><g:price>9 USD</g:price><g:item_group_id>T</g:item_group_id></item>"
        "<item><g:id>A8</g:id><g:title>Mug</g:title><g:price>4.00 EUR</g:price></item></channel></rss>"
    )
    seen = look(admin, gzip.compress(feed.encode()), name="feed.xml.gz")
    preview = seen.context["preview"]
    assert (preview.rows, preview.new, preview.changed, preview.rejected) == (3, 1, 1, 1)
    page = seen.content.decode()
    assert "<strong>currency (g:price)</strong> “EUR”" in page
    assert "Read under our names: “g:id → item_id”" in page
    assert "<h1>feed.xml.gz</h1>" in page
    take(admin, seen)
    assert Item.objects.get(shop_id="A7").parent == items[0]
    admin.post(reverse("undo_import", args=[Import.objects.get().pk]))
    assert [row for row in state() if row[0] != "A7"] == before
    assert Item.objects.get(shop_id="A7").retired_at


def test_undoing_an_import_leaves_items_that_were_changed_since(admin: Client, items: list[Item]) -> None:
    take(admin, look(admin))
    Item.objects.filter(shop_id="A1").update(price=Decimal("2.22"))
    undo = reverse("undo_import", args=[Import.objects.get().pk])
    page = admin.post(undo, follow=True).content.decode()
    assert "1 item has been changed again since and stays as it is: Green tea" in page
    assert Item.objects.get(shop_id="A1").price == Decimal("2.22")
    assert Import.objects.get().kept == 1


FLAWED = FILE + "A5,,minus two,\n"


def rows_of(answer: HttpResponse) -> list[dict[str, str]]:
    """Rows of a CSV file that was answered."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_refused_rows_are_a_file_that_says_why_and_can_be_imported(admin: Client, items: list[Item]) -> None:
    seen = look(admin, FLAWED)
    before = rows_of(admin.get(reverse("import_file_refused", args=[seen.context["job"].pk])))
    imported = take(admin, seen).context["imported"]
    after = rows_of(admin.get(reverse("import_refused", args=[imported.pk])))
    assert before == after
    assert [(row["line"], row["item_id"], row["title"], row["price"]) for row in after] == [
        ("5", "A4", "Broken", "minus one"), ("6", "A5", "", "minus two"),
    ]  # fmt: skip
    assert [*after[0]] == ["line", "why", "item_id", "title", "categories", "price", "row"]  # an empty cell would clear
    assert after[1]["why"] == ("title: The field is required but empty. price: Not a number. Use a format like 19.90.")
    mended = io.StringIO()
    writer = csv.DictWriter(mended, after[0])
    writer.writeheader()
    writer.writerows({**row, "title": "Mended", "price": "1.50"} for row in after)
    preview = look(admin, mended.getvalue()).context["preview"]
    assert (preview.new, preview.rejected) == (2, 0)


def test_a_template_is_a_file_that_an_import_takes(admin: Client, settings: Settings) -> None:
    page = admin.get(NEW).content.decode()
    template = reverse("import_template")
    assert template in page
    assert "Nothing is saved until you confirm" in page
    assert "<td><code>{&quot;bags&quot;: 20, &quot;origin&quot;: &quot;Japan&quot;}</code>" in page
    answer = admin.get(template)
    assert [*rows_of(answer)[0]] == FORM.known
    preview = look(admin, answer.content).context["preview"]
    assert (preview.new, preview.rejected, preview.message) == (1, 0, "")
    for domain, kind in (("video", "episode"), ("music", "track"), ("articles", "article")):
        settings.SHOP_DOMAIN = domain
        played = admin.get(template)
        assert (rows_of(played)[0]["item_kind"], rows_of(played)[0]["price"]) == (kind, "")
        preview = look(admin, played.content).context["preview"]
        assert (preview.new, preview.rejected, preview.message) == (1, 0, "")


def test_a_file_is_taken_once(admin: Client, items: list[Item], django_capture_on_commit_callbacks: object) -> None:
    seen = look(admin)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        take(admin, seen)
    assert "imported already" in take(admin, seen).content.decode()
    assert Import.objects.count() == 1


def test_a_parquet_file_is_previewed(admin: Client, items: list[Item]) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"item_id": ["A1"], "title": ["Black tea"]}), buffer)
    assert look(admin, buffer.getvalue(), name="spring.parquet").context["preview"].changed == 1


def test_progress_of_a_file_is_seen_before_its_transaction_ends(admin: Client, items: list[Item]) -> None:
    admin.post(NEW, {"file": SimpleUploadedFile("spring.csv", FILE.encode())})
    job = CatalogueFile.objects.get()
    uploads.reporter(job)("reading", 3, 4)
    assert uploads.progress_of(job) == 0.375
    uploads.reporter(job)("items", 1, 2)
    assert uploads.progress_of(job) == 0.75
    assert 'value="0.750"' in admin.get(reverse("import_file", args=[job.pk])).content.decode()
    assert job in watch_jobs(now=timezone.now() + timedelta(minutes=2))  # its message was lost


def test_a_refused_file_names_no_folder_and_can_be_corrected_and_sent_again(admin: Client, items: list[Item]) -> None:
    before = state()
    page = look(admin, "name,price\nTea,3\n").content.decode()
    assert "spring.csv, line 1" in page
    assert files.FOLDER not in page
    assert state() == before
    assert look(admin).context["preview"].taken == 3


def test_an_exported_file_comes_back_in_unchanged(admin: Client, items: list[Item]) -> None:
    Item.objects.filter(shop_id="A2").update(
        title="=HYPERLINK(1)", brand="+1", tags=["a", "b"], attributes={"size": "L"}
    )
    form = {"action": "export", "_selected_action": [item.pk for item in items]}
    answer = admin.post(reverse("admin:recommendations_item_changelist"), form)
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = {row["item_id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["A2"]["title"], rows["A2"]["brand"], rows["A1"]["categories"]) == ("'=HYPERLINK(1)", "'+1", "Drinks")
    again = look(admin, text).context["preview"]
    assert (again.rows, again.new, again.changed, again.rejected) == (2, 0, 0, 0)


def test_what_an_import_changed_in_one_item_is_reverted(admin: Client, items: list[Item]) -> None:
    take(admin, look(admin))
    history = reverse("activity", query={"type": "item", "id": items[0].pk})
    assert "“3.00” to “3.50”" in admin.get(history).content.decode()
    entry = AuditEntry.objects.get(object_type="item", object_id=str(items[0].pk))
    back = reverse("revert_change", args=[entry.pk])
    assert back in admin.get(history).content.decode()
    assert "The change was reverted" in admin.post(back, follow=True).content.decode()
    assert state()[0] == ("A1", "Tea", Decimal("3.00"), ["Drinks"], False)
    assert "changed again since" in admin.post(back, follow=True).content.decode()
    trail = AuditEntry.objects.filter(object_type="item", object_id=str(items[0].pk)).order_by("pk")
    assert [each.verb for each in trail] == ["import", "revert"]
    mug = Item.objects.get(shop_id="A3")
    created = AuditEntry.objects.get(object_id=str(mug.pk), object_type="item")
    assert admin.post(reverse("revert_change", args=[created.pk])).status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MERCHANDISER, Role.PUBLISHER])
def test_roles_outside_the_catalogue_import_nothing(
    client_of: Callable[[Role], Client], items: list[Item], role: Role
) -> None:
    client = client_of(role)
    for answer in (client.get(NEW), look(client)):
        assert answer.status_code in {302, 403}
    assert Import.objects.count() == 0


def test_the_list_says_who_imported_what_and_what_became_of_it(admin: Client, items: list[Item]) -> None:
    Import.objects.create(kind="events", file="years.parquet", status="finished", rows=9, kept=9)
    seen = take(admin, look(admin))
    rows = [" ".join(row.split()) for row in texts(admin.get(IMPORTS))]
    assert len(rows) == 2
    assert rows[0].startswith("spring.csv Items Finished")
    assert rows[0].endswith("The admin 4 3 1")
    assert rows[1].endswith("a command 9 9 0")
    admin.post(reverse("undo_import", args=[seen.context["imported"].pk]))
    [undone, _] = texts(admin.get(IMPORTS))
    assert "Undone" in undone
    assert " ".join(undone.split()).endswith("4 0 1")


def texts(answer: HttpResponse) -> list[str]:
    """What stands in each row of a table, without markup."""
    body = answer.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.sub(r"<[^>]+>", " ", row).strip() for row in body.split("<tr>")[1:]]


def test_all_flaws_of_a_refused_row_stand_with_it(admin: Client, items: list[Item]) -> None:
    for page in (look(admin, FLAWED), take(admin, look(admin, FLAWED))):
        assert page.content.decode().count('<ul class="flaws"><li><strong>title</strong>') == 1
        assert "<strong>price</strong> “minus two”: Not a number" in page.content.decode()


def test_a_preview_tells_changes_in_words(admin: Client, items: list[Item]) -> None:
    page = look(admin, "item_id,title,price,availability\nA1,Tea,3.50,out_of_stock\n").content.decode()
    assert "<li>Price: 3.00 → <strong>3.50</strong></li>" in page
    assert "<li>Availability: In stock → <strong>Out of stock</strong></li>" in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MERCHANDISER, Role.PUBLISHER])
def test_who_may_not_edit_sees_what_was_refused_and_why_but_no_row(
    client_of: Callable[[Role], Client], items: list[Item], role: Role
) -> None:
    imported = Import.objects.create(kind="events", file="e.csv", rejected=1, reasons={"unknown_item": 1})
    RejectedRow.objects.create(source=imported, line=7, reason="Empty.", content="<b>a customer's id</b>")
    page = client_of(role).get(reverse("imported_file", args=[imported.pk])).content.decode()
    assert "The catalogue has no such item; import the items first." in page
    assert "customer&#x27;s id" not in page
    assert reverse("import_refused", args=[imported.pk]) not in page
    boss = Client()
    boss.force_login(Staff.objects.create_user("boss@example.com", role=Role.ADMIN), backend=MODEL_BACKEND)
    assert "&lt;b&gt;a customer&#x27;s id" in boss.get(reverse("imported_file", args=[imported.pk])).content.decode()


def test_where_no_row_was_refused_there_is_no_file_of_them(admin: Client) -> None:
    imported = Import.objects.create(kind="items", file="fine.csv")
    assert admin.get(reverse("import_refused", args=[imported.pk])).status_code == 404
