"""Whatever the shop says of an id that was erased: nothing of before, and nothing at all where it is blocked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recommendations.models import Contact, Customer, CustomerAlias, Import, ImportedReceipt, Item, StatedTaste
from recommendations.privacy_terms import EraseMode
from recommendations.push_terms import ConsentSource
from recommendations.services.browsers.subscriptions import NotAdmittedError, _owner
from recommendations.services.campaigns.receipt_import import import_receipts
from recommendations.services.contacts.file_import import import_contacts, look
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.rows import ContactRow, ContactVerdict, take_contacts
from recommendations.services.customers import BlockedIdError, merge_customers, set_properties, unmerge_customers
from recommendations.services.taste import Taste, state_taste
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.temp_tables import silent
from recommendations.terms import CustomerKind

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
ERASED_AT = datetime(2026, 8, 1, 12, tzinfo=UTC)
CONTACTS = "user_id,email,purposes,consent_at,proof\nada,ada@example.com,for_you,{at},order 17\n"
RECEIPTS = "campaign,user_id,sent_at,answered_at\nSpring,ada,{at},\n"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _known() -> None:
    """This process holds the key of a customer who is erased meanwhile, and hears nothing of it."""
    Item.objects.create(shop_id="A1", title="Item")
    person_keys(["ada"], CustomerKind.SIGNED_IN)


def erase(mode: EraseMode = EraseMode.FORGET) -> None:
    bury(subject_of("ada", []), mode=mode, now=ERASED_AT)


def ada() -> Customer:
    return Customer.objects.get(pseudonym=pseudonym("ada"))


def contact(at: str, source: ConsentSource = ConsentSource.API) -> ContactVerdict:
    consents = [{"purpose": "for_you", "state": "given", "at": at, "proof": {"form": "checkout"}}]
    form = msgspec.convert({"email": "ada@example.com", "consents": consents}, ContactChanges)
    return take_contacts([ContactRow(user_id="ada", form=form)], source=source, now=NOW)[0]


def file(folder: Path, content: str, at: str) -> Path:
    path = folder / "file.csv"
    path.write_text(content.format(at=at))
    return path


def outcome(imported: Import) -> tuple[int, int, list[str]]:
    rejected = imported.rejected_rows.values_list("field", "content", "given")
    assert all("order" not in f"{content}{given}" for _field, content, given in rejected)
    assert all(code == "erased" or "was erased" in code for code in imported.reasons)
    return imported.kept, imported.rejected, [field for field, _content, _given in rejected]


def test_a_key_of_before_changes_nobody() -> None:
    """What the shop's server says now is of somebody new, though this process still holds the key of before."""
    old = ada().pk
    erase()

    assert set_properties(user_id="ada", properties={"city": "Bern"})
    state_taste("ada", Taste(item_ids=["A1"]), now=NOW)
    merge_customers(anonymous_id="v1", user_id="ada", now=NOW)

    new = ada()
    assert new.pk != old
    assert (new.properties, new.not_before) == ({"city": "Bern"}, ERASED_AT)
    assert StatedTaste.objects.get().customer == new
    assert CustomerAlias.objects.get().customer == new
    assert Customer.objects.get(pk=old).properties == {}


def test_a_word_of_before_says_nothing_of_who_came_back() -> None:
    erase()

    assert not set_properties(user_id="ada", properties={"city": "Bern"}, at=datetime(2026, 7, 31, tzinfo=UTC))
    assert ada().properties == {}


def test_of_a_blocked_id_nothing_is_kept() -> None:
    erase(EraseMode.BLOCK)

    with pytest.raises(BlockedIdError):
        set_properties(user_id="ada", properties={"city": "Bern"})
    with pytest.raises(BlockedIdError):
        state_taste("ada", Taste(item_ids=["A1"]), now=NOW)
    merge_customers(anonymous_id="v1", user_id="ada", now=NOW)
    unmerge_customers(anonymous_id="v1", user_id="ada", now=NOW)
    verdict = contact("2026-08-02T10:00:00Z")

    assert (verdict.verdict, verdict.pointer) == ("rejected", "/user_id")
    assert not Customer.objects.filter(pseudonym=pseudonym("ada")).exists()
    assert not CustomerAlias.objects.exists()
    assert not Contact.objects.exists()


def test_a_browser_of_a_blocked_visitor_is_turned_away_as_by_a_quota() -> None:
    bury(subject_of(None, ["v1"]), mode=EraseMode.BLOCK, now=ERASED_AT)
    form: Any = type("Form", (), {"user_id": None, "anonymous_id": "v1", "proof": None})()

    with pytest.raises(NotAdmittedError):
        _owner(form, admit=lambda newcomers: newcomers, now=NOW)


def test_a_consent_of_before_does_not_come_back() -> None:
    erase()

    before, after = contact("2026-07-31T10:00:00Z"), contact("2026-08-02T10:00:00Z")

    assert (before.verdict, before.pointer) == ("rejected", "/consents/0/at")
    assert after.verdict == "stored"
    assert Contact.objects.get().customer == ada()
    assert contact("2026-07-31T10:00:00Z").pointer == "/consents/0/at"  # nor once the id is known again


def test_a_file_of_contacts_brings_nobody_back(tmp_path: Path) -> None:
    erase()
    late, early = "2026-08-02T10:00:00Z", "2026-07-31T10:00:00Z"

    assert look(path := file(tmp_path, CONTACTS, late), now=NOW, report=silent).rejected == 1
    assert outcome(import_contacts(path, now=NOW, report=silent)) == (0, 1, ["user_id"])
    assert not Customer.objects.filter(pseudonym=pseudonym("ada")).exists()

    set_properties(user_id="ada", properties={"city": "Bern"})
    path = file(tmp_path, CONTACTS, early)
    assert outcome(import_contacts(path, now=NOW, report=silent)) == (0, 1, ["consent_at"])
    assert import_contacts(file(tmp_path, CONTACTS, late), now=NOW, report=silent).kept == 1


def test_receipts_of_before_do_not_come_back(tmp_path: Path) -> None:
    erase()
    late, early = "2026-08-02T10:00:00Z", "2026-07-01T10:00:00Z"

    path = file(tmp_path, RECEIPTS, late)
    assert outcome(import_receipts(path, now=NOW, report=silent)) == (0, 1, ["user_id"])

    set_properties(user_id="ada", properties={"city": "Bern"})
    path = file(tmp_path, RECEIPTS, early)
    assert outcome(import_receipts(path, now=NOW, report=silent)) == (0, 1, ["sent_at"])
    assert import_receipts(file(tmp_path, RECEIPTS, late), now=NOW, report=silent).kept == 1
    assert ImportedReceipt.objects.get().customer == ada()
