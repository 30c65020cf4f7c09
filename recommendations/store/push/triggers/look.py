"""What all triggers share: the moments that a look is about, whom it may be about, and which events count."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.event_types import EventName
from recommendations.store.attribution.statements import KEY_ASIDE, PERSON_ASIDE, REPLAY
from recommendations.store.temp_tables import rows

CATCHES_UP = timedelta(hours=48)
"""How long after it came up an occasion is taken up: as long as nobody may have looked."""
STANDS = timedelta(days=30)
"""How long after that it may still stand: longer than any message waits."""


class Happening(NamedTuple):
    """What happened to a person that calls for a message. ``key`` is the same at every look; ``at``: it came up."""

    customer: int  # the merged person
    key: str
    item: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TriggerLook:
    """A look at everybody, for what came up lately, or at a few people, for all of theirs that still stands.

    A look at everybody may begin where the one before ended (``since``), and then reads as little as came in.
    """

    now: datetime
    people: Collection[int] | None = None
    since: datetime | None = None

    @property
    def standing(self) -> bool:
        return self.people is not None

    def bounds(self, wait: timedelta = timedelta(0), *, lasts: timedelta = CATCHES_UP) -> dict[str, Any]:
        """Values of a statement: between which moments the act lies after which the occasion comes up in ``wait``.

        What still stands began at any time, and goes on standing where the person does the same again.
        """
        values = {"now": self.now, "standing": self.standing, "believed": int(settings.PURCHASES_FROM)}
        if self.people is not None:
            oldest = self.now - wait - lasts - STANDS
            return values | {"people": sorted(set(self.people)), "oldest": oldest, "newest": self.now}
        oldest = max(self.now - lasts, self.since or self.now - lasts)
        return values | {"oldest": oldest - wait, "newest": self.now - wait}

    @property
    def asked(self) -> str:
        """Tables ``asked`` and ``asked_key`` of the people who are asked for; of everybody there are none."""
        return f"{_ASKED}," if self.standing else ""

    @property
    def only_asked(self) -> str:
        """Restrict a statement likewise, where no other table follows."""
        return f"WITH {_ASKED}" if self.standing else ""

    @property
    def theirs(self) -> str:
        """The condition that an event is of those people."""
        return "AND event.customer_id IN (SELECT key FROM asked_key)" if self.standing else ""


# What was told through a key that is set aside counts for nobody. Whether there is any such key is asked once.
COUNTS = f"""
(NOT (SELECT EXISTS (SELECT FROM recommendations_aside WHERE key_id IS NOT NULL)) OR NOT {KEY_ASIDE})
"""  # noqa: S608 - parts of our own
_ACT = "event.name IN ({names}) AND event.source <> '{replay}' AND {counts}"
BOUGHT = f"event.name = '{EventName.PURCHASE}' AND event.trust >= %(believed)s AND {COUNTS}"
"""Whether an event is a purchase of a source that is believed."""


def acts(*names: EventName) -> str:
    """Whether an event is such an act of a person; what the demo's replay makes up is none."""
    return _ACT.format(names=", ".join(f"'{name}'" for name in names), replay=REPLAY, counts=COUNTS)


ALIAS = "recommendations_customeralias alias ON alias.undone_at IS NULL AND alias.anonymous_id"
"""To join the customer whom the visitor of a key turned out to be: ``LEFT JOIN {ALIAS} = key``."""
KEYS_OF = """
(SELECT {0} AS key UNION ALL SELECT alias.anonymous_id FROM recommendations_customeralias alias
 WHERE alias.customer_id = {0} AND alias.undone_at IS NULL)
"""
"""All keys of the person in column {0}."""
# Who may be written to at all: nobody who is set aside, and of visitors those who gave an address.
IN_VIEW = f"""
(customer.kind = 'signed_in'
 OR EXISTS (SELECT FROM recommendations_contact contact WHERE contact.customer_id = customer.id))
AND NOT {PERSON_ASIDE.format("customer.id")}
"""
_ASKED = f"""
asked AS MATERIALIZED (
  SELECT DISTINCT coalesce(alias.customer_id, one.key) AS person
  FROM unnest(%(people)s::bigint[]) AS one(key) LEFT JOIN {ALIAS} = one.key
), asked_key AS MATERIALIZED (
  SELECT asked.person, each.key FROM asked CROSS JOIN LATERAL {KEYS_OF.format("asked.person")} each
)
"""  # noqa: S608
_ACTIVE = f"""
asked AS (
  SELECT DISTINCT coalesce(alias.customer_id, event.key) AS person
  FROM (SELECT DISTINCT event.customer_id AS key FROM recommendations_event event
        WHERE event.occurred_at >= %(oldest)s AND event.occurred_at <= %(newest)s AND event.customer_id IS NOT NULL
          AND {{acts}}) event
  LEFT JOIN {ALIAS} = event.key
)
"""  # noqa: S608
_PEOPLE = f"""
WITH {{asked}}, person AS MATERIALIZED (
  SELECT asked.person AS id FROM asked JOIN recommendations_customer customer ON customer.id = asked.person
  WHERE {IN_VIEW}
), key AS MATERIALIZED (
  SELECT person.id AS person, each.key FROM person CROSS JOIN LATERAL {KEYS_OF.format("person.id")} each
)
"""  # noqa: S608
# A purchase of the item by the person after a moment, whatever key it came with.
BOUGHT_SINCE = f"""
EXISTS (
  SELECT FROM {KEYS_OF.format("{person}")} each JOIN recommendations_event event ON event.customer_id = each.key
  WHERE event.occurred_at > {{since}} AND event.occurred_at <= %(now)s AND event.item_id = {{item}} AND {BOUGHT})
"""
_PERSONS = f"""
WITH {_ASKED}
SELECT key, person FROM asked_key JOIN recommendations_customer customer ON customer.id = person WHERE {IN_VIEW}
"""  # noqa: S608


def people_by_acts(look: TriggerLook, *names: EventName) -> str:
    """Tables ``person`` (id) and ``key`` (person, key) of those who did such a thing between the bounds of the look.

    It reads the events of that time by their moments (BRIN); in a look at a few people, only the keys of these.
    """
    return _PEOPLE.format(asked=_ASKED if look.standing else _ACTIVE.format(acts=acts(*names)))


def persons(keys: Collection[int]) -> dict[int, int]:
    """The person of each key, and of each other key of such a person; none of who is not in view."""
    return dict(rows(_PERSONS, people=sorted(set(keys))))


def day_of(moment: datetime) -> str:
    """The shop's day, as keys have it."""
    return moment.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date().isoformat()
