"""Files of another system's campaigns: looked through first, taken by admins alone, and forgotten again on a yes."""

from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from recommendations.models import AuditEntry, Campaign, CatalogueFile, Customer, Import, ImportedReceipt
from recommendations.services.campaigns import receipt_import
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Role
from tests.analytics.pages.imports.sending import worked_on
from tests.analytics.pages.imports.test_contact_files import english

pytestmark = pytest.mark.django_db
NEW = "/campaigns/import/"
FILE = """campaign,user_id,sent_at,channel,answered_at
Spring sale,u1,2026-03-02T08:00:00Z,email,2026-03-03T08:00:00Z
Spring sale,u2,2026-03-02T08:00:00Z,email,
Spring sale,secret-person,2026-03-02T08:00:00Z,email,
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, settings: LazySettings) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    for name in ("u1", "u2"):
        Customer.objects.create(pseudonym=pseudonym(name))


def look(client: Client, text: str = FILE) -> Any:
    return worked_on(client, client.post(NEW, {"file": SimpleUploadedFile("spring.csv", text.encode())}))


def take(client: Client) -> Any:
    job = CatalogueFile.objects.get(phase=CatalogueFile.Phase.LOOK)
    return worked_on(client, client.post(reverse("take_receipts", args=[job.pk])))


def page_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_a_look_names_the_campaigns_and_takes_nothing(admin: Client) -> None:
    page = page_of(look(admin))
    assert "3 rows: 2 in order, 1 refused." in page
    assert "1 campaign, which reached people 2 times" in page
    assert "Nothing was ever told of this customer" in page
    assert "Import 2 rows" in page
    assert "secret-person" not in page
    assert Campaign.objects.count() == Import.objects.count() == 0


def test_what_was_looked_at_stands_on_results(admin: Client, tmp_path: Path) -> None:
    look(admin)
    page = page_of(take(admin))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    imported = Import.objects.get()
    assert (imported.file, imported.kind, imported.kept, imported.rejected) == ("spring.csv", "receipts", 2, 1)
    assert "See what they brought" in page
    assert "Campaigns of other systems" in page
    assert '<th scope="col">Row</th>' not in page
    results = page_of(admin.get("/campaigns/results/"))
    assert "1 campaign reached people 2 times; 50.0% answered" in results
    assert "2 messages of another system stored, 1 rows refused" in page_of(admin.get(reverse("activity")))
    assert "has been imported already" in page_of(take(admin))


def test_refused_rows_are_a_file_without_what_stood_in_them(admin: Client) -> None:
    look(admin)
    text = admin.get(reverse("receipts_refused", args=[CatalogueFile.objects.get().pk])).content.decode("utf-8-sig")
    assert text.splitlines()[1].startswith("4,user_id: Nothing was ever told")
    assert "secret" not in text


def test_files_of_one_kind_are_not_taken_for_another(admin: Client, client_of: Callable[[Role], Client]) -> None:
    look(admin)
    job = CatalogueFile.objects.get()
    publisher = client_of(Role.PUBLISHER)
    assert publisher.post(NEW, {"file": SimpleUploadedFile("a.csv", FILE.encode())}).status_code == 403
    for name in ("import_file", "contact_file"):
        assert admin.get(reverse(name, args=[job.pk])).status_code == 404
    assert "Import…" not in page_of(publisher.get("/campaigns/results/"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Spring,secret-user,2026-03-02T08:00:00Z\n", "these columns are missing: “campaign”"),
        ("campaign,user_id,sent_at,answered_at\n" + ",,,\n" * 20_001, "Import it with manage.py import_receipts"),
    ],
)
def test_a_file_that_will_not_do_is_refused_at_its_field(admin: Client, text: str, told: str) -> None:
    page = page_of(look(admin, text))
    assert told in page
    assert 'id="file-error"' in page
    assert "secret" not in page


def test_after_a_fault_of_the_database_the_file_can_be_taken_again(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_rows: object) -> None:
        raise receipt_import.DatabaseError("no space left\nDETAIL: (secret)")

    look(admin)
    with monkeypatch.context() as patch:
        patch.setattr(receipt_import, "import_campaign", refuses)
        page = page_of(take(admin))
    assert "The database refused, and nothing was taken" in page
    assert "secret" not in page
    take(admin)
    assert ImportedReceipt.objects.count() == 2


def test_an_imported_campaign_is_forgotten_when_somebody_says_so(
    admin: Client, client_of: Callable[[Role], Client]
) -> None:
    look(admin)
    take(admin)
    campaign = Campaign.objects.get()
    address = reverse("remove_imported_campaign", args=[campaign.pk])
    asked = page_of(admin.get(f"/campaigns/results/?remove={campaign.pk}"))
    assert "Remove “Spring sale”?" in asked
    assert f'action="{address}"' in asked
    publisher = client_of(Role.PUBLISHER)
    assert f'action="{address}"' not in page_of(publisher.get(f"/campaigns/results/?remove={campaign.pk}"))
    assert publisher.post(address).status_code == 403
    assert "“Spring sale” is gone, with 2 receipts." in page_of(admin.post(address, follow=True))
    assert (Campaign.objects.count(), ImportedReceipt.objects.count()) == (0, 0)
    assert AuditEntry.objects.filter(verb="delete", object_type="campaign").count() == 1
    assert "Spring sale" in page_of(admin.get(reverse("activity")))
    assert admin.post(address).status_code == 404


def test_a_campaign_of_ours_cannot_be_forgotten(admin: Client) -> None:
    own = Campaign.objects.create(slug="own", name="Own", kind="once", purpose="news")
    assert admin.post(reverse("remove_imported_campaign", args=[own.pk])).status_code == 404


def test_the_template_can_be_imported(admin: Client) -> None:
    text = admin.get(reverse("receipt_template")).content.decode("utf-8-sig")
    assert "1 row: 1 in order, 0 refused." in page_of(look(admin, text))


def test_a_reader_of_chinese_finds_no_english_sentence(admin: Client) -> None:
    look(admin, FILE + "Own,u1,2026-03-02T08:00:00Z,,2026-03-01T08:00:00Z\nNew,u1,2031-01-01T00:00:00Z,,\n")
    admin.cookies["django_language"] = "zh-hans"
    job = reverse("receipt_file", args=[CatalogueFile.objects.get().pk])
    take(admin)
    for address in (job, f"/catalogue/imports/{Import.objects.get().pk}/", NEW, "/campaigns/results/"):
        assert english(admin.get(address, follow=True).content.decode()) == [], address
