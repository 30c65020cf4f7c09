"""Whose messages are: the person that a visitor turned out to be after a message was reserved for them."""

from collections.abc import Collection
from typing import NamedTuple

from recommendations.push_terms import COUNTING, MessageState
from recommendations.store.temp_tables import rows

WAITING = frozenset({MessageState.DUE, MessageState.LEASED})

# Two keys that were one person only later may each have a message of the same occasion. Who was there first gets it, so
# that two senders do not let both go.
_OWNERS = """
WITH own AS (
  SELECT message.id, message.campaign_id, message.key, coalesce(alias.customer_id, message.customer_id) AS person
  FROM recommendations_message message
  LEFT JOIN recommendations_customeralias alias
    ON alias.anonymous_id = message.customer_id AND alias.undone_at IS NULL
  WHERE message.id = ANY(%(messages)s)
), keys AS (
  SELECT own.id, own.campaign_id, own.key, own.person AS customer_id FROM own
  UNION ALL
  SELECT own.id, own.campaign_id, own.key, alias.anonymous_id FROM own
  JOIN recommendations_customeralias alias ON alias.customer_id = own.person AND alias.undone_at IS NULL
)
SELECT own.id, own.person, EXISTS (
  SELECT FROM keys JOIN recommendations_message other ON other.campaign_id = keys.campaign_id
    AND other.customer_id = keys.customer_id AND other.key = keys.key
  WHERE keys.id = own.id AND other.id <> own.id
    AND (other.state = ANY(%(left)s) OR (other.state = ANY(%(waiting)s) AND other.id < own.id)))
FROM own
"""


class Owner(NamedTuple):
    """The person whom a message is for by now, and whether another message is theirs for the same occasion."""

    person: int
    has_another: bool


def owners_of(messages: Collection[int]) -> dict[int, Owner]:
    """Owners by the key of each message."""
    states = {"left": sorted(COUNTING - WAITING), "waiting": sorted(WAITING)}
    return {key: Owner(person, another) for key, person, another in rows(_OWNERS, messages=list(messages), **states)}
