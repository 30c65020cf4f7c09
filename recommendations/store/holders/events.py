"""Events of a person, whatever partition they are in, and what hangs on them.

What others told of an order of theirs without a name goes with it: the number of the order leads to the person. Others
who follow the person keep that they follow somebody, and no longer whom.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from recommendations.models import AttributedLine, DueLine, Event, HeldEvent, WaitingLine
from recommendations.models.events import EventListing
from recommendations.privacy_terms import HolderCode
from recommendations.store.attribution.statements import KEYS
from recommendations.store.events.partitions import run_in_half_gone
from recommendations.store.holders.protocol import ROWS, Erased, Holds, Sheet, Subject
from recommendations.store.holders.tables import OwnRows, of_customer
from recommendations.store.imports.columnar.own_tables import drop_left_over
from recommendations.store.temp_tables import rows, run

TABLE = Event._meta.db_table
HEX = 64  # digits of a pseudonym, as a follower's event has it of whom they follow

_OWN = "event.customer_id = ANY(%(keys)s)"
_NAMELESS = "event.customer_id IS NULL AND event.transaction_id = ANY(%(orders)s)"
_OF_BEFORE = """
EXISTS (SELECT FROM unnest(%(erased)s::text[], %(since)s::timestamptz[]) AS gone(target, at)
  WHERE gone.target = {target} AND {table}.occurred_at < gone.at)
"""  # they followed who had the pseudonym before
_FOLLOWER = f"""
event.target_type = 'customer' AND event.target_id = ANY(%(followed)s) AND event.occurred_at < %(until)s
  AND (event.customer_id IS NULL OR event.customer_id <> ALL(%(keys)s))
  AND NOT {_OF_BEFORE.format(target="event.target_id", table="event")}
"""
_HANGING = ("recommendations_dueline", "recommendations_attributedline", "recommendations_event")
"""Tables of which rows go with an event, itself the last."""
_LINES = "SELECT occurred_at, event_id, line FROM recommendations_event event WHERE {whose}"
_DELETE = f"""
DELETE FROM {{table}} line USING {KEYS}
WHERE (line.occurred_at, line.event_id, line.line) = (key.occurred_at, key.event_id, key.line)
"""  # noqa: S608 - names of ours
_FOLLOW_SOMEBODY = f"""
UPDATE recommendations_event line SET target_id = NULL FROM {KEYS}
WHERE (line.occurred_at, line.event_id, line.line) = (key.occurred_at, key.event_id, key.line)
"""  # noqa: S608
_WAITS_TO_FOLLOW = f"""
sent ->> 'target_id' = ANY(%(followed)s) AND occurred_at < %(until)s
  AND (customer_id IS NULL OR customer_id <> ALL(%(keys)s))
  AND NOT {_OF_BEFORE.format(target="(sent ->> 'target_id')", table="recommendations_waitingline")}
"""
_HELD_TO_FOLLOW = f"""
event ->> 'target_id' = ANY(%(followed)s) AND held_for <> ALL(%(keys)s)
  AND NOT {_OF_BEFORE.format(target="(event ->> 'target_id')", table="recommendations_heldevent")}
"""
_COUNT = f"""
WITH own AS MATERIALIZED ({_LINES.format(whose=_OWN)} UNION ALL {_LINES.format(whose=_NAMELESS)})
SELECT (SELECT count(*) FROM own)
  + (SELECT count(*) FROM recommendations_dueline JOIN own USING (occurred_at, event_id, line))
  + (SELECT count(*) FROM recommendations_attributedline JOIN own USING (occurred_at, event_id, line))
  + (SELECT count(*) FROM recommendations_event event WHERE {_FOLLOWER})
  + (SELECT count(*) FROM recommendations_waitingline WHERE {_WAITS_TO_FOLLOW})
  + (SELECT count(*) FROM recommendations_heldevent WHERE {_HELD_TO_FOLLOW})
"""  # noqa: S608
_WAIT_TO_FOLLOW_SOMEBODY = f"""
UPDATE recommendations_waitingline SET sent = sent - 'target_id' WHERE id IN (
  SELECT id FROM recommendations_waitingline WHERE {_WAITS_TO_FOLLOW} LIMIT %(most)s)
"""  # noqa: S608
_BE_HELD_TO_FOLLOW_SOMEBODY = f"""
UPDATE recommendations_heldevent SET event = event - 'target_id' WHERE {_HELD_TO_FOLLOW}
"""  # noqa: S608
# In a month that is half gone; what hangs on its events goes with the month.
_THEIRS = f"""
FROM {{month}} event WHERE {_OWN} OR event.customer_id IS NULL AND (
  event.transaction_id = ANY(%(orders)s)
  OR event.transaction_id IN (SELECT transaction_id FROM {{month}} WHERE customer_id = ANY(%(keys)s)))
"""  # noqa: S608
_FIND_HALF_GONE = f"SELECT 1 {_THEIRS} UNION ALL SELECT 1 FROM {{month}} event WHERE {_FOLLOWER}"  # noqa: S608
_DELETE_HALF_GONE = f"DELETE {_THEIRS}"
_FOLLOW_SOMEBODY_HALF_GONE = f"UPDATE {{month}} event SET target_id = NULL WHERE {_FOLLOWER}"  # noqa: S608


class Numbers(NamedTuple):
    """Numbers of orders and of visits that stand in a person's events."""

    orders: list[str]
    visits: list[str]


