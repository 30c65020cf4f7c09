"""Hours at which people act, by the shop's clock: by their history, as the model has it, and clicks on messages."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from django.conf import settings
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray, Interactions
from recommendations.engine.push.activity import HOURS, WEEK, HourHistograms, activity_of
from recommendations.models import Customer
from recommendations.push_terms import SETTLED_CLICK, Channel, MessageEventKind, MessageState
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.push.people import KEYS
from recommendations.store.temp_tables import rows

REACHES_BACK = timedelta(days=400)  # as long as messages are stored
PRIOR_CLICKS, PRIOR_MESSAGES = 1.0, 31.0  # Beta(1, 30)

_CLICKS = f"""
{KEYS}
SELECT keys.person, event.at FROM keys
JOIN recommendations_message message ON message.customer_id = keys.key
JOIN recommendations_messageevent event ON event.message_id = message.id
WHERE event.kind = '{MessageEventKind.CLICKED}' AND event.told_as = '{SETTLED_CLICK}' AND event.at <= %(now)s
"""  # noqa: S608 - parts of our own
_CHANNELS = f"""
{KEYS}
SELECT keys.person, message.channel, count(*), count(*) FILTER (WHERE EXISTS (
  SELECT FROM recommendations_messageevent event WHERE event.message_id = message.id
    AND event.kind = '{MessageEventKind.CLICKED}' AND event.told_as = '{SETTLED_CLICK}'))
FROM keys JOIN recommendations_message message ON message.customer_id = keys.key
WHERE message.state = '{MessageState.TAKEN}' AND message.handed_at > %(since)s AND message.handed_at <= %(now)s
GROUP BY 1, 2
"""  # noqa: S608


def hours_of_people(people: Collection[int], *, model: Model, now: datetime) -> dict[int, NDArray[np.float64]]:
    """Chances of the hours of the week of each person, [168], 0 = Monday's first; of a stranger those of everybody."""
    known, zone = activity_of_model(model), ZoneInfo(settings.SHOP_TIME_ZONE)
    if known is None:
        return {}
    keys = sorted(set(people))
    clicks: dict[int, NDArray[np.float64]] = {}
    for person, at in rows(_CLICKS, people=keys, now=now):
        wall = at.astimezone(zone)
        clicks.setdefault(person, np.zeros(WEEK))[wall.weekday() * HOURS + wall.hour] += 1
    anew = set(Customer.objects.filter(pk__in=keys, resumed_at__gt=model.as_of).values_list("pk", flat=True))
    known_rows = model.users.rows(np.array(keys, np.int64)).tolist()
    own = [-1 if key in anew else row for key, row in zip(keys, known_rows, strict=True)]
    return {
        person: known.of(row if row >= 0 else None, clicks.get(person)) for person, row in zip(keys, own, strict=True)
    }


def hours_of_all(model: Model) -> NDArray[np.float64] | None:
    """Chances of the hours of the week of everybody together, [168]; None where nobody did anything."""
    known = activity_of_model(model)
    return known.everybody if known else None


def click_shares(people: Collection[int], *, now: datetime) -> Mapping[int, Mapping[Channel, float]]:
    """How likely each person clicks a message of each channel, drawn towards one of thirty-one."""
    shares = {person: dict.fromkeys(Channel, PRIOR_CLICKS / PRIOR_MESSAGES) for person in people}
    for person, channel, taken, clicked in rows(
        _CHANNELS, people=sorted(set(people)), now=now, since=now - REACHES_BACK
    ):
        shares[person][Channel(channel)] = (clicked + PRIOR_CLICKS) / (taken + PRIOR_MESSAGES)
    return shares


@held_by_model
def activity_of_model(model: Model) -> HourHistograms | None:
    """Histograms of everybody whom the model knows; None where nobody did anything."""
    acts = model.training.interactions
    if not len(acts):
        return None
    user, hour, _ = acting_hours(acts, until=model.as_of.timestamp())
    return activity_of(user, hour, n_users=acts.n_users)


def acting_hours(acts: Interactions, *, until: float) -> tuple[IntArray, IntArray, FloatArray]:
    """User, hour of the week and age in days of each hour of a day in which somebody acted, once each.

    ``until`` is the moment that ages count back from, in seconds since 1970-01-01 UTC; hours are the shop's.
    """
    minutes = np.round((until - acts.age.astype(np.float64) * 86_400) / 60).astype(np.int64)
    hours, first = np.unique(acts.user.astype(np.int64) * 2**32 + minutes // 60, return_index=True)
    when = pd.to_datetime((hours % 2**32) * 3_600, unit="s", utc=True).tz_convert(settings.SHOP_TIME_ZONE)
    week = (when.day_of_week * HOURS + when.hour).to_numpy(np.int32)
    return (hours // 2**32).astype(np.int32), week, acts.age[first]
