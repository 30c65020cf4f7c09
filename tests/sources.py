"""A key in a page and one on a server, with eight weeks of what they sent: an ordinary shop, and one flood."""

from datetime import datetime, timedelta
from typing import NamedTuple

from recommendations.models import ApiKey, SourceHour
from recommendations.services.access.keys import create_key
from recommendations.terms import Scope, Side

DAYS = 56


class Sources(NamedTuple):
    page: ApiKey
    server: ApiKey
    flood: datetime  # the hour, two hours before the moment of the making


def send_for_weeks(*, now: datetime) -> Sources:
    """A page sends 200 lines and some at night, three times that by day; in one hour it sends 20,000."""
    page, _secret = create_key(name="Shop, pages", scopes=[Scope.EVENTS_WRITE], by=None, side=Side.PAGE)
    server, _secret = create_key(name="Shop, server", scopes=[Scope.EVENTS_WRITE], by=None)
    last = now.replace(minute=0, second=0, microsecond=0)
    ApiKey.objects.filter(pk__in=[page.pk, server.pk]).update(created_at=last - timedelta(days=DAYS))
    hours = []
    for ago in range(24 * DAYS):
        hour = last - timedelta(hours=ago)
        lines = (600 if 8 <= hour.hour < 20 else 200) + ago % 7
        hours.append(SourceHour(key=page, hour=hour, lines=lines, people=lines // 8, new_people=lines // 20))
        hours.append(SourceHour(key=server, hour=hour, lines=lines // 10, people=lines // 12, purchases=lines // 10))
    flood = hours[4]
    flood.lines, flood.people, flood.new_people, flood.not_kept, flood.refused = 20_000, 700, 600, 18_400, 31
    SourceHour.objects.bulk_create(hours)
    return Sources(page, server, flood.hour)
