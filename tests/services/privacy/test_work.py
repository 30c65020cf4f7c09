"""A request is done holder by holder, goes on where it was left, and ends with a receipt, or says why not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommendations.models import AuditEntry, Customer, LegalHold, PrivacyRequest, Staff, StatedTaste, Tombstone
from recommendations.privacy_terms import EraseMode, Kept, ReceiptPart, RequestState
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.privacy import closing, receipts, work
from recommendations.services.privacy.erasing import NOTHING, entry_after, make_unknown
from recommendations.services.privacy.holds import HoldIsOverError, hold, lift_hold
from recommendations.services.privacy.requests import (
    EraseAsk,
    ExportAsk,
    NoIdsError,
    ReferenceReusedError,
    ask_erase,
    ask_erase_many,
    ask_export,
    try_again,
)
from recommendations.services.privacy.sealed import PersonIds, seal_subject
from recommendations.store.erasure import log as erasure_log
from recommendations.store.holders import registry
from recommendations.store.holders.customer import CUSTOMER
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.terms import Role, RunStatus
from tests.privacy_holders import JoinHolder, TasteHolder, somebody

pytestmark = pytest.mark.django_db
NOW = timezone.now()
type Holders = Callable[..., None]


@pytest.fixture
def holders(monkeypatch: pytest.MonkeyPatch) -> Holders:
    return lambda *chosen: monkeypatch.setattr(registry, "HOLDERS", chosen)


def ask(user_id: str | None = "ada", **more: Any) -> PrivacyRequest:
    return ask_erase(EraseAsk(user_id=user_id, **more), by=None, now=NOW)


def do(request: PrivacyRequest) -> PrivacyRequest:
    work.do_request(request.pk)
    request.refresh_from_db()
    return request


def test_somebody_is_erased_at_every_holder_and_receipts_prove_it(holders: Holders) -> None:
    holders(TasteHolder(), JoinHolder())
    ada, other = somebody("ada", "phone", "tablet"), somebody("bo", "laptop")
    request = ask()
    assert (request.state, request.counts) == (RequestState.RECEIVED, {})

    do(request)

    assert request.state == RequestState.DONE  # no model learned anything
    assert request.sealed is None
    assert request.progress == 1
    assert request.counts == {
        "interests": {"found": 3, "deleted": 3, "changed": 0, "kept": 0, "why": "", "left": 0},
        "customer": {"found": 5, "deleted": 2, "changed": 3, "kept": 1, "why": "entry_of_trail", "left": 0},
    }
    assert StatedTaste.objects.filter(customer=other).exists()
    assert Customer.objects.get(pk=ada.pk).erased_at is not None
    assert Tombstone.objects.count() == 3
    first, last = receipts.envelopes(request)
    assert [each["document"]["part"] for each in (first, last)] == [ReceiptPart.ERASED, ReceiptPart.CLOSED]
    assert first["document"]["holders"]["customer"] == {
        "found": 5, "deleted": 2, "changed": 3, "kept": 1, "why": "entry_of_trail",
    }  # fmt: skip
    assert receipts.verify([first, last], whole=True) == []


def test_who_is_unknown_gets_a_receipt_that_says_nothing(holders: Holders) -> None:
    holders(TasteHolder(), JoinHolder())
    request = do(ask("nobody"))
    assert request.state == RequestState.DONE
    assert {entry["found"] for entry in request.counts.values()} == {0}


def test_twice_is_two_requests_and_the_second_finds_nothing(holders: Holders) -> None:
    holders(TasteHolder(), JoinHolder())
    somebody("ada", "phone")
    first, second = ask(), ask(None, anonymous_ids=("phone",))
    do(first), do(second)
    assert [sum(entry["found"] for entry in each.counts.values()) for each in (first, second)] == [5, 0]


def test_a_worker_that_is_killed_leaves_the_rest_to_the_next(holders: Holders) -> None:
    holders(TasteHolder(falls=1), JoinHolder())
    somebody("ada", "phone", "tablet")
    request = ask()
    with pytest.raises(RuntimeError):
        work.do_request(request.pk)
    request.refresh_from_db()
    assert (request.state, request.message) == (RequestState.FAILED, "RuntimeError: killed")
    assert request.unknown_at is not None
    assert request.receipts.count() == 0

    early = closing.close_erasures(timezone.now() + closing.PAUSE / 2)
    request.refresh_from_db()
    assert (early, request.status) == (0, RunStatus.FAILED)
    closing.close_erasures(timezone.now() + closing.PAUSE * 2)
    request.refresh_from_db()
    assert request.status == RunStatus.QUEUED

    do(request)
    assert request.state == RequestState.DONE
    assert request.counts["interests"] | {"why": ""} == {
        "found": 3, "deleted": 3, "changed": 0, "kept": 0, "why": "", "left": 0,
    }  # fmt: skip


def test_what_was_taken_at_once_counts_also_where_the_worker_is_killed_after_it(holders: Holders) -> None:
    holders(CUSTOMER)
    somebody("ada", "phone")
    request = ask()
    make_unknown(request, now=timezone.now())
    PrivacyRequest.objects.filter(pk=request.pk).update(unknown_at=None)  # it was about to note it
    do(request)
    rows, tastes, joined = 2, 2, 1
    counts = {"found": rows + tastes + joined, "deleted": tastes + joined, "changed": rows}
    assert request.counts["customer"] == {**counts, "kept": 0, "why": "", "left": 0}
    assert receipts.envelopes(request)[0]["document"]["holders"]["customer"] == {**counts, "kept": 0, "why": ""}


def test_what_the_scan_finds_fails_the_request_with_the_holders_name(holders: Holders) -> None:
    holders(TasteHolder(leaves=2), JoinHolder())
    somebody("ada", "phone")
    request = do(ask())
    assert request.state == RequestState.FAILED
    assert request.message == "After the erasure something is left at: interests (1)."
    assert request.counts["interests"]["left"] == 1
    assert request.receipts.count() == 0

    try_again(request, by=None, now=NOW)
    do(request)
    assert request.state == RequestState.DONE
    assert request.counts["interests"]["deleted"] == 2


def test_what_came_late_is_erased_once_more(holders: Holders) -> None:
    holders(TasteHolder(leaves=1), JoinHolder())
    somebody("ada", "phone")
    request = do(ask())
    assert (request.state, request.message) == (RequestState.DONE, "")
    assert request.counts["interests"]["deleted"] == 2


def test_what_was_kept_is_told_though_more_was_erased_later() -> None:
    begun = {**NOTHING, "found": 4}
    first = entry_after(begun, Erased(deleted=3, kept=1, why=Kept.SUPPRESSED_ADDRESS))
    again = entry_after(first, Erased(deleted=1))
    assert again == {
        "found": 4, "deleted": 4, "changed": 0, "kept": 1, "why": Kept.SUPPRESSED_ADDRESS, "left": 0,
    }  # fmt: skip


def test_a_reference_is_one_request(holders: Holders) -> None:
    holders(TasteHolder())
    first = ask(reference="ticket 7")
    assert ask(reference="ticket 7") == first
    for other in ({"user_id": "bo"}, {"mode": EraseMode.BLOCK}, {"export_first": True}, {"anonymous_ids": ("a",)}):
        with pytest.raises(ReferenceReusedError):
            ask(reference="ticket 7", **{"user_id": "ada"} | other)
    with pytest.raises(ReferenceReusedError):
        ask_export(ExportAsk(user_id="ada", reference="ticket 7"), by=None, now=NOW)
    assert PrivacyRequest.objects.count() == 1
    assert AuditEntry.objects.filter(object_type="privacyrequest").count() == 1


def test_of_many_all_are_taken_or_none(holders: Holders) -> None:
    holders(TasteHolder())
    with pytest.raises(ReferenceReusedError) as refused:
        ask_erase_many([EraseAsk(user_id=name, reference="r") for name in ("a", "b")], by=None, now=NOW)
    assert refused.value.position == 1
    with pytest.raises(NoIdsError) as nobody:
        ask_erase_many([EraseAsk(user_id="a"), EraseAsk()], by=None, now=NOW)
    assert nobody.value.position == 1
    assert not PrivacyRequest.objects.exists()
    same = [EraseAsk(user_id="a", reference="r")] * 2 + [EraseAsk(user_id="a")] * 2
    stored = ask_erase_many(same, by=None, now=NOW)
    assert stored[0] == stored[1]
    assert len(set(stored)) == PrivacyRequest.objects.count() == 3


def test_a_legal_hold_keeps_somebody_until_it_is_lifted(holders: Holders) -> None:
    holders(TasteHolder())
    somebody("ada", "phone")
    admin = Staff.objects.create_user("ada@example.com", "a long password", role=Role.ADMIN)
    stored = hold(PersonIds(anonymous_ids=("phone",)), reason="case 12", until=None, by=admin, now=NOW)
    request = do(ask())
    assert (request.state, request.options["holds"]) == (RequestState.HELD, [stored.pk])
    assert StatedTaste.objects.count() == 2

    with pytest.raises(NoteNeededError):
        lift_hold(stored, reason=" ", by=admin, now=timezone.now())
    lift_hold(stored, reason="the case is closed", by=admin, now=timezone.now())
    with pytest.raises(HoldIsOverError):
        lift_hold(stored, reason="again", by=admin, now=timezone.now())
    assert AuditEntry.objects.get(verb="lift").note == "the case is closed"
    do(request)
    assert "holds" not in request.options
    assert request.state == RequestState.DONE
    assert StatedTaste.objects.count() == 0
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["hold", "ask", "lift"]
    assert not AuditEntry.objects.filter(label__contains="phone").exists()
    assert LegalHold.objects.get().reason == "case 12"


def test_a_hold_keeps_by_each_of_its_ids(holders: Holders) -> None:
    holders(TasteHolder())
    hold(PersonIds(user_id="ada", anonymous_ids=("phone", "tablet")), reason="case", until=None, by=None, now=NOW)
    for ids in ({"user_id": "ada"}, {"user_id": None, "anonymous_ids": ("tablet",)}):
        assert do(ask(**ids)).state == RequestState.HELD
    assert do(ask("bo")).state == RequestState.DONE


def test_who_is_held_twice_waits_for_both_holds(holders: Holders) -> None:
    holders(TasteHolder())
    somebody("ada")
    holds = [hold(PersonIds(user_id="ada"), reason="case", until=None, by=None, now=NOW) for _time in range(2)]
    request = do(ask())
    assert request.options["holds"] == [each.pk for each in holds]
    lift_hold(holds[0], reason="over", by=None, now=timezone.now())
    assert do(request).options["holds"] == [holds[1].pk]
    lift_hold(holds[1], reason="over", by=None, now=timezone.now())
    assert do(request).state == RequestState.DONE


def test_rows_of_who_is_erased_stay_until_every_holder_took_its_own(holders: Holders) -> None:
    """With a row goes what hangs on it, which nobody would count, nor silence, nor forget in the trail."""
    holders(TasteHolder(falls=1), JoinHolder())
    ada = somebody("ada", "phone")
    request = ask()
    with pytest.raises(RuntimeError):
        work.do_request(request.pk)

    closing.close_erasures(timezone.now() + 10 * closing.HUSKS_LAST)
    assert Customer.objects.filter(pk=ada.pk).exists()
    assert StatedTaste.objects.count() == 1  # the other was deleted before the worker was killed

    do(request)
    assert request.counts["interests"]["deleted"] == 2
    closing.close_erasures(timezone.now() + 10 * closing.HUSKS_LAST)
    assert not Customer.objects.exists()


def test_a_seal_that_does_not_open_keeps_the_rows(holders: Holders) -> None:
    holders(TasteHolder(falls=1), JoinHolder())
    somebody("ada")
    request = ask()
    with pytest.raises(RuntimeError):
        work.do_request(request.pk)
    PrivacyRequest.objects.filter(pk=request.pk).update(sealed=b"of another key")
    closing.close_erasures(timezone.now() + 10 * closing.HUSKS_LAST)
    assert Customer.objects.count() == 1


def test_a_log_that_cannot_be_read_stops_no_other_work(holders: Holders) -> None:
    holders(TasteHolder(falls=1), JoinHolder())
    somebody("ada")
    request = ask()
    with pytest.raises(RuntimeError):
        work.do_request(request.pk)
    erasure_log.path().unlink(missing_ok=True)
    erasure_log.path().mkdir(parents=True)  # reading and writing it fails

    closing.close_erasures(timezone.now() + 2 * closing.PAUSE)

    request.refresh_from_db()
    assert request.status == RunStatus.QUEUED


def test_what_is_late_is_counted(holders: Holders) -> None:
    holders()
    ask()
    now = timezone.now()
    assert closing.late_requests(now=now + timedelta(days=19)) == 0
    assert closing.late_requests(now=now + timedelta(days=21)) == 1


def test_who_is_held_is_not_late_and_has_a_month_from_the_end_of_the_hold(holders: Holders) -> None:
    holders(TasteHolder(falls=1))
    somebody("ada")
    stored = hold(PersonIds(user_id="ada"), reason="case", until=None, by=None, now=NOW)
    request = do(ask())
    PrivacyRequest.objects.filter(pk=request.pk).update(due_at=NOW - timedelta(days=40))
    now = timezone.now()
    assert closing.late_requests(now=now) == 0

    lift_hold(stored, reason="over", by=None, now=now)
    with pytest.raises(RuntimeError):  # it began, and was killed
        do(request)
    assert closing.late_requests(now=now + timedelta(days=19)) == 0
    assert closing.late_requests(now=now + timedelta(days=21)) == 1


class FaultyHolder(TasteHolder):
    """A holder with a bug that one person brings out."""

    def __init__(self, customer: int) -> None:
        super().__init__()
        self._customer = customer

    def find(self, subject: Subject) -> int:
        if self._customer in subject.keys:
            raise KeyError(self._customer)
        return super().find(subject)


def test_one_that_a_bug_keeps_from_being_closed_keeps_no_other(holders: Holders) -> None:
    holders(TasteHolder(), JoinHolder())
    people = [somebody("ada"), somebody("bo")]
    asked = [do(ask(name)) for name in ("ada", "bo")]
    for request, person in zip(asked, people, strict=True):
        waiting = {"closed_at": None, "sealed": seal_subject(Subject(keys=frozenset({person.pk})))}
        PrivacyRequest.objects.filter(pk=request.pk).update(**waiting)
    holders(FaultyHolder(people[0].pk), JoinHolder())

    with pytest.raises(KeyError):  # it is a bug, and everybody's
        closing.close_erasures(timezone.now())

    for request in asked:
        request.refresh_from_db()
    assert [request.state for request in asked] == [RequestState.FAILED, RequestState.DONE]
    assert asked[0].message == f"KeyError: {people[0].pk}"
