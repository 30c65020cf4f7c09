"""A sending is over when nobody of it is a candidate any more and nothing of it waits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations.models import Message, Occurrence
from recommendations.push_terms import Channel, MessageState, OccurrenceState
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.push.finishing import finish_sendings
from recommendations.services.push.sendings import MISSED
from recommendations.store.push import outbox
from recommendations.store.push.outbox import Reservation
from tests.push_records import campaign, contact
from tests.services.campaigns.test_form import draft

pytestmark = pytest.mark.django_db
LIFETIME = timedelta(hours=72)


def decided(*, state: OccurrenceState = OccurrenceState.DECIDED) -> Occurrence:
    made = campaign(**as_json(frozen_of(draft(), recurring=False, triggered=False)))
    Occurrence.objects.update(due_at=timezone.now(), state=state)
    made.refresh_from_db()
    return made


def test_it_is_over_after_its_lifetime_and_not_before() -> None:
    made = decided()
    end = made.due_at + LIFETIME + MISSED
    assert finish_sendings(now=end - timedelta(seconds=1)) == 0
    assert finish_sendings(now=end) == 1
    made.refresh_from_db()
    assert (made.state, made.finished_at) == (OccurrenceState.FINISHED, end)
    assert finish_sendings(now=end) == 0


def test_what_waits_keeps_it_open() -> None:
    made, ann = decided(), contact("ann")
    later = timezone.now() + timedelta(days=30)
    place = Reservation(
        customer=ann.contact_id, contact=ann.contact_id, address=ann.pk, key="1", due_at=later, expires_at=later
    )
    outbox.reserve(
        [place], campaign=made.campaign_id, version=made.version_id or 0, occurrence=made.pk, channel=Channel.EMAIL
    )
    for state in (MessageState.DUE, MessageState.LEASED, MessageState.HANDING):
        Message.objects.update(state=state)
        assert finish_sendings(now=later) == 0
    Message.objects.update(state=MessageState.UNKNOWN)
    assert finish_sendings(now=later) == 1


@pytest.mark.parametrize("state", sorted(set(OccurrenceState) - {OccurrenceState.DECIDED}))
def test_only_what_was_decided_ends_so(state: OccurrenceState) -> None:
    decided(state=state)
    assert finish_sendings(now=timezone.now() + timedelta(days=30)) == 0
