"""Senders that are killed in the middle: nobody gets two, nothing is lost without a word. The long form is a bench."""

import os
import subprocess
import sys
from collections import Counter
from datetime import time
from email.parser import BytesHeaderParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from recommendations.models import Message, PressureRules
from recommendations.push_terms import FINAL, MessageState
from recommendations.services.mails.letters import message_id
from recommendations.services.mails.returns import id_part
from recommendations.services.push import ticks
from recommendations.services.push.again import taken_after_all
from recsite.supervisor import post_environment
from tests.post_office import Office, post_office
from tests.push_records import contact
from tests.services.campaigns.test_form import what
from tests.services.push.test_sendings import campaign

PROGRAM = Path(__file__).with_name("killed_senders.py")
CAMPAIGNS, PEOPLE, KILLS = 4, 24, 4
SEND = "hello@shop.example"


class Slippery(Office):
    """A post office that takes each twentieth mail and hangs up before it says so."""

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]  # noqa: N802, ANN001, ANN201
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.got) % 20 == 0:
            server.transport.abort()
        return answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("shop_today")
def test_senders_that_are_killed_send_nobody_two(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = SEND, "1 Market Square"
    now = timezone.now()
    PressureRules.objects.create(
        number=1, quiet_from=time(0), quiet_until=time(0), holdout=0.0, season="2026-2", is_default=True
    )
    for number in range(PEOPLE):
        contact(f"u{number}")
    for number in range(CAMPAIGNS):
        parts = {"what": what(blocks=[{"placement": "trending", "n": 3}])}
        campaign(f"c{number}", now, parts=parts, purpose="news")
    ticks.decide(now=now)
    assert Message.objects.count() == CAMPAIGNS * PEOPLE
    with post_office(Slippery()) as office:
        ended = subprocess.run(
            [sys.executable, str(PROGRAM), str(KILLS), "1"], env=environment_of(office.port), check=False, timeout=600
        )
    assert ended.returncode == 0
    messages = dict(Message.objects.values_list("pk", "state"))
    mails = Counter(str(BytesHeaderParser().parsebytes(content)["Message-ID"]) for _from, _to, content in office.got)
    ids = {key: message_id(str(key), id_part(key)) for key in messages}
    assert max(mails.values()) == 1
    assert set(messages.values()) <= FINAL
    assert all(mails[ids[key]] for key, state in messages.items() if state == MessageState.TAKEN)
    unknown = [key for key, state in messages.items() if state == MessageState.UNKNOWN]
    assert 0 < len(unknown) <= 2 * KILLS + len(office.got) // 20
    assert taken_after_all([key for key in unknown if mails[ids[key]]]) > 0
    assert Message.objects.filter(state=MessageState.TAKEN).count() == len(office.got)


def environment_of(port: int) -> dict[str, str]:
    """The environment of a program that works on the test's own servers and files."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    folder = django_settings.STORAGES["artefacts"]["OPTIONS"]["location"]
    return os.environ | post_environment(port) | {
        "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url, "ARTEFACTS": str(folder),
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        "PUSH_FROM": SEND, "POSTAL_ADDRESS": "1 Market Square", "PUSH_EMAIL_PER_MINUTE": "100000",
    }  # fmt: skip
