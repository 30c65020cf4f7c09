"""What workers do again and again, by the installation's settings."""

import time as clock
from datetime import time, timedelta

import pytest
import redis
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import ItemAbsence, Message, PressureRules
from recommendations.push_terms import Channel, MessageState
from recommendations.services.push import ticks
from recommendations.services.push.pace import line_state
from tests.post_office import free_port, post_office
from tests.push_records import contact
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


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


def test_a_server_that_is_away_shuts_the_line_for_all_senders_and_the_messages_wait(settings: LazySettings) -> None:
    now = timezone.now()
    for number in range(12):
        contact(f"u{number}")
    campaign("weekly", now)
    ticks.decide(now=now)
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": free_port(), "timeout": 1}
    assert (ticks.send(), ticks.send()) == (5, 0)  # five tries, and none by the next worker
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.DUE}
    state = line_state(Channel.EMAIL)
    assert state is not None
    assert state.shut_until - state.away_since >= timedelta(seconds=30)


def test_a_mailbox_that_is_full_shuts_nothing(settings: LazySettings) -> None:
    now = timezone.now()
    for number in range(8):
        contact(f"u{number}")
    campaign("weekly", now)
    ticks.decide(now=now)
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        office.at_rcpt = "452 4.2.2 mailbox full"
        assert (ticks.send(), ticks.send()) == (8, 0)
        assert line_state(Channel.EMAIL) is None


def test_all_workers_together_keep_to_the_pace(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    for number in range(30):
        contact(f"u{number}")
    campaign("weekly", now)
    ticks.decide(now=now)
    monkeypatch.setattr(ticks, "SHIFT", 1.5)
    settings.PUSH_EMAIL_PER_MINUTE = 300
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        handed = ticks.send() + ticks.send()
        assert 10 <= handed == len(office.got) <= 10 + 5 * 4  # a full bucket, and five a second


def test_a_server_that_asks_for_patience_gets_half(settings: LazySettings, valkey: redis.Redis) -> None:
    now = timezone.now()
    contact("u1")
    campaign("weekly", now)
    ticks.decide(now=now)
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        office.at_rcpt = "421 4.7.0 too much"
        assert ticks.send() == 1
    assert float(valkey.hget("push:line:email", "slow_until")) > clock.time() + 590
