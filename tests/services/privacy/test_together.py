"""What is written once for many is done for all whose requests wait, and none of them keeps another from it."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from django.utils import timezone

from recommendations.models import PrivacyRequest, StatedTaste
from recommendations.privacy_terms import RequestState
from recommendations.services.privacy import receipts, work
from recommendations.services.privacy.holds import hold
from recommendations.services.privacy.requests import (
    EraseAsk,
    ask_erase_many,
    try_again,
)
from recommendations.services.privacy.sealed import PersonIds
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


def test_who_waits_is_taken_along_by_what_is_written_once(holders: Holders) -> None:
    files = FileHolder()
    holders(files, JoinHolder())
    for name in ("a", "b", "c", "held", "first"):
        somebody(name, f"visit of {name}")
    hold(PersonIds(user_id="held"), reason="case", until=None, by=None, now=NOW)
    a, b, c, held, first = ask_erase_many(
        [EraseAsk(user_id=name, export_first=name == "first") for name in ("a", "b", "c", "held", "first")],
        by=None, now=NOW,
    )  # fmt: skip

    do(a)
    assert files.calls == [3]
    for waiting in (b, c):
        waiting.refresh_from_db()
        assert (waiting.state, waiting.counts["interests"]["deleted"]) == (RequestState.RECEIVED, 2)
        assert waiting.unknown_at is not None
    assert StatedTaste.objects.count() == 4
    for each in (b, c, held, first):
        do(each)
    assert files.calls == [3, 1]  # the last was not taken along, as it wants an export first
    assert [each.state for each in (a, b, c, held, first)] == [
        *[RequestState.DONE] * 3, RequestState.HELD, RequestState.DONE,
    ]  # fmt: skip
    assert {receipts.envelopes(each)[0]["document"]["holders"]["interests"]["deleted"] for each in (a, b, c)} == {2}


def test_one_whose_seal_does_not_open_keeps_no_other_from_it(holders: Holders) -> None:
    files = FileHolder()
    holders(files, JoinHolder())
    for name in ("a", "b", "c"):
        somebody(name)
    a, b, c = ask_erase_many([EraseAsk(user_id=name) for name in ("a", "b", "c")], by=None, now=NOW)
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
    a, b = ask_erase_many([EraseAsk(user_id=name) for name in ("a", "b")], by=None, now=NOW)
    with pytest.raises(RuntimeError):
        work.do_request(a.pk)
    try_again(a, by=None, now=NOW)
    for each in (a, b):
        do(each)
        assert (each.counts["interests"]["found"], each.counts["interests"]["deleted"]) == (2, 2)
