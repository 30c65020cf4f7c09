"""Facts about the people of an audience, read in a few statements: how they are reached, what they were sent."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from recommendations.engine.push.cases import NEVER, ChannelReach, Person
from recommendations.engine.push.competition import SentMessage
from recommendations.engine.push.timing import QuietHours
from recommendations.event_types import EventName, Outcome
from recommendations.push_terms import COUNTING, Channel, MessageState, Purpose
from recommendations.store.process_held import ProcessHeld
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

REACHES_BACK = timedelta(days=31)  # of caps: the longest window that a rule may have
SHOWN = timedelta(days=7)  # an item is not shown again in a message
LATELY = timedelta(hours=24)  # nor one that they clicked or bought, wherever that was
ACTS = [name for name in EventName if name.facts.outcome in {Outcome.CLICKED, Outcome.BOUGHT}]
EARNS = timedelta(days=84)
MOST_MEANS = 4  # of hours that a process remembers
SHRINKS = 5.0  # orders of the shop's mean that everybody's worth begins with

# Whatever was sent to a visitor who was merged into a customer counts for that customer.
KEYS = """
WITH asked AS (SELECT unnest(%(people)s::bigint[]) AS person), keys AS (
  SELECT person, person AS key, false AS merged FROM asked
  UNION ALL
  SELECT alias.customer_id, alias.anonymous_id, true FROM recommendations_customeralias alias
  JOIN asked ON asked.person = alias.customer_id WHERE alias.undone_at IS NULL)
"""
# A browser counts for the very customer on whose contact it is, never for whom its visitor was merged into, and for a
# signed-in one only where the shop vouches for it: whoever has it would read what that customer did. The one that was
# heard of last is used.
_REACH = f"""
{KEYS}
SELECT DISTINCT ON (keys.person, address.channel) keys.person, address.channel, contact.customer_id, address.id,
  ARRAY(SELECT permission.purpose FROM recommendations_permission permission
        WHERE permission.contact_id = contact.customer_id AND permission.channel = address.channel
          AND permission.state = 'given'),
  EXISTS (SELECT FROM recommendations_suppression silent WHERE silent.channel = address.channel
    AND silent.digest = address.digest AND (silent.until IS NULL OR silent.until > %(now)s)),
  contact.time_zone, contact.quiet_from, contact.quiet_until, contact.paused_until, contact.most_a_week
FROM keys JOIN recommendations_contact contact ON contact.customer_id = keys.key
JOIN recommendations_address address ON address.contact_id = contact.customer_id AND address.state = 'active'
JOIN recommendations_customer customer ON customer.id = contact.customer_id
WHERE address.channel <> 'web_push' OR (NOT keys.merged AND (address.proven OR customer.kind = 'anonymous'))
ORDER BY keys.person, address.channel, keys.merged, contact.changed_at DESC, contact.customer_id,
  address.confirmed_at DESC NULLS LAST, address.id DESC
"""  # noqa: S608 - parts of our own
_SENT = f"""
{KEYS}
SELECT keys.person, message.channel, coalesce(message.handed_at, message.due_at), message.state = 'held'
FROM keys JOIN recommendations_message message ON message.customer_id = keys.key
WHERE message.state = ANY(%(states)s) AND message.due_at > %(since)s AND message.id <> ALL(%(but)s)
"""  # noqa: S608
_SHOWN = f"""
{KEYS}
SELECT DISTINCT keys.person, unnest(message.items)
FROM keys JOIN recommendations_message message ON message.customer_id = keys.key
WHERE message.state = ANY(%(states)s) AND message.due_at > %(since)s AND message.id <> ALL(%(but)s)
UNION
SELECT keys.person, event.item_id
FROM keys JOIN recommendations_event event ON event.customer_id = keys.key
WHERE event.occurred_at > %(lately)s AND event.occurred_at <= %(now)s AND event.item_id IS NOT NULL
  AND event.name = ANY(%(acts)s)
"""  # noqa: S608
_EARNED = f"""
{KEYS}
SELECT customer.id, NOT customer.personalise, coalesce(sum(event.amount), 0), count(DISTINCT event.transaction_id)
FROM recommendations_customer customer JOIN keys ON keys.person = customer.id
LEFT JOIN recommendations_event event ON event.customer_id = keys.key AND event.name = '{EventName.PURCHASE}'
  AND event.occurred_at > %(since)s AND event.occurred_at <= %(now)s AND event.trust >= {Trust.SERVER}
GROUP BY 1
"""  # noqa: S608
_EARNED_OF_ALL = f"""
SELECT sum(amount), count(DISTINCT transaction_id) FROM recommendations_event
WHERE name = '{EventName.PURCHASE}' AND occurred_at > %(since)s AND occurred_at <= %(now)s AND trust >= {Trust.SERVER}
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What holds for whoever has chosen nothing."""

    zone: ZoneInfo
    quiet: QuietHours


class OwnChoices(NamedTuple):
    """A contact's own choices, beside how it is reached."""

    zone: str
    quiet_from: time | None
    quiet_until: time | None
    paused_until: datetime | None
    most_a_week: int | None


