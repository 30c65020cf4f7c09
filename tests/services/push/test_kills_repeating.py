"""Senders that are killed on channels that repeat safely: nothing is lost, and who gets one twice knows it again."""

import subprocess
import sys
from collections import Counter
from datetime import datetime, time

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import Message, PressureRules, Staff
from recommendations.push_terms import Channel, MessageState
from recommendations.services.endpoints.book import create
from recommendations.services.parcels.lines import REPEATING
from recommendations.services.push import ticks
from tests.channels.web_server import WebServer, web_server
from tests.services.campaigns.test_form import what
from tests.services.push.test_channels import browser, hooked
from tests.services.push.test_kills import KILLS, PROGRAM, environment_of
from tests.services.push.test_sendings import campaign

CAMPAIGNS, PEOPLE = 2, 24
ID = {Channel.WEB_PUSH: "topic", Channel.WEBHOOK: "webhook-id"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("shop_today")
def test_killed_senders_lose_nothing_and_repeat_under_one_id(settings: LazySettings) -> None:
    now = timezone.now()
    PressureRules.objects.create(
        number=1, quiet_from=time(0), quiet_until=time(0), holdout=0.0, season="2026-2", is_default=True
    )
    with web_server(status=201, cuts_every=20) as server:
        settings.PUSH_SERVICE_HOSTS = settings.WEBHOOK_HOSTS = [server.origin]
        for number in range(PEOPLE):
            browser(server, f"u{number}")
            hooked(f"u{number}")
        create("ERP", server.origin, by=Staff.objects.create(email="ann@shop.example", role="admin"), now=now)
        for channel in REPEATING:
            server.posts.clear()
            _live(channel, now)
            _send_and_kill(channel, server)
            messages = Message.objects.filter(channel=channel)
            assert messages.count() == CAMPAIGNS * PEOPLE
            assert set(messages.values_list("state", flat=True)) == {MessageState.TAKEN}
            posts = Counter(post.headers[ID[channel]] for post in server.posts)
            assert len(posts) == CAMPAIGNS * PEOPLE
            assert posts.total() > len(posts)  # some came twice


def _live(channel: Channel, now: datetime) -> None:
    for number in range(CAMPAIGNS):
        parts = {"what": what(blocks=[{"placement": "trending", "n": 3}]), "channels": [channel]}
        campaign(f"{channel}-{number}".replace("_", "-"), now, parts=parts, purpose="news")
    ticks.decide(now=now)


def _send_and_kill(channel: Channel, server: WebServer) -> None:
    ways = {"KILLED_CHANNEL": channel, "PUSH_SERVICE_HOSTS": server.origin, "WEBHOOK_HOSTS": server.origin}
    program = [sys.executable, str(PROGRAM), str(KILLS), "1"]
    assert subprocess.run(program, env=environment_of(1) | ways, check=False, timeout=600).returncode == 0
