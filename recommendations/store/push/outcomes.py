"""Outcomes of messages: taken, followed by people and by machines, complained of, and what was bought through them.

What was bought is what attribution ties to the lists in the messages, to the cent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from recommendations.push_terms import SETTLED_CLICK, MessageEventKind, MessageState
from recommendations.store.attribution.statements import PERSON, WORDS
from recommendations.store.push.people import LATELY, SHOWN
from recommendations.store.temp_tables import rows

SHOWING = (MessageState.TAKEN, MessageState.UNKNOWN, MessageState.HANDING)
"""Messages that somebody may have read."""

# {by}: the column whose values the results are of. Who took an unsubscription back has not left.
_RESULTS = f"""
WITH own AS MATERIALIZED (
  SELECT id, {{by}} AS whole, customer_id, state, recommendation_id FROM recommendations_message
  WHERE campaign_id = ANY(%(campaigns)s) AND handed_at IS NOT NULL
), handed AS (
  SELECT whole, count(*) FILTER (WHERE state = '{MessageState.TAKEN}') AS taken,
    count(DISTINCT customer_id) FILTER (WHERE state = '{MessageState.TAKEN}') AS people,
    count(*) FILTER (WHERE state = '{MessageState.UNKNOWN}') AS unknown
  FROM own GROUP BY 1
), act AS (
  SELECT whole,
    count(DISTINCT customer_id) FILTER (
      WHERE kind = '{MessageEventKind.CLICKED}' AND told_as = '{SETTLED_CLICK}') AS clicked,
    count(*) FILTER (WHERE kind = '{MessageEventKind.MACHINE_CLICKED}') AS machine_clicks,
    count(DISTINCT customer_id) FILTER (WHERE kind = '{MessageEventKind.COMPLAINED}') AS complained
  FROM own JOIN recommendations_messageevent event ON event.message_id = own.id GROUP BY 1
), gone AS (
  SELECT whole, count(DISTINCT customer_id) AS unsubscribed FROM (
    SELECT DISTINCT ON (own.id, own.whole) own.whole, own.customer_id, event.kind
    FROM own JOIN recommendations_messageevent event ON event.message_id = own.id
    WHERE event.kind IN ('{MessageEventKind.UNSUBSCRIBED}', '{MessageEventKind.RESUBSCRIBED}')
    ORDER BY own.id, own.whole, event.at DESC, event.id DESC
  ) latest WHERE kind = '{MessageEventKind.UNSUBSCRIBED}' GROUP BY 1
), sale AS (
  SELECT whole, count(*) AS lines, count(DISTINCT own.customer_id) AS buyers,
    sum(line.amount - line.refunded) AS revenue
  FROM own JOIN recommendations_attributedline line ON line.recommendation_id = own.recommendation_id
  WHERE own.recommendation_id <> '' AND line.name = ANY(%(bought)s) AND line.kept GROUP BY 1
)
SELECT whole, taken, people, unknown, coalesce(clicked, 0), coalesce(machine_clicks, 0), coalesce(unsubscribed, 0),
  coalesce(complained, 0), coalesce(buyers, 0), coalesce(lines, 0), coalesce(revenue, 0)
FROM handed LEFT JOIN act USING (whole) LEFT JOIN gone USING (whole) LEFT JOIN sale USING (whole)
"""  # noqa: S608 - parts of our own
# Each message is of several wholes: of the campaign, of a subject, of a channel, of an hour where the customer lives,
# of a segment.
_PARTS = """
unnest(ARRAY['all', 'variant:' || variant, 'channel:' || channel,
  'hour:' || extract(hour FROM handed_at AT TIME ZONE coalesce(
  (SELECT nullif(there.time_zone, '') FROM recommendations_contact there
   WHERE there.customer_id = recommendations_message.contact), %(zone)s)),
  'segment:' || coalesce((SELECT profile.segment_id::text FROM recommendations_liveprofile profile
    WHERE profile.customer_id = recommendations_message.customer_id), '')])
"""
_THEIRS = f"""
SELECT FROM {PERSON.format("shown.customer")} JOIN recommendations_event event ON event.customer_id = person.key
WHERE event.item_id = shown.item AND event.occurred_at > shown.at - %(lately)s AND event.occurred_at <= shown.at
  AND event.name = ANY(%({{0}})s)