def people_of(
    customers: Collection[int], *, habits: Habits, now: datetime, but: Collection[int] = ()
) -> dict[int, Person]:
    """Facts by the key of each person; ``but`` are messages that do not count, as they are looked at themselves."""
    people = sorted(set(customers))
    reach, chosen = _reach(people, now=now)
    sent, shadows = _sent(people, now=now, but=but)
    earned = {person: own for person, *own in rows(_EARNED, people=people, since=now - EARNS, now=now)}
    objectors = {person for person, (objects, *_amounts) in earned.items() if objects}
    worth = _worth(people, {person: own[1:] for person, own in earned.items()}, now=now)
    return {
        customer: _person(
            customer, chosen.get(customer), reach=tuple(reach[customer]), sent=tuple(sent[customer]),
            shadows=tuple(shadows[customer]), personalise=customer not in objectors, worth=worth[customer],
            habits=habits,
        )
        for customer in people
    }  # fmt: skip


def reach_of(customer: int, *, now: datetime) -> tuple[list[ChannelReach], OwnChoices | None]:
    """How a person is reached by their addresses in use, with what they said yes to, and what they chose there."""
    reach, chosen = _reach([customer], now=now)
    return reach[customer], chosen.get(customer)


def shown_lately(customers: Iterable[int], *, now: datetime, but: Collection[int] = ()) -> Mapping[int, set[int]]:
    """Items by person that messages of the last days showed them, or will, and what they clicked or bought of late.

    Messages of ``but`` do not count.
    """
    shown: defaultdict[int, set[int]] = defaultdict(set)
    values = {"people": sorted(set(customers)), "states": _counting(), "acts": ACTS}
    for person, item in rows(_SHOWN, **values, since=now - SHOWN, lately=now - LATELY, now=now, but=list(but)):
        shown[person].add(item)
    return shown


def _person(
    customer: int,
    chosen: OwnChoices | None,
    *,
    reach: tuple[ChannelReach, ...],
    sent: tuple[SentMessage, ...],
    shadows: tuple[SentMessage, ...],
    personalise: bool,
    worth: float,
    habits: Habits,
) -> Person:
    quiet = habits.quiet
    if chosen is not None and chosen.quiet_from is not None and chosen.quiet_until is not None:
        quiet = QuietHours(chosen.quiet_from, chosen.quiet_until)
    return Person(
        customer=customer, reach=reach, sent=sent, shadows=shadows, personalise=personalise, worth=worth, quiet=quiet,
        zone=_zone(chosen.zone) if chosen and chosen.zone else habits.zone,
        paused_until=(chosen.paused_until if chosen else None) or NEVER,
        most_a_week=chosen.most_a_week if chosen else None,
    )  # fmt: skip


def _reach(people: list[int], *, now: datetime) -> tuple[Mapping[int, list[ChannelReach]], Mapping[int, OwnChoices]]:
    """How each person is reached, and what they chose there."""
    reach: defaultdict[int, list[ChannelReach]] = defaultdict(list)
    chosen: dict[int, OwnChoices] = {}
    for person, channel, contact, address, purposes, silent, *own in rows(_REACH, people=people, now=now):
        given = frozenset(Purpose(purpose) for purpose in purposes)
        reach[person].append(ChannelReach(Channel(channel), contact, address, given, silent))
        chosen.setdefault(person, OwnChoices(*own))
    return reach, chosen


def _sent(
    people: list[int], *, now: datetime, but: Collection[int]
) -> tuple[Mapping[int, list[SentMessage]], Mapping[int, list[SentMessage]]]:
    """What each person was sent or will be, and what they would have been sent."""
    sent: defaultdict[int, list[SentMessage]] = defaultdict(list)
    shadows: defaultdict[int, list[SentMessage]] = defaultdict(list)
    states = [*_counting(), MessageState.HELD.value]
    for person, channel, at, held in rows(_SENT, people=people, since=now - REACHES_BACK, states=states, but=list(but)):
        (shadows if held else sent)[person].append(SentMessage(at.timestamp(), channel))
    return sent, shadows


class OrderMeans:
    """Means of an order of the whole shop, as of the full hours at which this process was asked.

    Whoever else is looked at, somebody is worth the same: a plan, its sending and the last look agree.
    """

    def __init__(self) -> None:
        self._means: dict[datetime, float] = {}

    def as_of(self, now: datetime) -> float:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour not in self._means:
            [(amount, orders)] = rows(_EARNED_OF_ALL, since=hour - EARNS, now=hour)
            last = sorted(self._means)[1 - MOST_MEANS :]
            self._means = {each: self._means[each] for each in last}
            self._means[hour] = float(amount) / orders if orders else 0.0
        return self._means[hour]


order_means = ProcessHeld(OrderMeans)


def _worth(people: list[int], earned: Mapping[int, Sequence[Any]], *, now: datetime) -> Mapping[int, float]:
    """Mean amount of an order of each person, drawn towards that of the shop, by the amount and number of their own."""
    mean = order_means().as_of(now)
    return {
        person: (float(amount) + SHRINKS * mean) / (number + SHRINKS)
        for person in people
        for amount, number in [earned.get(person, (0.0, 0))]
    }


def _counting() -> list[str]:
    return sorted(state.value for state in COUNTING)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
