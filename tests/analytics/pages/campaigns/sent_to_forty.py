"""A campaign for forty people, who looks at it, and what stands on its pages; fixtures for modules to import."""

import re
from collections.abc import Callable
from datetime import datetime, time

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.models import (
    Campaign,
    Occurrence,
)
from recommendations.push_terms import OccurrenceState
from recommendations.services.push.sendings import decide_pushes
from recommendations.terms import Role
from tests.push_records import contact
from tests.services.push.test_plans import launch, rules, written

__all__ = ["_installed", "campaign", "merchandiser", "now", "publisher", "rules"]
PEOPLE = 40


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER, settings.PUSH_FROM = {"host": "127.0.0.1", "port": 1}, "a@shop.example"
    settings.POSTAL_ADDRESS, settings.SHOP_TIME_ZONE = "1 Market Square", "Europe/London"


@pytest.fixture
def merchandiser(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


@pytest.fixture
def campaign() -> Campaign:
    night = {"quiet_from": time(0), "quiet_until": time(23, 59)}  # of some, all day long
    for number in range(PEOPLE):
        contact(f"u{number}", **(night if number % 5 == 1 else {}))
    return written("Weekly")


def sent(campaign: Campaign, now: datetime) -> Occurrence:
    launch(campaign, now)
    decide_pushes(now=now)
    return campaign.occurrences.exclude(state=OccurrenceState.PLANNED).get()


def rows_of(page: str) -> list[int]:
    """Numbers of people in the table of the waterfall, the audience first."""
    table = page.split("waterfall-table", 1)[1].split("</table>")[0]
    return [int(each.replace(",", "")) for each in re.findall(r'</th>\s*<td class="num">([\d,]+)</td>', table)]
