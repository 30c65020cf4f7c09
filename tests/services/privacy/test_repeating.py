"""A database that is restored from a copy of before an erasure: the log beside it brings the erasure back."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from recommendations.models import Customer, PrivacyRequest, StatedTaste, Tombstone
from recommendations.privacy_terms import EraseMode
from recommendations.services.operations.readiness import Readiness
from recommendations.services.privacy import closing, work
from recommendations.services.privacy.repeating import repeat_erasures
from recommendations.store.erasure import log as erasure_log
from recommendations.store.erasure.burial import bury, lift_block
from recommendations.store.erasure.log import complete_log, lost_erasures, read_log, write_down
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events import tombstones
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.tombstones import ErasedId, digest_of
from recommendations.store.holders import registry
from recommendations.store.process_held import drop_all
from recommendations.terms import CustomerKind
from tests.privacy_holders import JoinHolder, TasteHolder, somebody

ERASED_AT = datetime(2026, 8, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db(transaction=True)


def erase(user_id: str, *anonymous: str, mode: EraseMode = EraseMode.FORGET) -> None:
    bury(subject_of(user_id, anonymous), mode=mode, now=ERASED_AT)


def restore(erasure: Callable[[], None]) -> None:
    """Erase, and put the database back to what it was before; the log stays."""
    before = list(Customer.objects.values())
    erasure()
    Tombstone.objects.all().delete()
    for row in before:
        Customer.objects.filter(pk=row["id"]).update(**row)
    drop_all()


def missing() -> str:
    return Readiness().missing().get("erasures", "")


def test_nobody_is_served_before_the_erasures_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))
    ada, bob = somebody("ada", "phone"), somebody("bob")
    assert missing() == ""
    restore(lambda: (erase("ada"), erase("nobody", mode=EraseMode.BLOCK))[0])
    assert missing().startswith("3 erasures are to be repeated")

    assert repeat_erasures(NOW) == 1

    assert missing() == ""
    assert subject_of("ada", ["phone"]).keys == set()
    assert subject_of("bob", []).keys == {bob.pk}
    stones = {bytes(stone.digest): (stone.at, stone.mode) for stone in Tombstone.objects.all()}
    ids = pseudonym("ada"), pseudonym("phone", kind=CustomerKind.ANONYMOUS)
    assert stones == {digest_of(value): (ERASED_AT, EraseMode.FORGET) for value in ids} | {
        digest_of(pseudonym("nobody")): (ERASED_AT, EraseMode.BLOCK)
    }
    request = PrivacyRequest.objects.get()
    work.do_request(request.pk)
    assert {one.customer_id for one in StatedTaste.objects.all()} == {bob.pk}
    assert Customer.objects.get(pk=ada.pk).erased_at is not None
    request.refresh_from_db()
    assert request.counts["customer"]["changed"] == 2  # both rows, which no id leads to any more
    assert repeat_erasures(NOW + DAY) == 0
    assert PrivacyRequest.objects.count() == 1


def test_the_watch_repeats_and_a_killed_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the request was stored, before anybody was buried."""
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))
    somebody("ada", "phone")
    restore(lambda: erase("ada"))
    with monkeypatch.context() as killed:
        killed.setattr("recommendations.services.privacy.repeating.make_unknown_all", lambda *_args, **_options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            repeat_erasures(NOW)
    assert subject_of("ada", []).keys

    closing.close_erasures(NOW)

    assert subject_of("ada", []).keys == set()
    assert PrivacyRequest.objects.count() == 1
    assert missing() == ""


def test_without_keys_it_waits_and_says_so(settings: LazySettings) -> None:
    somebody("ada")
    restore(lambda: erase("ada"))
    settings.EXPORT_KEYS = []

    assert repeat_erasures(NOW) == 0
    assert "EXPORT_KEYS" in missing()
    assert subject_of("ada", []).keys


def test_a_newer_erasure_of_the_log_counts_and_a_lifted_block_stays_lifted() -> None:
    digest = digest_of(pseudonym("ada"))
    restore(lambda: (erase("ada", mode=EraseMode.BLOCK), lift_block(digest, now=NOW))[0])
    assert read_log()[digest].mode == EraseMode.FORGET
    Tombstone.objects.create(digest=digest, at=ERASED_AT - DAY, mode=EraseMode.BLOCK)

    repeat_erasures(NOW)

    stone = Tombstone.objects.get()
    assert (stone.at, stone.mode) == (ERASED_AT, EraseMode.FORGET)


def test_who_came_back_since_is_not_erased_again_where_a_line_outlived_its_tombstone() -> None:
    write_down([ErasedId(digest_of(pseudonym("ada")), 1, ERASED_AT, EraseMode.FORGET)])
    back = somebody("ada")
    Customer.objects.filter(pk=back.pk).update(not_before=ERASED_AT)  # as who came while the tombstone was there

    assert repeat_erasures(NOW) == 0

    assert subject_of("ada", []).keys == {back.pk}


def test_the_log_is_completed_by_what_was_laid_or_lifted_again() -> None:
    """Neither gives a new key; the process was killed before it told the log."""
    digest = digest_of(pseudonym("ada"))
    erase("ada", mode=EraseMode.BLOCK)
    assert complete_log() == 0
    tombstones.lay([ErasedId(digest, 1, NOW, EraseMode.BLOCK)])
    assert (complete_log(), read_log()[digest].at) == (1, NOW)
    tombstones.lift_block(digest, now=NOW + DAY)
    assert (complete_log(), read_log()[digest].mode) == (1, EraseMode.FORGET)
    assert complete_log() == 0


def test_the_log_survives_a_torn_line_and_is_completed() -> None:
    first, second = (ErasedId(digest_of(value), 1, ERASED_AT, EraseMode.FORGET) for value in (b"1", b"2"))
    write_down([first])
    os.truncate(erasure_log.path(), erasure_log.path().stat().st_size - 9)  # killed amid its line
    write_down([second])
    assert read_log() == {second.digest: second}

    Tombstone.objects.create(digest=first.digest, at=ERASED_AT, mode=EraseMode.FORGET)
    assert (complete_log(), complete_log()) == (1, 0)

    assert read_log() == {first.digest: first, second.digest: second}
    assert lost_erasures() == [second]
    assert len(erasure_log.path().read_bytes().splitlines()) == 3


def test_a_log_that_cannot_be_read_is_no_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    write_down([ErasedId(digest_of(b"1"), 1, ERASED_AT, EraseMode.FORGET)])
    file = erasure_log.path()
    file.unlink()
    file.mkdir()

    assert "cannot be read (IsADirectoryError)" in missing()
