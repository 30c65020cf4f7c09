"""Verdicts of a sending, as they are written and counted; who waits on may have another one later."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time
from typing import NamedTuple

import msgspec

from recommendations.engine.push.cases import CaseVerdict
from recommendations.push_terms import ERASED, WAITS_ON, Verdict
from recommendations.store.live.counters import Counted, count_at_commit
from recommendations.store.push.people import KEYS
from recommendations.store.temp_tables import copying, rows, run

COLUMNS = (
    "occurrence_id", "customer_id", "key", "verdict", "would_send", "channel", "due_at", "items", "chance", "value",
    "lost_to_id", "wanted_at", "item", "decided_at", "otherwise",
)  # fmt: skip
_COPY = f"COPY recommendations_considered ({', '.join(COLUMNS)}) FROM STDIN"
_FORGET = """
DELETE FROM recommendations_considered considered USING unnest(%(customers)s::bigint[], %(keys)s::text[])
  AS again(customer, key)
WHERE considered.occurrence_id = %(occurrence)s AND considered.customer_id = again.customer
  AND considered.key = again.key
"""
_COUNT = """
SELECT verdict, count(*), count(*) FILTER (WHERE would_send) FROM recommendations_considered
WHERE occurrence_id = %(occurrence)s GROUP BY 1
"""
_ERASED = "SELECT counts::text FROM recommendations_occurrence WHERE id = %(occurrence)s FOR NO KEY UPDATE"
_NOT_ERASED = """
UPDATE recommendations_occurrence SET counts = (
  SELECT coalesce(jsonb_object_agg(name, n), '{}') FROM jsonb_each(counts) AS each(name, n)
  WHERE NOT starts_with(name, %(prefix)s))
WHERE id = %(occurrence)s
"""
_OPEN = """
SELECT customer_id, key, item, wanted_at FROM recommendations_considered
WHERE occurrence_id = %(occurrence)s AND decided_at <= %(before)s
  AND (verdict = ANY(%(open)s) OR (verdict = 'held_out' AND otherwise = ANY(%(open)s)))
"""
_CASES = "SELECT customer_id, key, item, wanted_at FROM recommendations_considered WHERE occurrence_id = %(occurrence)s"
_CLOSED = f"""
{KEYS}
SELECT keys.person, considered.key FROM keys
JOIN recommendations_considered considered ON considered.customer_id = keys.key
JOIN recommendations_occurrence occurrence ON occurrence.id = considered.occurrence_id
WHERE occurrence.campaign_id = %(campaign)s AND occurrence.state <> 'planned'
"""  # noqa: S608 - parts of our own


# Whoever chose no zone lives where the shop is.
_LATER = """
SELECT (considered.due_at AT TIME ZONE
          CASE WHEN %(own)s THEN coalesce(nullif(contact.time_zone, ''), %(zone)s) ELSE %(zone)s END)::time = %(hour)s,
  count(*), min(considered.due_at)
FROM recommendations_considered considered
LEFT JOIN recommendations_contact contact ON contact.customer_id = considered.customer_id
WHERE considered.occurrence_id = %(occurrence)s AND considered.verdict = 'later'
GROUP BY 1 ORDER BY 2 DESC
"""


class PutOff(NamedTuple):
    """People who get a message later, at an hour that was wanted or for another reason, and the first moment."""

    by_hour: bool
    people: int
    first: datetime


def write(occurrence: int, considered: Sequence[CaseVerdict], *, now: datetime) -> None:
    """Write verdicts by COPY; an earlier one on the same person and occasion gives way."""
    run(
        _FORGET, occurrence=occurrence, customers=[each.case.customer for each in considered],
        keys=[each.case.key for each in considered],
    )  # fmt: skip
    with copying(_COPY) as copied:
        for each in considered:
            copied.write_row(_row(occurrence, each, now))
    count_at_commit(Counter((Counted.VERDICTS, each.verdict.value) for each in considered))


def counts_of(occurrence: int) -> Mapping[str, int]:
    """People by verdict, every one of them; and under ``would_send`` the held-out ones who would have been sent it."""
    counted = rows(_COUNT, occurrence=occurrence)
    counts = {verdict.value: 0 for verdict in Verdict} | {verdict: count for verdict, count, _ in counted}
    held = sum(would for verdict, _, would in counted if verdict == Verdict.HELD_OUT)
    return counts | {"would_send": held}


def counts_for_good(occurrence: int) -> Mapping[str, int]:
    """The counts to store with a sending: those who were erased since their verdict are in them, and apart as well."""
    [(stored,)] = rows(_ERASED, occurrence=occurrence)  # nobody is erased from here on until this commits
    erased = {
        name: n for name, n in msgspec.json.decode(stored, type=dict[str, int]).items() if name.startswith(ERASED)
    }
    return {name: n + erased.get(f"{ERASED}{name}", 0) for name, n in counts_of(occurrence).items()} | erased


def still_open(occurrence: int, *, before: datetime) -> list[tuple[int, str, int | None, datetime]]:
    """Customer, key, item and wanted moment of those whose verdict may turn, and was given before a moment.

    Of who is held out that is the verdict without it: what they would have got has to come by the same looks.
    """
    return [(*row,) for row in rows(_OPEN, occurrence=occurrence, before=before, open=sorted(WAITS_ON))]


def cases_of(occurrence: int) -> list[tuple[int, str, int | None, datetime]]:
    """Customer, key, item and wanted moment of everybody with a verdict."""
    return [(*row,) for row in rows(_CASES, occurrence=occurrence)]


def forget(occurrence: int) -> None:
    """Delete the verdicts of a sending that is decided afresh."""
    run("DELETE FROM recommendations_considered WHERE occurrence_id = %(occurrence)s", occurrence=occurrence)
    run(_NOT_ERASED, occurrence=occurrence, prefix=ERASED)


def put_off(occurrence: int, *, hour: time, zone: str, own: bool) -> list[PutOff]:
    """Who gets it later, by whether it is at the hour that was wanted, by their own clock or by that of the zone."""
    stored = rows(_LATER, occurrence=occurrence, zone=zone, own=own, hour=hour)
    return [PutOff(bool(by_hour), people, first) for by_hour, people, first in stored]


def decided_already(campaign: int, customers: Collection[int]) -> set[tuple[int, str]]:
    """Customer and key of the occasions of a campaign that have a verdict; that of a plan does not count.

    What was decided of a visitor was decided of the customer they turned out to be.
    """
    return {(customer, key) for customer, key in rows(_CLOSED, campaign=campaign, people=list(customers))}


def _row(occurrence: int, each: CaseVerdict, now: datetime) -> Sequence[object]:
    case = each.case
    return (
        occurrence, case.customer, case.key, each.verdict.value, each.would_send,
        each.reach.channel.value if each.reach else "", each.due_at, list(each.items), each.chance, each.value,
        each.lost_to, case.wanted_at, case.item, now, each.otherwise.value if each.otherwise else "",
    )  # fmt: skip
