"""What is forgotten of push: verdicts and messages, the oldest first, and never many rows by one statement."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from recommendations.models import Considered
from recommendations.push_terms import ERASED
from recommendations.store.temp_tables import rows, run

AT_ONCE = 10_000  # rows of a statement
MESSAGES = 1_000  # whose events go with them

_OLD_SENDINGS = """
SELECT occurrence.id FROM recommendations_occurrence occurrence WHERE occurrence.decided_at < %(before)s
  AND EXISTS (SELECT FROM recommendations_considered considered WHERE considered.occurrence_id = occurrence.id)
ORDER BY occurrence.decided_at
"""
_FORGET_VERDICTS = """
DELETE FROM recommendations_considered WHERE id IN (
  SELECT id FROM recommendations_considered WHERE occurrence_id = %(occurrence)s LIMIT %(most)s)
"""
# Keys grow with time, so the oldest are found without a look at the rest.
_OLDEST = """
SELECT id FROM (SELECT id, created_at FROM recommendations_message ORDER BY id LIMIT %(most)s) oldest
WHERE created_at < %(before)s
"""
_FORGET_EVENTS = """
DELETE FROM recommendations_messageevent WHERE id IN (
  SELECT id FROM recommendations_messageevent WHERE message_id = ANY(%(messages)s) LIMIT %(most)s)
"""
_FORGET_MESSAGES = "DELETE FROM recommendations_message WHERE id = ANY(%(messages)s)"

# Verdicts are on the merged person, who keeps theirs where another contact of theirs is left.
_PEOPLE = """
SELECT %(contact)s UNION SELECT alias.customer_id FROM recommendations_customeralias alias
WHERE alias.anonymous_id = %(contact)s AND alias.undone_at IS NULL AND NOT EXISTS (
  SELECT FROM recommendations_contact contact WHERE contact.customer_id <> %(contact)s
    AND (contact.customer_id = alias.customer_id OR contact.customer_id IN (
      SELECT other.anonymous_id FROM recommendations_customeralias other
      WHERE other.customer_id = alias.customer_id AND other.undone_at IS NULL)))
"""
# Whoever a visitor was merged into once stands in the messages of then.
_OF_CONTACT = """
SELECT id FROM recommendations_message WHERE contact = %(contact)s AND customer_id IN (
  SELECT %(contact)s UNION SELECT customer_id FROM recommendations_customeralias WHERE anonymous_id = %(contact)s)
UNION SELECT message.id FROM recommendations_message message
JOIN recommendations_address address ON address.id = message.address_id WHERE address.contact_id = %(contact)s
"""
# What a sending has come to stays true: it keeps how many of each verdict, and of its messages, are not there any more.
_KEEP_COUNTS = """
WITH gone AS (
  SELECT occurrence_id AS occurrence, 'messages' AS name, count(*) AS n FROM recommendations_message
  WHERE id = ANY(%(messages)s) AND state <> 'held' GROUP BY 1
  UNION ALL
  SELECT occurrence_id, 'taken', count(*) FROM recommendations_message
  WHERE id = ANY(%(messages)s) AND state = 'taken' GROUP BY 1
  UNION ALL
  SELECT occurrence_id, verdict, count(*) FROM recommendations_considered
  WHERE id = ANY(%(verdicts)s) GROUP BY 1, 2
  UNION ALL
  SELECT occurrence_id, 'would_send', count(*) FROM recommendations_considered
  WHERE id = ANY(%(verdicts)s) AND verdict = 'held_out' AND would_send GROUP BY 1
), added AS (
  SELECT occurrence.id, jsonb_object_agg(
    %(prefix)s || gone.name, gone.n + coalesce((occurrence.counts ->> (%(prefix)s || gone.name))::bigint, 0)) AS counts
  FROM gone JOIN recommendations_occurrence occurrence ON occurrence.id = gone.occurrence GROUP BY 1
)
UPDATE recommendations_occurrence occurrence SET counts = occurrence.counts || added.counts
FROM added WHERE added.id = occurrence.id
"""


_OF_THEM = (
    "DELETE FROM recommendations_messageevent WHERE message_id = ANY(%(messages)s)",
    _FORGET_MESSAGES,
    "DELETE FROM recommendations_considered WHERE id = ANY(%(verdicts)s)",
)


def forget_verdicts(*, before: datetime) -> int:
    """Delete the verdicts of sendings that were last decided before a moment; how many."""
    forgotten = 0
    for (occurrence,) in rows(_OLD_SENDINGS, before=before):
        while deleted := run(_FORGET_VERDICTS, occurrence=occurrence, most=AT_ONCE):
            forgotten += deleted
    return forgotten


def forget_messages(*, before: datetime) -> int:
    """Delete messages that were reserved before a moment, with what came of them; how many messages."""
    forgotten = 0
    while messages := [key for (key,) in rows(_OLDEST, before=before, most=MESSAGES)]:
        while run(_FORGET_EVENTS, messages=messages, most=AT_ONCE):
            pass
        forgotten += run(_FORGET_MESSAGES, messages=messages)
    return forgotten


def messages_of_contact(contact: int) -> list[int]:
    """Keys of the messages of a contact, which go with it."""
    return [key for (key,) in rows(_OF_CONTACT, contact=contact)]


def people_of_contact(contact: int) -> list[int]:
    """Keys under which a contact was thought of, and what was thought goes with it."""
    return [key for (key,) in rows(_PEOPLE, contact=contact)]


def forget_contact(contact: int) -> None:
    """Delete all that a contact was sent, or was to be, and what was thought of it; of that only numbers stay."""
    people = people_of_contact(contact)
    verdicts = Considered.objects.filter(customer__in=people).values_list("pk", flat=True)
    forget_sent(messages=messages_of_contact(contact), verdicts=list(verdicts))
    run("DELETE FROM recommendations_shopoccasion WHERE customer_id = ANY(%(people)s)", people=people)


@transaction.atomic
def forget_sent(*, messages: Sequence[int] = (), verdicts: Sequence[int] = ()) -> int:
    """Delete messages, what came of them, and verdicts, by their keys; how many rows. Sendings keep their numbers."""
    keys = {"messages": list(messages), "verdicts": list(verdicts)}
    run(_KEEP_COUNTS, prefix=ERASED, **keys)
    return sum(run(statement, **keys) for statement in _OF_THEM)
