"""What a campaign's guardrails count: messages that were taken, and of them who complained, left or was not there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from recommendations.push_terms import MessageEventKind, MessageState, PushRate
from recommendations.store.temp_tables import rows

# Who took an unsubscription back has not left. An address that is gone may be told at the hand-over, or days later.
_COUNTS = f"""
SELECT message.campaign_id, count(*) FILTER (WHERE message.state = '{MessageState.TAKEN}'),
  count(*) FILTER (WHERE came.complained),
  count(*) FILTER (WHERE came.bounced OR message.state = '{MessageState.GONE}'),
  count(*) FILTER (WHERE came.gone),
  count(*) FILTER (WHERE message.state IN ('{MessageState.REFUSED}', '{MessageState.FAILED}')),
  count(*) FILTER (WHERE message.state = '{MessageState.GONE}')
FROM recommendations_message message
LEFT JOIN LATERAL (
  SELECT bool_or(event.kind = '{MessageEventKind.COMPLAINED}') AS complained,
    bool_or(event.kind = '{MessageEventKind.BOUNCED}') AS bounced,
    max(event.at) FILTER (WHERE event.kind = '{MessageEventKind.UNSUBSCRIBED}')
      > coalesce(max(event.at) FILTER (WHERE event.kind = '{MessageEventKind.RESUBSCRIBED}'), '-infinity') AS gone
  FROM recommendations_messageevent event WHERE event.message_id = message.id
) AS came ON true
WHERE message.campaign_id = ANY(%(campaigns)s) AND message.state = ANY(%(settled)s)
GROUP BY 1
"""  # noqa: S608 - words of our own
_SETTLED_COUNTS = f"""
SELECT campaign_id, count(*) FILTER (WHERE state = '{MessageState.TAKEN}'),
  count(*) FILTER (WHERE state IN ('{MessageState.REFUSED}', '{MessageState.FAILED}')),
  count(*) FILTER (WHERE state = '{MessageState.GONE}')
FROM recommendations_message WHERE campaign_id = ANY(%(campaigns)s) AND state = ANY(%(settled)s) GROUP BY 1
"""  # noqa: S608
_TAKEN = f"""
SELECT count(*) FROM recommendations_message WHERE state = '{MessageState.TAKEN}' AND settled_at > %(since)s
"""  # noqa: S608
_COMPLAINED = f"""
SELECT count(DISTINCT message.id) FROM recommendations_messageevent event
JOIN recommendations_message message ON message.id = event.message_id
WHERE event.kind = '{MessageEventKind.COMPLAINED}' AND message.state = '{MessageState.TAKEN}'
  AND message.settled_at > %(since)s
"""  # noqa: S608
_SETTLED = (MessageState.TAKEN, MessageState.GONE, MessageState.REFUSED, MessageState.FAILED)


@dataclass(frozen=True, kw_only=True)
class RateCounts:
    """Messages of a campaign: ``taken``, and how many came to each bad end; ``gone`` were not taken."""

    taken: int = 0
    complaints: int = 0
    bounces: int = 0
    unsubscribes: int = 0
    failures: int = 0
    gone: int = 0

    def count(self, rate: PushRate) -> int:
        return int(getattr(self, rate.value))

    def messages(self, rate: PushRate) -> int:
        """Messages that the rate is of: what was not taken is a part of those that could not be delivered."""
        if rate is PushRate.FAILURES:
            return self.taken + self.failures
        return self.taken + self.gone if rate is PushRate.BOUNCES else self.taken


def rate_counts(campaigns: Collection[int]) -> dict[int, RateCounts]:
    """Counts by campaign, of each that was asked for."""
    names = RateCounts.__dataclass_fields__
    stored = rows(_COUNTS, campaigns=list(campaigns), settled=list(_SETTLED))
    counted = {key: RateCounts(**dict(zip(names, counts, strict=True))) for key, *counts in stored}
    return {key: RateCounts() for key in campaigns} | counted


def settled_counts(campaigns: Collection[int]) -> dict[int, RateCounts]:
    """Counts by campaign of what became of messages at the hand-over, and not of what came later: that is cheap."""
    stored = rows(_SETTLED_COUNTS, campaigns=list(campaigns), settled=list(_SETTLED))
    counted = {key: RateCounts(taken=taken, failures=failed, gone=gone) for key, taken, failed, gone in stored}
    return {key: RateCounts() for key in campaigns} | counted


def complaints_since(since: datetime) -> tuple[int, int]:
    """How many messages of all campaigns were taken since then, and how many of them were complained of.

    Without a complaint the messages are not counted: there are 0.
    """
    [(complained,)] = rows(_COMPLAINED, since=since)
    [(taken,)] = rows(_TAKEN, since=since) if complained else [(0,)]
    return int(taken), int(complained)
