"""Members of audiences: counted while somebody describes them, and kept in the record by what has changed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from recommendations.engine.frames import IdArray
from recommendations.models import Audience, AudienceMember, Category, Segment
from recommendations.store.audiences.conditions import PEOPLE, Condition, Query, as_statement
from recommendations.store.live import fetch
from recommendations.terms import AudienceKind

_COUNT = """
{head} SELECT (SELECT count(*) FROM members), example.id{facts}
FROM (SELECT id FROM members ORDER BY hashint8(id) LIMIT {most}) example {joins} ORDER BY hashint8(example.id)
"""
_FOLLOW = """
{head}, gone AS (
  DELETE FROM recommendations_audiencemember member WHERE member.audience_id = %s
    AND NOT EXISTS (SELECT FROM members WHERE members.id = member.customer_id) RETURNING 1
), come AS (
  INSERT INTO recommendations_audiencemember (audience_id, customer_id)
  SELECT %s, members.id FROM members WHERE NOT EXISTS (
    SELECT FROM recommendations_audiencemember member
    WHERE member.audience_id = %s AND member.customer_id = members.id) RETURNING 1
)
SELECT (SELECT count(*) FROM members), (SELECT count(*) FROM gone), (SELECT count(*) FROM come)
"""

type Conditions = Mapping[str, Sequence[Condition]]
"""``all``: every customer of the audience meets each; ``none``: nobody of it meets any."""

_COMBINED = {"all": "INTERSECT", "none": "EXCEPT"}
SIDES = tuple(_COMBINED)
EXAMPLES = 3
BATCH = 10_000  # rows of an answer
SETTINGS = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL parallel_tuple_cost = 0.01"
"""A count reads a year of events while somebody waits: in memory, at once, shared out among the server's workers."""


class Place(NamedTuple):
    """A condition of an audience: the side, and where it stands there, from 0."""

    side: str
    position: int


class Gone(NamedTuple):
    """A condition that asks for what is not there any more: a segment that no live version has, a category."""

    place: Place
    name: str


class Example(NamedTuple):
    """A customer who meets all, and the fact by which each condition of ``all`` is met."""

    customer: int
    facts: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class AudienceCount:
    size: int
    examples: Sequence[Example]


def placed(conditions: Conditions) -> Iterator[tuple[Place, Condition]]:
    """Conditions with their places."""
    for side in SIDES:
        for position, condition in enumerate(conditions.get(side, ())):
            yield Place(side, position), condition


def gone(conditions: Conditions, *, there: Collection[str] | None = None) -> list[Gone]:
    """What conditions ask for and is not there any more. Who it is for is not known then, so it is for nobody.

    ``there`` are paths of those of their categories that exist; None: they are looked for.
    """
    return gone_of_each([conditions], there=there)[0]


def gone_of_each(audiences: Sequence[Conditions], *, there: Collection[str] | None = None) -> list[list[Gone]]:
    """What the conditions of each audience ask for and is not there any more."""
    asked = {number for conditions in audiences for number in segments_of(conditions)}
    live = set(Segment.objects.filter(number__in=asked, version__is_live=True).values_list("number", flat=True))
    segments = {one.number: str(one) for one in Segment.objects.filter(number__in=asked - live)}
    lost = {number: segments.get(number, str(number)) for number in asked - live}
    paths = {path for conditions in audiences for _place, one in placed(conditions) for path in _paths(one)}
    if there is None:
        there = Category.objects.filter(path__in=paths).values_list("path", flat=True) if paths else ()
    missing = paths.difference(there)
    return [
        [
            Gone(place, name)
            for place, condition in placed(conditions)
            for name in (
                *(lost[number] for number in condition.get("segments", ()) if number in lost),
                *(path for path in _paths(condition) if path in missing),
            )
        ]
        for conditions in audiences
    ]


def segments_of(conditions: Conditions) -> set[int]:
    """Numbers of the segments that conditions ask for."""
    asked = [condition for _place, condition in placed(conditions) if condition["kind"] == AudienceKind.SEGMENT]
    return {number for condition in asked for number in condition["segments"]}


