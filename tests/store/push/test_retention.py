"""Old verdicts and messages go, a few rows by each statement; young ones stay."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import Considered, Message, MessageEvent, Occurrence
from recommendations.push_terms import MessageEventKind, Verdict
from recommendations.services.operations import housekeeping
from recommendations.store.push import retention
from tests.push_records import campaign, contact
from tests.store.push.test_outbox import reserve

pytestmark = pytest.mark.django_db


def verdicts(occurrence: Occurrence, *, decided_at: datetime) -> None:
    Occurrence.objects.filter(pk=occurrence.pk).update(decided_at=decided_at)
    person = contact(occurrence.campaign.slug).contact_id
    Considered.objects.bulk_create(
        Considered(
            occurrence=occurrence, customer_id=person, key=str(number), verdict=Verdict.NOW, would_send=True,
            wanted_at=decided_at, decided_at=decided_at,
        )
        for number in range(25)
    )  # fmt: skip


def test_verdicts_go_after_90_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    now = timezone.now()
    old, young = campaign("old"), campaign("young")
    verdicts(old, decided_at=now - timedelta(days=90, seconds=1))
    verdicts(young, decided_at=now - timedelta(days=89))
    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert housekeeping.forget_messages(now=now) == 25
    assert sum(each["sql"].lstrip().startswith("DELETE") for each in statements) == 4  # 10, 10, 5, none
    assert set(Considered.objects.values_list("occurrence", flat=True)) == {young.pk}


def test_messages_go_after_400_days_with_what_came_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    monkeypatch.setattr(retention, "MESSAGES", 2)
    now, occurrence = timezone.now(), campaign()
    reserve(occurrence, *(contact(f"c{number}") for number in range(7)))
    keys = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    MessageEvent.objects.bulk_create(
        MessageEvent(message_id=key, kind=MessageEventKind.CLICKED, place=place, at=now)
        for key in keys
        for place in range(4)
    )
    Message.objects.filter(pk__in=keys[:5]).update(created_at=now - timedelta(days=400, seconds=1))
    Message.objects.filter(pk__in=keys[5:]).update(created_at=now - timedelta(days=399))
    assert housekeeping.forget_messages(now=now) == 5
    assert list(Message.objects.order_by("pk").values_list("pk", flat=True)) == keys[5:]
    assert set(MessageEvent.objects.values_list("message", flat=True)) == set(keys[5:])
    assert housekeeping.forget_messages(now=now) == 0
