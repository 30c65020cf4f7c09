"""What is written once for many is done for all whose requests wait, and none of them keeps another from it."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from django.db import OperationalError
from django.test import TestCase
from django.utils import timezone

from recommendations.models import PrivacyRequest, StatedTaste, Tombstone
from recommendations.privacy_terms import EraseMode, RequestState
from recommendations.services.privacy import receipts, work
from recommendations.services.privacy.holds import hold
from recommendations.services.privacy.requests import (
    EraseAsk,
    ask_erase_many,
    try_again,
)
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Erased, Subject
from tests.privacy_holders import JoinHolder, TasteHolder, somebody

pytestmark = pytest.mark.django_db
NOW = timezone.now()
type Holders = Callable[..., None]


@pytest.fixture
def holders(monkeypatch: pytest.MonkeyPatch) -> Holders:
    return lambda *chosen: monkeypatch.setattr(registry, "HOLDERS", chosen)


def do(request: PrivacyRequest) -> PrivacyRequest:
    work.do_request(request.pk)
    request.refresh_from_db()
    return request


class FileHolder(TasteHolder):
    """A holder that writes once for many; ``calls`` says for how many each time."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def erase_all(self, subjects: Sequence[Subject], *, now: datetime) -> list[Erased]:
        self.calls.append(len(subjects))
        return [self.erase(each, now=now) for each in subjects]


def asked(*asks: EraseAsk) -> list[PrivacyRequest]:
    """The requests as a worker has them, once they are committed."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        stored = ask_erase_many(asks, by=None, now=NOW)
    for each in stored:
        each.refresh_from_db()
    return stored


def test_nobody_is_known_any_more_once_they_are_asked_for(holders: Holders) -> None:
    """No worker has to come by for it; only who is held, wants an export first, or comes twice waits for one."""
    holders(TasteHolder(), JoinHolder())
    for name in ("a", "b", "held", "first", "blocked", "stays"):
        somebody(name, f"visit of {name}")
    hold(PersonIds(anonymous_ids=("visit of held",)), reason="case", until=None, by=None, now=NOW)
    asks = [EraseAsk(user_id=name) for name in ("a", "held", "nobody")]
    asks += [EraseAsk(user_id="first", export_first=True), EraseAsk(user_id="blocked", mode=EraseMode.BLOCK)]
    a, held, nobody, first, blocked, b, again = asked(*asks, *[EraseAsk(anonymous_ids=("visit of b",))] * 2)

    assert [each.unknown_at is not None for each in (a, held, nobody, first, blocked, b, again)] == [
        True, False, True, False, True, True, False,
    ]  # fmt: skip
    for name, known in (("a", 0), ("b", 0), ("blocked", 0), ("held", 2), ("first", 2), ("stays", 2)):
        assert len(subject_of(name, [f"visit of {name}"]).keys) == known, name
    assert Tombstone.objects.filter(mode=EraseMode.BLOCK).count() == 2
    assert [do(each).state for each in (a, held, nobody, first, blocked, b, again)] == [
        RequestState.DONE, RequestState.HELD, *[RequestState.DONE] * 5,
    ]  # fmt: skip
    deleted = [sum(entry["deleted"] for entry in each.counts.values()) for each in (a, nobody, first, blocked, b)]
    assert deleted == [3, 0, 3, 3, 3]
    assert StatedTaste.objects.count() == 4


def test_who_cannot_be_made_unknown_at_once_is_left_to_a_worker(
    holders: Holders, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders(TasteHolder(), JoinHolder())
    somebody("a")
    with monkeypatch.context() as away:
        away.setattr("recommendations.services.privacy.together.advisory_locks", unreachable)
        [a] = asked(EraseAsk(user_id="a"))
    assert a.unknown_at is None
    assert do(a).state == RequestState.DONE


def unreachable(_keys: object) -> None:
    raise OperationalError("the record is away")


def test_who_waits_is_taken_along_by_what_is_written_once(holders: Holders) -> None:
    files = FileHolder()
    holders(files, JoinHolder())
    for name in ("a", "b", "c", "held", "first"):
        somebody(name, f"visit of {name}")
    hold(PersonIds(user_id="held"), reason="case", until=None, by=None, now=NOW)
    a, b, c, held, first = asked(
        *(EraseAsk(user_id=name, export_first=name == "first") for name in ("a", "b", "c", "held", "first"))
    )

    do(a)
    assert files.calls == [3]
    for waiting in (b, c):
        waiting.refresh_from_db()
        assert (waiting.state, waiting.counts["interests"]["deleted"]) == (RequestState.RECEIVED, 2)
        assert waiting.unknown_at is not None
    assert StatedTaste.objects.count() == 4
    for each in (b, c, held, first):
        do(each)
    assert files.calls == [3]  # the last was not taken along, as it wants an export first
    assert [each.state for each in (a, b, c, held, first)] == [
        *[RequestState.DONE] * 3, RequestState.HELD, RequestState.DONE,
    ]  # fmt: skip
    assert {receipts.envelopes(each)[0]["document"]["holders"]["interests"]["deleted"] for each in (a, b, c)} == {2}


def test_one_whose_seal_does_not_open_keeps_no_other_from_it(holders: Holders) -> None:
    files = FileHolder()
    holders(files, JoinHolder())
    for name in ("a", "b", "c"):
        somebody(name)
    a, b, c = asked(*(EraseAsk(user_id=name) for name in ("a", "b", "c")))
    PrivacyRequest.objects.filter(pk=b.pk).update(sealed=b"of another key")

    assert do(a).state == RequestState.DONE
    assert files.calls == [2]
    assert do(b).message == "no key of EXPORT_KEYS opens the ids of this request"
    assert do(c).state == RequestState.DONE


class KilledHolder(FileHolder):
    """A holder whose worker is killed once it has erased, before that is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.falls = 1

    def erase_all(self, subjects: Sequence[Subject], *, now: datetime) -> list[Erased]:
        fell, self.falls = self.falls, 0
        erased = super().erase_all(subjects, now=now)
        if fell:
            raise RuntimeError("killed")
        return erased


def test_what_was_erased_together_counts_though_the_worker_was_killed(holders: Holders) -> None:
    holders(KilledHolder(), JoinHolder())
    for name in ("a", "b"):
        somebody(name, f"visit of {name}")
    a, b = asked(*(EraseAsk(user_id=name) for name in ("a", "b")))
    with pytest.raises(RuntimeError):
        work.do_request(a.pk)
    try_again(a, by=None, now=NOW)
    for each in (a, b):
        do(each)
        assert (each.counts["interests"]["found"], each.counts["interests"]["deleted"]) == (2, 2)
