"""Running low: what a customer buys again and again is due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from recommendations.engine.frames import IdArray
from recommendations.engine.push.staples import EARLY, LATE, MINUTE, Staples, nearest, staples_of
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.push.triggers.look import ALIAS, BOUGHT, STANDS, Happening, TriggerLook, day_of, persons
from recommendations.store.temp_tables import rows

ARRIVES = timedelta(days=7)  # so late a purchase may have come in that the model has not learned of

# What was bought since the model learned, or a little before: events of a few days, by their moments.
_BOUGHT = f"""
WITH {{asked}} line AS (
  SELECT event.customer_id AS key, event.item_id AS item, max(event.occurred_at) AS at
  FROM recommendations_event event
  WHERE event.occurred_at > %(since)s AND event.occurred_at <= %(now)s AND event.customer_id IS NOT NULL
    AND event.item_id IS NOT NULL {{theirs}} AND {BOUGHT}
  GROUP BY 1, 2
)
SELECT coalesce(alias.customer_id, line.key), line.item, max(line.at) FROM line LEFT JOIN {ALIAS} = line.key
GROUP BY 1, 2
"""  # noqa: S608 - parts of our own


def running_low(look: TriggerLook, *, model: Model, sellable: IdArray) -> list[Happening]:
    """Who is about to need an item again, one item a person; of a few people all of them.

    An item is due between 0.8 and 1.5 of the usual gap. What is usual the live model's history says, what was bought
    since then the events.
    """
    known, now = _staples(model), look.now.timestamp()
    passed = known.passed(now)
    late = now - known.last <= LATE * known.gap + (STANDS.total_seconds() if look.standing else 0.0)
    due = known.where((passed >= EARLY) & late & np.isin(model.items.ids[known.item], sellable))
    person_of = persons(look.people if look.people is not None else model.users.ids[np.unique(due.user)].tolist())
    keys = model.users.ids[due.user]
    due = due.where(np.isin(keys, np.fromiter(person_of, np.int64)))
    people = np.array([person_of[key] for key in model.users.ids[due.user].tolist()], np.int64)
    items = model.items.ids[due.item]
    bought = bought_since(look, since=model.as_of - ARRIVES)
    acts = zip(people.tolist(), items.tolist(), due.last.tolist(), strict=True)
    wanting = np.fromiter(
        (bought.get((who, item), 0.0) < last + MINUTE for who, item, last in acts), np.bool_, len(due)
    )
    return _happenings(due.where(wanting), people[wanting], items[wanting], look=look)


def bought_since(look: TriggerLook, *, since: datetime) -> dict[tuple[int, int], float]:
    """The last purchase of each person and item since a moment, in seconds since 1970-01-01 UTC."""
    bounds = look.bounds() | {"since": since}
    bought = rows(_BOUGHT.format(asked=look.asked, theirs=look.theirs), **bounds)
    return {(person, item): at.timestamp() for person, item, at in bought}


def _happenings(due: Staples, people: IdArray, items: IdArray, *, look: TriggerLook) -> list[Happening]:
    users, place = np.unique(people, return_inverse=True)  # two users of the model may be one person by now
    by_person = Staples(user=place.astype(np.int32), item=due.item, last=due.last, gap=due.gap, times=due.times)
    chosen = np.arange(len(due)) if look.standing else nearest(by_person, at=look.now.timestamp())
    return [
        Happening(
            int(users[by_person.user[row]]),
            f"{items[row]}:{day_of(_moment(due.last[row]))}",
            int(items[row]),
            _moment(due.last[row] + EARLY * due.gap[row]),
        )
        for row in chosen.tolist()
    ]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


@held_by_model
def _staples(model: Model) -> Staples:
    """Staples of everybody, worked out once for a model."""
    ahead = model.as_of.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).utcoffset() or timedelta(0)
    until = model.as_of.timestamp()
    return staples_of(model.training.interactions, until=until, offset=ahead.total_seconds())
