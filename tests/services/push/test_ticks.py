"""What workers do again and again, by the installation's settings."""

from datetime import time, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import ItemAbsence, Message, PressureRules
from recommendations.push_terms import MessageState
from recommendations.services.push import ticks
from tests.post_office import post_office
from tests.push_records import contact
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"
    PressureRules.objects.create(
        number=1, quiet_from=time(0), quiet_until=time(0), holdout=0.0, season="2026-2", is_default=True
    )


def test_from_a_live_campaign_to_the_mail_server(settings: LazySettings) -> None:
    now = timezone.now()
    assert ticks.decide(now=now) == 0  # nothing is live
    for number in range(3):
        contact(f"u{number}")
    campaign("weekly", now)
    assert ticks.decide(now=now) == 60
    settings.PUSH_MAIL_SERVER = {}
    assert ticks.send() == 0  # not set up
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        assert (ticks.send(), ticks.send(), len(office.got)) == (3, 0, 3)
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.TAKEN}
    assert not ItemAbsence.objects.exists()


def test_what_a_dead_sender_held_is_taken_back() -> None:
    now = timezone.now()
    contact("u1")
    campaign("weekly", now)
    ticks.decide(now=now)
    Message.objects.update(state=MessageState.HANDING, holder="dead", lease_until=now - timedelta(seconds=1))
    assert ticks.settle(now=now) == 1
    assert Message.objects.get().state == MessageState.UNKNOWN