"""
# The item that the message is about is meant to be there. A list that is the same for everybody is nobody's.
_REPEATS = f"""
WITH shown AS MATERIALIZED (
  SELECT message.id, message.customer_id AS customer, message.handed_at AS at, item
  FROM recommendations_message message JOIN recommendations_campaign campaign ON campaign.id = message.campaign_id
  CROSS JOIN unnest(message.items) AS item
  WHERE message.handed_at >= %(since)s AND message.handed_at < %(until)s AND message.state = ANY(%(showing)s)
    AND item IS DISTINCT FROM message.trigger_item AND campaign.purpose <> 'news'
), judged AS (
  SELECT EXISTS ({_THEIRS.format("bought")}) AS bought, EXISTS ({_THEIRS.format("clicked")}) AS clicked, EXISTS (
    SELECT FROM {PERSON.format("shown.customer")}
    JOIN recommendations_message other ON other.customer_id = person.key
    WHERE other.id <> shown.id AND other.state = ANY(%(showing)s) AND other.handed_at > shown.at - %(again)s
      AND (other.handed_at, other.id) < (shown.at, shown.id) AND shown.item = ANY(other.items)) AS sent
  FROM shown
)
SELECT count(*), count(*) FILTER (WHERE bought), count(*) FILTER (WHERE clicked), count(*) FILTER (WHERE sent),
  count(*) FILTER (WHERE bought OR clicked OR sent)
FROM judged
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class PushOutcome:
    """What came of the messages of a campaign, or of one sending; where nothing was handed over all is 0.

    ``clicked``, ``unsubscribed``, ``complained`` and ``buyers`` count people, ``machine_clicks`` links, ``lines`` what
    was bought and not given back.
    """

    taken: int = 0
    people: int = 0
    unknown: int = 0
    clicked: int = 0
    machine_clicks: int = 0
    unsubscribed: int = 0
    complained: int = 0
    buyers: int = 0
    lines: int = 0
    revenue: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Items in messages, and how many of them their reader had just bought or clicked, or been sent before."""

    items: int
    bought: int
    clicked: int
    sent: int
    any: int

    @property
    def share(self) -> float:
        return self.any / self.items if self.items else 0.0


def outcomes_of(campaigns: Collection[int]) -> dict[int, PushOutcome]:
    """Outcomes by campaign, of each that was asked for."""
    return {key: PushOutcome() for key in campaigns} | _results(campaigns, by="campaign_id")


def outcomes_of_sendings(campaign: int) -> dict[int, PushOutcome]:
    """Outcomes by the sendings of a campaign of which something was handed over."""
    return _results([campaign], by="occurrence_id")


def outcomes_of_parts(campaign: int, *, zone: str) -> dict[tuple[str, int | str | None], PushOutcome]:
    """Outcomes of a campaign as a whole, ``("all", None)``, and by ``variant``, ``channel``, ``hour`` and ``segment``.

    The hour is that of the hand-over where the customer lives, else in the shop's zone; who is in no segment is in
    that of None.
    """
    counted = _results([campaign], by=_PARTS, zone=zone)
    parts = ((*key.partition(":")[::2], outcome) for key, outcome in counted.items())
    return {(part, int(name) if name.isdigit() else name or None): outcome for part, name, outcome in parts}


def repeats(*, since: datetime, until: datetime) -> Repeats:
    """Repeats in the messages of a time, each as of its hand-over.

    What was bought or clicked in the 24 hours before, or sent in the seven days before, is a repeat.
    """
    values: dict[str, Any] = {"bought": WORDS["bought"], "clicked": WORDS["clicked"], "showing": list(SHOWING)}
    [counts] = rows(_REPEATS, since=since, until=until, lately=LATELY, again=SHOWN, **values)
    return Repeats(**dict(zip(("items", "bought", "clicked", "sent", "any"), counts, strict=True)))


def _results(campaigns: Collection[int], *, by: str, **values: str) -> dict[Any, PushOutcome]:
    names = PushOutcome.__dataclass_fields__
    counted = rows(_RESULTS.format(by=by), campaigns=list(campaigns), bought=WORDS["bought"], **values)
    return {whole: PushOutcome(**dict(zip(names, values, strict=True))) for whole, *values in counted}
