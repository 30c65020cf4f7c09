"""Lines of events that wait for an item to come: kept apart, and taken out when it is there.

Who is in them is a key of ours, and nobody where that person objects; the objection of somebody later is heard as the
line becomes an event.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from recommendations.models import WaitingLine
from recommendations.store.events.insert import ERASED, UNNAMED, EventLine, run

DAYS = 14
BATCH = 500  # lines that are taken out at once

_HOLD = f"""
WITH line AS (
  SELECT sent.*, customer.measure, {UNNAMED} AS unnamed, {ERASED} AS erased FROM json_to_recordset(%t::json)
    AS sent(number integer, occurred_at timestamptz, event_id uuid, line smallint, shop_id text, customer_id bigint,
            sent jsonb)
  LEFT JOIN recommendations_customer customer ON customer.id = sent.customer_id
), new AS (
  INSERT INTO recommendations_waitingline (occurred_at, event_id, line, shop_id, customer_id, key_id, sent)
  SELECT occurred_at, event_id, line, shop_id, CASE WHEN NOT unnamed THEN customer_id END, %b::integer,
    CASE WHEN NOT unnamed AND measure IS NOT FALSE THEN sent WHEN NOT unnamed THEN sent - 'recommendation_id'
    ELSE sent - ARRAY['customer_id', 'session_id', 'recommendation_id'] #- '{{attributes,page}}'
      || CASE WHEN sent ? 'transaction_id' THEN jsonb_build_object('transaction_id', event_id) ELSE '{{}}' END END
  FROM line WHERE NOT erased ORDER BY event_id, occurred_at, line
  ON CONFLICT DO NOTHING
  RETURNING occurred_at, event_id, line
)
SELECT line.number, false FROM new JOIN line USING (occurred_at, event_id, line)
UNION ALL SELECT number, true FROM line WHERE erased
"""  # noqa: S608 - conditions of our own
_COUNT = """
SELECT count(*) FROM (
  SELECT FROM recommendations_waitingline WHERE key_id IS NOT DISTINCT FROM %b::integer LIMIT %b::integer) waits
"""
_TAKE = """
WITH next AS MATERIALIZED (
  SELECT waits.id FROM recommendations_waitingline waits JOIN recommendations_item item ON item.shop_id = waits.shop_id
  WHERE %b::text[] IS NULL OR waits.shop_id = ANY(%b::text[])
  ORDER BY waits.id LIMIT %b::integer FOR UPDATE OF waits SKIP LOCKED)
DELETE FROM recommendations_waitingline WHERE id IN (SELECT id FROM next)
RETURNING (SELECT id FROM recommendations_item WHERE shop_id = recommendations_waitingline.shop_id),
  key_id, received_at, sent::text
"""
_DATE_BACK = """
UPDATE recommendations_event event SET received_at = line.received_at
FROM unnest(%b::timestamptz[], %b::uuid[], %b::smallint[], %b::timestamptz[])
  AS line(occurred_at, event_id, line, received_at)
WHERE (event.occurred_at, event.event_id, event.line) = (line.occurred_at, line.event_id, line.line)
"""
_line = msgspec.json.Decoder(EventLine)


class HeldLine(NamedTuple):
    """A line, and the shop's id of the item that it waits for."""

    line: EventLine
    shop_id: str


class Arrived(NamedTuple):
    """A line whose item came, the key that it was sent with, and when."""

    line: EventLine
    key: int | None
    received_at: datetime


def count_waiting(key: int | None, *, most: int) -> int:
    """How many lines of a key wait, up to ``most``."""
    [(number,)] = run(_COUNT, [key, most])
    return int(number)


def hold(lines: Sequence[HeldLine], *, key: int | None) -> tuple[set[int], set[int]]:
    """Let lines wait; the numbers of those that did not yet, and of those of an id that was erased since they were."""
    if not lines:
        return set(), set()
    rows = [
        {
            "number": number, "occurred_at": line.occurred_at, "event_id": line.event_id, "line": line.line,
            "shop_id": shop_id, "customer_id": line.customer_id, "sent": line,
        }
        for number, (line, shop_id) in enumerate(lines)
    ]  # fmt: skip
    answers = run(_HOLD, [msgspec.json.encode(rows).decode(), key])
    return {number for number, gone in answers if not gone}, {number for number, gone in answers if gone}


def take_arrived(shop_ids: Collection[str] | None) -> list[Arrived]:
    """Take out lines whose items are there, of these or of all: at most ``BATCH``, none that another process takes."""
    wanted: Any = None if shop_ids is None else list(shop_ids)
    arrived = []
    for item, key, received_at, sent in run(_TAKE, [wanted, wanted, BATCH]):
        line = _line.decode(sent)
        line.item_id = item
        arrived.append(Arrived(line, key, received_at))
    return arrived


def date_back(arrived: Sequence[Arrived]) -> None:
    """Let events have come when their lines did, so that what is set aside of a key for a time still is."""
    lines = [each.line for each in arrived]
    columns = [[getattr(line, name) for line in lines] for name in ("occurred_at", "event_id", "line")]
    run(f"{_DATE_BACK} RETURNING event.line", [*columns, [each.received_at for each in arrived]])


def forget_waiting(*, now: datetime) -> int:
    """Delete lines whose item did not come in ``DAYS``; how many."""
    return WaitingLine.objects.filter(received_at__lt=now - timedelta(days=DAYS)).delete()[0]
