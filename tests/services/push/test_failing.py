"""A campaign whose messages cannot be written stops before it has failed everybody."""

from datetime import time

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import AuditEntry, Campaign, CampaignVersion, Message, PressureRules
from recommendations.push_terms import MessageState
from recommendations.services.push import failing, sender, ticks
from recommendations.services.push.letters import written_for
from tests.post_office import post_office
from tests.push_records import contact
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


@pytest.fixture(autouse=True)
def _waiting(settings: LazySettings) -> None:
    """Forty messages that could not be written twice already."""
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"
    settings.PUSH_MAIL_SERVER, settings.PUSH_EMAIL_PER_MINUTE = {"host": "127.0.0.1", "port": 9}, 60_000
    PressureRules.objects.create(
        number=1, quiet_from=time(0), quiet_until=time(0), holdout=0.0, season="2026-2", is_default=True
    )
    for number in range(40):
        contact(f"u{number}")
    campaign("weekly", timezone.now())
    ticks.decide(now=timezone.now())
    Message.objects.update(faults=2)


def broken(monkeypatch: pytest.MonkeyPatch, *, but: int) -> None:
    """Let nothing be written but so many messages."""
    left = iter(range(but))

    def written(*arguments: object, **options: object) -> object:
        if next(left, None) is None:
            raise LookupError("a placement is gone")
        return written_for(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "written_for", written)


def failed() -> int:
    return Message.objects.filter(state=MessageState.FAILED).count()


def test_twenty_that_fail_pause_the_campaign_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, but=0)
    ticks.send()
    stored = Campaign.objects.get()
    assert stored.paused_at is not None
    assert stored.pause_reason == "20 of its first messages could not be written."
    assert failed() == 20
    assert Message.objects.filter(state=MessageState.DUE).count() == 20
    entry = AuditEntry.objects.get(verb="pause")
    assert (entry.staff, entry.note) == (None, stored.pause_reason)


def test_failures_after_the_first_messages_pause_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    monkeypatch.setattr(failing, "FIRST", 12)
    monkeypatch.setattr(failing, "MOST", 5)
    broken(monkeypatch, but=12)
    with post_office() as office:
        settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": office.port}
        ticks.send()
    assert (len(office.got), failed()) == (12, 28)
    assert Campaign.objects.get().paused_at is None


def test_a_new_version_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Campaign.objects.get()
    last = CampaignVersion.objects.create(
        campaign=stored, number=2, frozen=CampaignVersion.objects.get().frozen, starts_at=timezone.now(), is_live=False
    )
    first = list(Message.objects.order_by("due_at", "pk").values_list("pk", flat=True)[:21])
    Message.objects.filter(pk__in=first[1:]).update(state=MessageState.FAILED, settled_at=timezone.now())
    Message.objects.exclude(pk__in=first).delete()
    Message.objects.filter(pk=first[0]).update(version=last)
    broken(monkeypatch, but=0)
    ticks.send()
    assert failed() == 21
    assert Campaign.objects.get().paused_at is None