@transaction.atomic
def count(conditions: Conditions, *, now: datetime) -> AudienceCount:
    """Count who meets the conditions, with a few of them, the same ones every time."""
    if gone(conditions):
        return AudienceCount(size=0, examples=[])
    head, values = _members(conditions, now=now)
    wanted = range(len(conditions.get("all", ())))
    facts = "".join(f", condition_{at}.fact" for at in wanted)
    joins = "".join(f" LEFT JOIN condition_{at} ON condition_{at}.person = example.id" for at in wanted)
    rows = _rows(_COUNT.format(head=head, facts=facts, joins=joins, most=EXAMPLES), values)
    examples = [Example(int(row[1]), tuple(row[2:])) for row in rows]
    return AudienceCount(size=int(rows[0][0]) if rows else 0, examples=examples)


@transaction.atomic
def refresh(key: int, *, now: datetime) -> Audience:
    """Bring the members of an audience (by key) up to date; only who joined and who left is written."""
    audience = Audience.objects.select_for_update().get(pk=key)
    size, changed = _nobody(audience) if gone(audience.conditions) else _follow(audience, now=now)
    if audience.counted_at and timezone.localdate(audience.counted_at) != timezone.localdate(now):
        audience.size_before = audience.size
    audience.size, audience.counted_at = size, now
    if changed:
        audience.generation += 1
        transaction.on_commit(lambda: fetch.announce(fetch.Changed.AUDIENCES))
    audience.save(update_fields=["size", "size_before", "counted_at", "generation"])
    return audience


def refresh_all(*, now: datetime) -> int:
    """Bring the members of every audience up to date, each in a transaction of its own; how many there are.

    An archived one that rules or weights use again, because they were rolled back, is among them.
    """
    each = (Audience.objects.unarchived(), Audience.objects.in_use())
    keys = {key for audiences in each for key in audiences.values_list("pk", flat=True)}
    for key in sorted(keys):
        refresh(key, now=now)
    return len(keys)


def keys_of(audience: int) -> IdArray:
    """Keys of the customers who are in an audience (by key), ascending."""
    keys = AudienceMember.objects.filter(audience=audience).order_by("customer").values_list("customer", flat=True)
    return np.fromiter(keys.iterator(BATCH), np.int64)


def _follow(audience: Audience, *, now: datetime) -> tuple[int, bool]:
    """Write who joined and who left; how many there are now, and whether anybody did."""
    head, values = _members(audience.conditions, now=now)
    [(size, left, joined)] = _rows(_FOLLOW.format(head=head), [*values, *[audience.pk] * 3])
    return int(size), bool(left or joined)


def _nobody(audience: Audience) -> tuple[int, bool]:
    left, _by_model = AudienceMember.objects.filter(audience=audience).delete()
    return 0, bool(left)


def _paths(condition: Condition) -> list[str]:
    """Categories that a condition asks for."""
    if condition["kind"] == AudienceKind.INTEREST:
        return [condition["category"]]
    asked = (one for one in condition.get("items", ()) if one["attribute"] == "category")
    return [value for one in asked for value in one["values"]]


def _members(conditions: Conditions, *, now: datetime) -> Query:
    """The head of a statement: ``condition_<n>`` for each of ``all``, ``members`` with the ids."""
    parts, values = [], list[Any]()
    combined = PEOPLE
    for at, (place, condition) in enumerate(placed(conditions)):
        statement, more = as_statement(condition, now=now)
        parts.append(f"condition_{at} AS MATERIALIZED ({statement})")
        values += more
        combined += f" {_COMBINED[place.side]} SELECT person FROM condition_{at}"  # noqa: S608 - names of ours
    parts.append(f"members AS MATERIALIZED ({combined})")
    return f"WITH {', '.join(parts)}", values


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        cursor.execute(statement, values)
        return list(cursor.fetchall())
