"""Files of contacts: checked first, taken by admins alone, and gone from the server afterwards."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from recommendations.models import Address, AuditEntry, CatalogueFile, Contact, Import, Item, Permission, RejectedRow
from recommendations.services.catalogue import files
from recommendations.services.contacts import file_import
from recommendations.tasks import forget_files, work_on_file
from recommendations.terms import Role, RunStatus
from tests.analytics.pages.imports.sending import FILE as ITEMS
from tests.analytics.pages.imports.sending import look as look_at_items
from tests.analytics.pages.imports.sending import worked_on

pytestmark = pytest.mark.django_db
NEW = reverse("new_contact_import")
FILE = """user_id,email,purposes,consent_at,proof,confirmed
u1,ann@example.com,for_you news,2026-08-01T10:00:00Z,order 17,yes
u2,bo@example.com,,,,
u3,secret.person@example.com,news,,,
"""


def look(client: Client, text: str = FILE) -> HttpResponse:
    return worked_on(client, client.post(NEW, {"file": SimpleUploadedFile("spring.csv", text.encode())}))


def take(client: Client) -> HttpResponse:
    job = CatalogueFile.objects.get(phase=CatalogueFile.Phase.LOOK)
    return worked_on(client, client.post(reverse("take_contacts", args=[job.pk])))


def stored(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_look_says_what_is_in_the_file_and_takes_nothing(admin: Client) -> None:
    page = look(admin).content.decode()
    assert "3 rows: 2 in order, 1 of them with a consent, 1 refused." in page
    assert "needs the time at which the customer said yes" in page
    assert "Import 2 rows" in page
    assert "secret.person" not in page
    assert Contact.objects.count() == Import.objects.count() == 0


def test_what_was_looked_at_is_taken_and_the_file_is_removed(admin: Client, tmp_path: Path) -> None:
    look(admin)
    assert len(stored(tmp_path)) == 2  # the file, and its refused rows
    page = take(admin).content.decode()
    assert stored(tmp_path) == []
    imported = Import.objects.get()
    assert (imported.file, imported.kind, imported.kept, imported.rejected) == ("spring.csv", "contacts", 2, 1)
    assert (Address.objects.count(), Permission.objects.filter(state="given").count()) == (2, 2)
    assert "Contacts" in page
    assert "Undo this import" not in page
    assert "secret" not in page
    assert {entry.verb for entry in AuditEntry.objects.filter(object_type="import")} == {"import"}
    assert "spring.csv" in admin.get(reverse("imports")).content.decode()
    assert '<th scope="col">Row</th>' not in page
    assert "2 contacts stored, 1 rows refused" in admin.get(reverse("activity")).content.decode()


def test_a_file_is_taken_once(admin: Client) -> None:
    look(admin)
    take(admin)
    assert "has been imported already" in take(admin).content.decode()
    assert Import.objects.count() == 1


def test_a_preview_closes_when_its_file_is_taken_or_gone(admin: Client, tmp_path: Path) -> None:
    look(admin)
    first = CatalogueFile.objects.get(phase=CatalogueFile.Phase.LOOK)
    take(admin)
    taking = CatalogueFile.objects.get(phase=CatalogueFile.Phase.TAKE)
    page = reverse("contact_file", args=[first.pk])
    assert admin.get(page)["Location"] == reverse("contact_file", args=[taking.pk])
    assert admin.get(page, follow=True).redirect_chain[-1][0].startswith("/catalogue/imports/")
    look(admin)
    second = CatalogueFile.objects.filter(phase=CatalogueFile.Phase.LOOK).exclude(pk=first.pk).get()
    for path in tmp_path.rglob("*.csv"):
        path.unlink()
    answer = admin.get(reverse("contact_file", args=[second.pk]), follow=True)
    assert answer.redirect_chain == [(NEW, 302)]
    assert "was previewed more than a day ago" in answer.content.decode()


def test_refused_rows_are_a_file_without_what_stood_in_them(admin: Client) -> None:
    look(admin)
    job = CatalogueFile.objects.get()
    text = admin.get(reverse("contacts_refused", args=[job.pk])).content.decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["line", "4"]
    take(admin)
    imported = Import.objects.get()
    again = b"".join(admin.get(reverse("import_refused", args=[imported.pk])).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert again == text
    assert "secret" not in text
    flaws = RejectedRow.objects.order_by("pk").values_list("line", "field", "content", "given")
    assert list(flaws) == [(4, "consent_at", "", {}), (4, "proof", "", {})]


def test_whoever_may_take_items_in_may_not_take_contacts_in(admin: Client, client_of: Callable[[Role], Client]) -> None:
    look(admin)
    job = CatalogueFile.objects.get()
    cataloguer = client_of(Role.CATALOGUE_ADMIN)
    assert cataloguer.post(NEW, {"file": SimpleUploadedFile("a.csv", FILE.encode())}).status_code == 403
    for client in (cataloguer, admin):  # by the addresses of items
        assert client.get(reverse("import_file", args=[job.pk])).status_code == 404
        assert client.post(reverse("take_import", args=[job.pk])).status_code == 404
        assert client.get(reverse("import_file_refused", args=[job.pk])).status_code == 404
    assert not Contact.objects.exists()


def test_a_file_of_items_is_not_taken_for_contacts(admin: Client) -> None:
    job = look_at_items(admin, ITEMS).context["job"]
    assert admin.get(reverse("contact_file", args=[job.pk])).status_code == 404
    assert admin.post(reverse("take_contacts", args=[job.pk])).status_code == 404
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("u1,secret.person@example.com\nu2,bo@example.com\n", "the column “user_id” is missing"),
        ("\x89PNG", "This is a PNG picture"),
        ("user_id\n" + "u1\n" * 20_001, "more than 20,000 rows. Import it with manage.py import_contacts"),
    ],
)
def test_a_file_that_will_not_do_is_refused_at_its_field(admin: Client, tmp_path: Path, text: str, told: str) -> None:
    raw = text.encode("latin-1")
    answer = admin.post(NEW, {"file": SimpleUploadedFile("spring.csv", raw)})
    page = worked_on(admin, answer).content.decode()
    assert told in page
    assert 'id="file-error"' in page
    assert "secret" not in page
    assert stored(tmp_path) == []


def test_without_keys_nothing_is_put_aside(admin: Client, settings: LazySettings, tmp_path: Path) -> None:
    settings.CONTACT_HASH_KEY = ""
    page = admin.post(NEW, {"file": SimpleUploadedFile("spring.csv", FILE.encode())}).content.decode()
    assert "manage.py push_keys makes them" in page
    assert stored(tmp_path) == []


def test_after_a_fault_of_the_database_the_file_can_be_taken_again(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_rows: object, **_options: object) -> None:
        raise DatabaseError("no space left on device\nDETAIL: Failing row contains (secret)")

    look(admin)
    with monkeypatch.context() as patch:
        patch.setattr(file_import, "take_contacts", refuses)
        page = take(admin).content.decode()
    assert "The database refused" in page
    assert "secret" not in page
    assert not list(Import.objects.filter(message__contains="secret"))
    take(admin)
    assert Contact.objects.count() == 2


def test_a_worker_that_died_is_followed_by_one_that_finishes(admin: Client) -> None:
    look(admin)
    job = CatalogueFile.objects.get()
    admin.post(reverse("take_contacts", args=[job.pk]))
    taking = CatalogueFile.objects.get(phase=CatalogueFile.Phase.TAKE)
    CatalogueFile.objects.filter(pk=taking.pk).update(status=RunStatus.INTERRUPTED, tries=1)
    work_on_file(str(taking.pk))
    assert Import.objects.get().kept == 2


def test_a_file_that_nobody_takes_is_forgotten_after_a_day(admin: Client, tmp_path: Path) -> None:
    look(admin)
    assert forget_files() == 0
    for path in tmp_path.rglob("*.csv"):
        os.utime(path, (0, time.time() - files.KEPT.total_seconds() - 60))
    assert forget_files() == 2
    assert stored(tmp_path) == []


def test_the_template_can_be_imported(admin: Client) -> None:
    text = admin.get(reverse("contact_template")).content.decode("utf-8-sig")
    assert "1 rows: 1 in order" in look(admin, text).content.decode()


def test_a_reader_of_chinese_finds_no_english_sentence_of_what_a_worker_stored(admin: Client) -> None:
    """The worker has the installation's language, and the reader another one."""
    wrong = """user_id,email,language,time_zone,purposes,consent_at,proof,confirmed,colour
,ann,tlh,Mars/Olympus,for_you,yesterday,,perhaps,red
u2,bo@example.com,,,everything,,,,
u3,cy@example.com,,,news,2031-01-01T00:00:00Z,{},,
u4,di@example.com,,,,,,yes,
u5,di@example.com,,,,,,,
u6,ed@example.com,too,few
""".format("x" * 2_100)
    look(admin, wrong)
    job = reverse("contact_file", args=[CatalogueFile.objects.get().pk])
    admin.cookies["django_language"] = "zh-hans"
    pages = [admin.get(job).content.decode()]
    admin.cookies["django_language"] = "en"
    take(admin)
    imported = Import.objects.get()
    assert "Send one of these languages" in "".join(imported.rejected_rows.values_list("reason", flat=True))
    admin.cookies["django_language"] = "zh-hans"
    pages += [admin.get(address).content.decode() for address in (f"/catalogue/imports/{imported.pk}/", NEW)]
    for page in pages:
        assert english(page) == []
    for words in ("请发送以下语言之一", "没有这个时区", "未来", "“colour”"):
        assert words in pages[0]
        assert words in pages[1]
    admin.cookies["django_language"] = "en"
    look(admin, "u1,ann@example.com\n")
    admin.cookies["django_language"] = "zh-hans"
    refused = admin.get(reverse("contact_file", args=[CatalogueFile.objects.latest("created_at").pk])).content.decode()
    assert "缺少“user_id”列" in refused
    assert english(refused) == []


def english(page: str) -> list[str]:
    """Sentences of three English words and more in the main part of a page, but for what is code."""
    main = page.partition("<main")[2].partition("</main>")[0]
    main = re.sub(r"<(script|style|svg|code|pre)\b.*?</\1>", " ", main, flags=re.DOTALL)
    texts = re.split(r"[^A-Za-z' ]", re.sub(r"<[^>]+>", "|", main))
    return [text for text in texts if len(re.findall(r"[A-Za-z]{2,}", text)) >= 3]
