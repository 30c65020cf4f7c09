"""Who left, by the messages of four weeks before: everybody counts once a message, and who came back has not left."""

from datetime import timedelta

import pytest

from recommendations.models import Message, MessageEvent
from recommendations.push_terms import MessageEventKind, MessageState
from recommendations.store.push.leaving import leaving_counts
from tests.push_records import NOW, contact
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db


def sent(name: str, *days: float, **fields: object) -> list[Message]:
    address = contact(name)
    return [message(address, handed_at=NOW - timedelta(days=each), **fields) for each in days]


def note(of: Message, kind: MessageEventKind, *, minutes: int = 0) -> None:
    at = NOW - timedelta(minutes=60 - minutes)
    MessageEvent.objects.create(message=of, kind=kind, at=at, told_as=f"{at}")


def test_messages_count_by_those_of_28_days_before() -> None:
    sent("ann", 1, 10, 27, 40, 41)  # 41: the first; 40: one before; 27: two; 10: one, as 40 is 30 days before; 1: two
    sent("bo", 1, 2, 3, 4, 5)
    assert leaving_counts(now=NOW) == ([0, 0, 0, 0], [2, 3, 3, 2])


def test_who_unsubscribed_or_complained_has_left_once() -> None:
    [first, second] = sent("ann", 10, 3)
    note(second, MessageEventKind.UNSUBSCRIBED)
    note(second, MessageEventKind.COMPLAINED)
    note(first, MessageEventKind.UNSUBSCRIBED)
    note(first, MessageEventKind.RESUBSCRIBED, minutes=1)
    assert leaving_counts(now=NOW) == ([0, 1, 0, 0], [1, 1, 0, 0])


def test_only_what_was_taken_and_is_over_counts() -> None:
    sent("ann", 1, state=MessageState.UNKNOWN)
    sent("bo", -1)
    sent("cy", 500)
    assert leaving_counts(now=NOW) == ([0] * 4, [0] * 4)
