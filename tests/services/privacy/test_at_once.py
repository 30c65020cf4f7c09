"""Two wishes about one person at once: one works, the other waits for it and says so; a hold is in time or not."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from recommendations.models import Customer, PrivacyRequest, StatedTaste
from recommendations.privacy_terms import EraseMode, HolderCode, RequestState
from recommendations.services.privacy import receipts, work
from recommendations.services.privacy.holds import hold
from recommendations.services.privacy.requests import EraseAsk, ask_erase, try_again
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.legal_holds import HeldError
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Subject
from recommendations.terms import RunStatus
from tests.privacy_holders import JoinHolder, TasteHolder, somebody
from tests.side_threads import on_its_own

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _holders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))


def ask(user_id: str | None = "ada", **more: Any) -> PrivacyRequest:
    return ask_erase(EraseAsk(user_id=user_id, **more), by=None, now=timezone.now())


def do(request: PrivacyRequest) -> PrivacyRequest:
    work.do_request(request.pk)
    request.refresh_from_db()
    return request


@pytest.mark.parametrize("ids", [{"user_id": "ada"}, {"user_id": None, "anonymous_ids": ("phone",)}])
def test_the_second_says_nothing_before_the_first_has_erased(
    monkeypatch: pytest.MonkeyPatch, ids: dict[str, Any]
) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(falls=1), JoinHolder()))
    somebody("ada", "phone")
    first, second = ask(), ask(**ids)
    with pytest.raises(RuntimeError):
        do(first)

    assert do(second).state == RequestState.RECEIVED
    assert (second.counts, second.receipts.count(), second.unknown_at) == ({}, 0, None)
    assert second.options["same_as"] == str(first.pk)

    try_again(first, by=None, now=timezone.now())
    assert do(first).state == RequestState.DONE
    assert do(second).state == RequestState.DONE
    for each in receipts.envelopes(second):
        assert each["document"]["same_as"] == str(first.pk)
        assert {entry["found"] for entry in each["document"]["holders"].values()} == {0}
    assert not any("same_as" in each["document"] for each in receipts.envelopes(first))
    assert StatedTaste.objects.count() == 0


def test_the_second_names_the_sums_that_are_still_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go with the same run, whoever asked."""
    monkeypatch.setattr("recommendations.services.privacy.receipt_facts.summing_recommenders", lambda: ["als"])
    somebody("ada", "phone")
    first, second = ask(), ask()
    PrivacyRequest.objects.filter(pk=second.pk).update(options=second.options | {"same_as": str(first.pk)})
    do(first)
    PrivacyRequest.objects.filter(pk=first.pk).update(counts={HolderCode.LEARNED: first.counts["interests"]})
    do(second)
    assert receipts.envelopes(second)[0]["document"]["sums"]["recommenders"] == ["als"]


def test_of_two_that_begin_together_one_erases() -> None:
    somebody("ada", "phone")
    both, start = [ask(), ask(None, anonymous_ids=("phone",))], Barrier(2)

    def begin(request: PrivacyRequest) -> RunStatus | None:
        start.wait(10)
        return work.do_request(request.pk)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(on_its_own(lambda one=one: begin(one))) for one in both]
        for each in running:
            each.result()
    for each in both:
        each.refresh_from_db()
        do(each)
    found = [sum(entry["found"] for entry in each.counts.values()) for each in both]
    assert [each.state for each in both] == [RequestState.DONE] * 2
    assert sorted(found) == [0, 5]
    assert sum("same_as" in each.options for each in both) <= 1
    assert [each.receipts.count() for each in both] == [2, 2]


def test_a_hold_that_is_being_stored_keeps_the_person() -> None:
    somebody("ada")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        hold(PersonIds(user_id="ada"), reason="case", until=None, by=None, now=timezone.now())
        running = pool.submit(on_its_own(lambda: do(ask())))
        with pytest.raises(TimeoutError):
            running.result(timeout=1)  # it waits for what is not committed yet
    request = running.result(timeout=60)
    assert (request.state, request.message) == (RequestState.HELD, "")
    assert "whom" not in request.options
    assert Customer.objects.filter(erased_at=None).count() == 1
    assert StatedTaste.objects.count() == 1


def test_nobody_who_is_held_is_buried_but_who_was_before() -> None:
    somebody("ada", "phone")
    now = timezone.now()
    hold(PersonIds(anonymous_ids=("phone",)), reason="case", until=None, by=None, now=now)
    subject: Subject = subject_of("ada", [])
    with pytest.raises(HeldError):
        bury(subject, mode=EraseMode.FORGET, now=now)
    assert not Customer.objects.exclude(erased_at=None).exists()
    bury(subject, mode=EraseMode.FORGET, now=now, at=now)  # as after a restore: the shop said so before
    assert not Customer.objects.filter(erased_at=None).exists()
