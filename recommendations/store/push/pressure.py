"""Messages as the rules of pressure see them: those of a time, for a draft, and the proof that none broke a rule."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import NamedTuple

from recommendations.push_terms import COUNTING, ERASED, REAL, SETTLED_CLICK, WAITS_ON, MessageEventKind, MessageState
from recommendations.store.attribution.statements import WHOLE
from recommendations.store.push.outbox import LEASE
from recommendations.store.temp_tables import rows

_WORDS_COUNTING = ", ".join(f"'{state}'" for state in sorted(COUNTING))
_SENT = f"state IN ({_WORDS_COUNTING})"
PARTS = 1_024  # into which people are cut, to take some of them

_SIZE = f"""
SELECT count(*) FROM recommendations_message
WHERE handed_at IS NOT NULL AND {_SENT} AND created_at >= %(since)s AND created_at < %(until)s
"""  # noqa: S608 - words of our own
_MESSAGES = f"""
SELECT {WHOLE.format("message.customer_id")}, message.campaign_id, message.channel,
  extract(epoch FROM message.created_at)::float8, coalesce(message.handed_at, message.due_at), message.expires_at,
  coalesce(version.frozen #>> '{{safety,priority}}', ''),
  coalesce((version.frozen #>> '{{safety,holdout}}')::float8, 0), message.value,
  message.state = '{MessageState.HELD}', coalesce(contact.time_zone, ''), contact.quiet_from, contact.quiet_until,
  EXISTS (SELECT FROM recommendations_messageevent event WHERE event.message_id = message.id
    AND event.kind = '{MessageEventKind.CLICKED}' AND event.told_as = '{SETTLED_CLICK}')
FROM recommendations_message message
JOIN recommendations_campaignversion version ON version.id = message.version_id
LEFT JOIN recommendations_contact contact ON contact.customer_id = message.contact
WHERE (message.handed_at IS NOT NULL AND message.{_SENT}
    OR message.state = '{MessageState.HELD}' AND message.due_at < %(until)s)
  AND message.created_at >= %(since)s AND message.created_at < %(until)s
  AND (hashint8(message.customer_id) & {PARTS - 1}) < %(parts)s
ORDER BY message.created_at, message.id
"""  # noqa: S608
# Of a plan nothing leaves, nor of what the brake holds, or somebody cancelled: limits kept nobody back there.
_HELD_BACK = """
SELECT count(*) FROM recommendations_considered considered
JOIN recommendations_occurrence occurrence ON occurrence.id = considered.occurrence_id
WHERE considered.decided_at >= %(since)s AND considered.verdict = ANY(%(waits)s) AND occurrence.state = ANY(%(real)s)
"""
# When a message left that went with its contact is not known any more: only its sending has how many there were.
_ERASED = """
SELECT coalesce(sum((counts ->> %(name)s)::bigint), 0) FROM recommendations_occurrence
WHERE counts ? %(name)s AND due_at >= %(since)s
"""
# A rule that counted at some time between the decision and the hand-over is enough: the sender looks again at each
# message before it leaves, under the rules of its sending. A window is broken by the message that is one too many in
# it, so it is looked at back from each hand-over. {lease}: the look is at most so many seconds older than the
# hand-over, and a quiet hour may begin in between. What was sent again by hand is known by its last hand-over alone.
PROOF = f"""
WITH rules AS (
  SELECT number, caps, quiet_from, quiet_until, created_at AS since,
    lead(created_at) OVER (ORDER BY number) AS until
  FROM recommendations_pressurerules
), sent AS MATERIALIZED (
  SELECT message.id, message.channel, message.created_at, message.handed_at,
    {WHOLE.format("message.customer_id").strip()} AS person,
    contact.changed_at <= message.created_at AS same, contact.most_a_week, contact.quiet_from, contact.quiet_until,
    (message.handed_at AT TIME ZONE coalesce(nullif(contact.time_zone, ''), '{{zone}}'))::time AS clock,
    ((message.handed_at - interval '{LEASE} seconds')
      AT TIME ZONE coalesce(nullif(contact.time_zone, ''), '{{zone}}'))::time AS looked,
    message.tries > 1 AND EXISTS (
      SELECT FROM recommendations_auditentry entry
      WHERE entry.object_type = 'campaign' AND entry.object_id = message.campaign_id::text
        AND entry.verb = 'send again' AND entry.at BETWEEN message.created_at AND message.handed_at) AS again
  FROM recommendations_message message
  LEFT JOIN recommendations_contact contact ON contact.customer_id = message.contact
  WHERE message.handed_at IS NOT NULL AND message.{_SENT}
), judged AS MATERIALIZED (
  SELECT sent.*, rules.number, rules.caps,
    CASE WHEN sent.quiet_from IS NULL THEN rules.quiet_from ELSE sent.quiet_from END AS begins,
    CASE WHEN sent.quiet_from IS NULL THEN rules.quiet_until ELSE sent.quiet_until END AS ends
  FROM sent LEFT JOIN rules ON rules.since <= sent.handed_at AND (rules.until IS NULL OR rules.until > sent.created_at)
  WHERE NOT sent.again
), limits AS (
  SELECT id, number, person, handed_at, cap ->> 'channel' AS channel, (cap ->> 'most')::int AS most,
    make_interval(hours => (cap ->> 'hours')::int) AS length
  FROM judged CROSS JOIN jsonb_array_elements(caps) AS cap
  WHERE cap ->> 'channel' IS NULL OR cap ->> 'channel' = channel
  UNION ALL
  SELECT id, number, person, handed_at, NULL, most_a_week, interval '7 days' FROM judged
  WHERE same AND most_a_week IS NOT NULL
), crowded AS (
  SELECT DISTINCT id, number FROM (
    SELECT limits.id, limits.number FROM limits
    JOIN sent ON sent.person = limits.person AND sent.handed_at <= limits.handed_at
      AND sent.handed_at > limits.handed_at - limits.length
      AND (limits.channel IS NULL OR sent.channel = limits.channel)
    GROUP BY limits.id, limits.number, limits.channel, limits.most, limits.length
    HAVING count(*) > limits.most
  ) too_many
), disturbed AS (
  SELECT id, number FROM judged WHERE same AND CASE WHEN begins <= ends
    THEN clock >= begins AND clock < ends AND looked >= begins AND looked < ends
    ELSE (clock >= begins OR clock < ends) AND (looked >= begins OR looked < ends) END
), verdicts AS (
  SELECT judged.id, bool_and(judged.number IS NULL) AS ruleless, bool_or(judged.same) AS same,
    bool_and(crowded.id IS NOT NULL OR disturbed.id IS NOT NULL) AS broken,
    bool_and(crowded.id IS NOT NULL) AS over, bool_and(disturbed.id IS NOT NULL) AS loud
  FROM judged LEFT JOIN crowded USING (id, number) LEFT JOIN disturbed USING (id, number)
  GROUP BY judged.id
)
SELECT (SELECT count(*) FROM sent) AS messages,
  count(*) FILTER (WHERE broken) AS broken,
  count(*) FILTER (WHERE broken AND over) AS over_a_cap,
  count(*) FILTER (WHERE broken AND loud) AS in_quiet_hours,
  count(*) FILTER (WHERE same IS NOT TRUE) AS without_their_hours,
  (SELECT count(*) FROM sent WHERE again) AS sent_again,
  count(*) FILTER (WHERE ruleless) AS without_rules
FROM verdicts
"""  # noqa: S608


class PastMessage(NamedTuple):
    """A message that left, or is ``held`` as a shadow and would have; moments in seconds since 1970 but for ``at``."""

    person: int
    campaign: int
    channel: str
    decided: float
    at: datetime
    expires_at: datetime
    priority: str
    holdout: float  # of its campaign
    value: float
    held: bool
    zone: str
    quiet_from: time | None
    quiet_until: time | None
    clicked: bool


@dataclass(frozen=True, kw_only=True)
class PressureProof:
    """How many messages ever left, and how many of them broke a rule.

    Quiet hours of ``without_their_hours`` cannot be judged, as their reader has chosen others since, or is gone;
    ``sent_again`` are left out, as staff let them leave twice; ``without_rules`` were under no rule at all.
    """

    messages: int
    broken: int
    over_a_cap: int
    in_quiet_hours: int
    without_their_hours: int
    sent_again: int
    without_rules: int


def past_messages(*, since: datetime, until: datetime, most: int) -> tuple[list[PastMessage], int]:
    """Messages that were decided in a time and have left, in their order, and how many of 1,024 parts of the people
    they are of.
    """
    [(size,)] = rows(_SIZE, since=since, until=until)
    parts = PARTS if size <= most else max(1, PARTS * most // size)
    return [PastMessage(*row) for row in rows(_MESSAGES, since=since, until=until, parts=parts)], parts


def held_back(*, since: datetime) -> int:
    """How many people-sendings of a time caps and budgets kept back, and still do."""
    [(count,)] = rows(_HELD_BACK, since=since, waits=sorted(WAITS_ON), real=sorted(REAL))
    return int(count)


def erased_messages(*, since: datetime | None = None) -> int:
    """How many messages, of sendings since a moment or of all, went with the contacts that were erased."""
    [(count,)] = rows(_ERASED, name=f"{ERASED}taken", since=since or datetime.min.replace(tzinfo=UTC))
    return int(count)


def proof_statement(zone: str) -> str:
    """The proof as it can be run by hand; a shop's zone is one of the zones' names."""
    return PROOF.replace("{zone}", zone).strip()


def prove(zone: str) -> PressureProof:
    """Count the messages that broke a rule, in the whole outbox."""
    [counts] = rows(proof_statement(zone))
    return PressureProof(**dict(zip(PressureProof.__dataclass_fields__, counts, strict=True)))