def numbers_of(subject: Subject) -> Numbers:
    """Numbers that lead to the person, by their events and by those that wait."""
    own = Event.objects.filter(of_customer(subject)).exclude(transaction_id=None, session_id=None)
    waiting = WaitingLine.objects.filter(customer_id__in=subject.key_list).values_list("sent", flat=True)
    told: set[tuple[str | None, str | None]] = set(own.values_list("transaction_id", "session_id").distinct())
    told |= {(sent.get("transaction_id"), sent.get("session_id")) for sent in waiting}
    orders, visits = ({pair[place] or "" for pair in told} - {""} for place in range(2))
    return Numbers(orders=sorted(orders), visits=sorted(visits))


def _nameless(subject: Subject) -> Q:
    return Q(customer=None, transaction_id__in=numbers_of(subject).orders)


def _waiting(subject: Subject) -> Q:
    nameless = Q(customer_id=None, sent__transaction_id__in=numbers_of(subject).orders)
    return Q(customer_id__in=subject.key_list) | nameless


def _held_for(subject: Subject) -> Q:
    return Q(held_for__in=subject.key_list)


def _target(value: str | None) -> str | None:
    """What they follow; whom they follow is told to nobody."""
    return None if value is not None and len(value) == HEX else value


def _sent(line: dict[str, Any]) -> dict[str, Any]:
    """A line as it was sent, without our key of the person, and whom they follow."""
    return {name: value for name, value in line.items() if name not in {"customer_id", "target_id"}}


COLUMNS = (
    "occurred_at", "name", "item__shop_id", "item__title", "quantity", "price", "amount", "rating", "rating_scale",
    "search_term", "progress", "transaction_id", "session_id", "recommendation_id", "position", "target_type",
    "target_id", "attributes", "source", "trust", "received_at", "event_id", "line",
)  # fmt: skip
OWN = OwnRows(model=Event, columns=COLUMNS, told={"target_id": _target})
NAMELESS = OwnRows(model=Event, whose=_nameless, columns=COLUMNS, told={"target_id": _target})
WAITING = OwnRows(
    model=WaitingLine, whose=_waiting, columns=("occurred_at", "shop_id", "sent", "received_at"),
    told={"sent": _sent},
)  # fmt: skip
HELD = OwnRows(
    model=HeldEvent, whose=_held_for, columns=("occurred_at", "event_id", "line", "event"), told={"event": _sent}
)  # fmt: skip


class EventsHolder:
    """Events, those that wait for their item or are held beyond their time, and what was attributed to them."""

    def __init__(self) -> None:
        self.code = HolderCode.EVENTS
        models = (Event, EventListing, WaitingLine, HeldEvent, DueLine, AttributedLine)
        self.holds = Holds(models=tuple(each.__name__ for each in models))

    def export(self, subject: Subject) -> Iterator[Sheet]:
        """Tell the events, those of the person's orders that came without a name last; those that wait, are held."""
        own, nameless = OWN.sheet(subject), NAMELESS.sheet(subject)
        yield own._replace(rows=chain(own.rows, nameless.rows))
        yield WAITING.sheet(subject)
        yield HELD.sheet(subject)

    def find(self, subject: Subject) -> int:
        values = _values(subject)
        half_gone = run_in_half_gone(TABLE, _FIND_HALF_GONE, **values)
        return WAITING.count(subject) + HELD.count(subject) + int(rows(_COUNT, **values)[0][0]) + half_gone

    def erase(self, subject: Subject, *, now: datetime) -> Erased:  # noqa: ARG002
        """Erase them: first what is known by the number of an order, last what the number stands in.

        An import that runs leaves them out at its end; what one that was killed has left may hold anybody's.
        """
        drop_left_over()
        values = _values(subject)
        deleted = _delete_lines(_NAMELESS, values) + WAITING.delete(subject) + _delete_lines(_OWN, values)
        deleted += HELD.delete(subject) + run_in_half_gone(TABLE, _DELETE_HALF_GONE, **values)
        return Erased(deleted=deleted, changed=_let_follow_somebody(values))


EVENTS = EventsHolder()


def _values(subject: Subject) -> dict[str, Any]:
    erased = {value.hex(): at for value in subject.pseudonyms if (at := subject.erased_at(value))}
    return {
        "keys": subject.key_list, "orders": numbers_of(subject).orders, "most": ROWS,
        "followed": [pseudonym.hex() for pseudonym in subject.pseudonyms], "until": subject.before,
        "erased": list(erased), "since": list(erased.values()),
    }  # fmt: skip


def _delete_lines(whose: str, values: dict[str, Any]) -> int:
    """Delete events with all that hangs on them; how many rows."""
    deleted = 0
    for keys in _keys_of(whose, values):
        with transaction.atomic():
            deleted += sum(run(_DELETE.format(table=table), **keys) for table in _HANGING)
    return deleted


def _let_follow_somebody(values: dict[str, Any]) -> int:
    """Take from the events of others whom they follow; how many."""
    changed = sum(run(_FOLLOW_SOMEBODY, **keys) for keys in _keys_of(_FOLLOWER, values))
    changed += run_in_half_gone(TABLE, _FOLLOW_SOMEBODY_HALF_GONE, **values)
    while waiting := run(_WAIT_TO_FOLLOW_SOMEBODY, **values):
        changed += waiting
    return changed + run(_BE_HELD_TO_FOLLOW_SOMEBODY, **values)


def _keys_of(whose: str, values: dict[str, Any]) -> Iterator[dict[str, list[Any]]]:
    """Keys of the events in parts, each of which has to be gone, or changed, before the next is asked for."""
    while lines := rows(f"{_LINES.format(whose=whose)} LIMIT %(most)s", **values):
        yield dict(zip(("at", "event", "line"), map(list, zip(*lines, strict=True)), strict=True))
        if len(lines) < ROWS:
            return
