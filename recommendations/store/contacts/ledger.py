"""The ledger of consent: statements are added, and what holds for each purpose is worked out of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from recommendations.push_terms import CLOSING, Channel, ConsentSource, ConsentState, Purpose
from recommendations.store.push import outbox
from recommendations.store.temp_tables import rows, run

_ADD = """
INSERT INTO recommendations_consentstatement (contact_id, channel, purpose, state, at, source, proof)
SELECT * FROM unnest(%(contacts)s::bigint[], %(channels)s::text[], %(purposes)s::text[], %(states)s::text[],
                     %(times)s::timestamptz[], %(sources)s::text[], %(proofs)s::jsonb[])
ON CONFLICT DO NOTHING
"""
# The later statement holds, whichever came in last; at the same instant one that closes; of two alike the newer row.
_HOLD = """
INSERT INTO recommendations_permission AS held (contact_id, channel, purpose, state, since, source)
SELECT DISTINCT ON (contact_id, channel, purpose) contact_id, channel, purpose, state, at, source
FROM recommendations_consentstatement WHERE contact_id = ANY(%(contacts)s)
ORDER BY contact_id, channel, purpose, at DESC, state = ANY(%(closing)s) DESC, id DESC
ON CONFLICT (contact_id, channel, purpose) DO UPDATE
SET state = excluded.state, since = excluded.since, source = excluded.source
WHERE (held.state, held.since, held.source) IS DISTINCT FROM (excluded.state, excluded.since, excluded.source)
RETURNING contact_id
"""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What the owner of a contact said of a purpose, and what proves it."""

    contact: int
    channel: Channel
    purpose: Purpose
    state: ConsentState
    at: datetime
    source: ConsentSource
    proof: dict[str, Any] = field(default_factory=dict)


def record(statements: Sequence[Statement]) -> set[int]:
    """Add statements to the ledger, each once; the contacts for whom something else holds now."""
    if not statements:
        return set()
    run(
        _ADD,
        contacts=[each.contact for each in statements],
        channels=[each.channel.value for each in statements],
        purposes=[each.purpose.value for each in statements],
        states=[each.state.value for each in statements],
        times=[each.at for each in statements],
        sources=[each.source.value for each in statements],
        proofs=[Jsonb(each.proof) for each in statements],
    )
    return hold(each.contact for each in statements)


def hold(contacts: Iterable[int]) -> set[int]:
    """Work out what holds for these contacts; those for whom it is something else than before.

    What waits for them and is no longer wanted is withdrawn with it.
    """
    moved = {contact for (contact,) in rows(_HOLD, contacts=sorted(set(contacts)), closing=list(CLOSING))}
    if moved:
        outbox.withdraw(moved)
    return moved
