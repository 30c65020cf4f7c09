"""What customers say of purposes: words are added to the ledger, and what holds is written on the customer.

A person is all the keys that were merged into one; a word that stands alone is about its key, and takes a no back only
where that key is nobody's yet. Of words the one of the newest moment holds, at the same moment a no.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from recommendations.privacy_terms import OWN_PURPOSES, DataPurpose, PurposeState, WordSource
from recommendations.store.events.insert import run


@dataclass(frozen=True)
class Consent:
    """What somebody said of a purpose, and when.

    ``alone``: said by a page without proof, of no other key of the person. ``in_passing``: said along with an act, and
    written down only where it is news; every other word is. ``resume``: what was before the no may be learned again.
    """

    customer: int
    state: PurposeState
    at: datetime
    purpose: DataPurpose = DataPurpose.PERSONALISE
    source: WordSource = WordSource.SERVER
    alone: bool = False
    in_passing: bool = False
    resume: bool = False
    proof: Mapping[str, Any] = field(default_factory=dict)

    @property
    def may(self) -> bool:
        return self.state is PurposeState.GIVEN


class Permitted(NamedTuple):
    """What may be done with what a customer does; ``anew``: only with what they did since they agreed again."""

    personalise: bool
    measure: bool
    anew: bool


# What was inferred of who does not want to be known goes at once; the next run infers nothing of them.
_FORGOTTEN = "".join(
    f"""), no_{table} AS (
  DELETE FROM recommendations_{table} USING due WHERE customer_id = due.id AND NOT due.may
"""  # noqa: S608 - names of our own
    for table in ("liveprofile", "audiencemember")
)
# A no is always dated anew, so that an older yes that comes late does not undo it; a yes that is said over and over is
# not. Who agrees again is known from then on, unless they said otherwise; who never refused is known all along.
_NOTE = """
WITH word AS MATERIALIZED (
  SELECT word.*, alias.customer_id AS whose
  FROM unnest(%b::bigint[], %b::text[], %b::timestamptz[], %b::text[], %b::boolean[], %b::boolean[], %b::boolean[],
              %b::jsonb[])
    AS word(customer, state, at, source, alone, in_passing, resume, proof)
  LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = word.customer AND alias.undone_at IS NULL
), heard AS (
  SELECT * FROM word WHERE NOT (alone AND state = 'given' AND whose IS NOT NULL)
), person AS (
  SELECT coalesce(whose, customer) AS id, state = 'given' AS may, at, resume FROM word WHERE NOT alone
), said AS (
  SELECT customer AS id, state = 'given' AS may, at, resume FROM heard
  UNION ALL SELECT * FROM person
  UNION ALL SELECT alias.anonymous_id, may, at, resume
  FROM person JOIN recommendations_customeralias alias ON alias.customer_id = person.id AND alias.undone_at IS NULL
), newest AS (
  SELECT DISTINCT ON (id) id, may, at, resume FROM said ORDER BY id, at DESC, may, resume DESC
), due AS MATERIALIZED (
  SELECT id, newest.may, newest.at, newest.resume, customer.{may} <> newest.may OR customer.{said} IS NULL AS is_news,
         customer.{may} AS before
  FROM newest JOIN recommendations_customer customer USING (id)
  WHERE erased_at IS NULL AND coalesce({said} < newest.at OR {said} = newest.at AND NOT newest.may, true)
    AND (customer.{may} <> newest.may OR NOT newest.may OR {said} IS NULL OR newest.resume)
  ORDER BY id FOR UPDATE OF customer
), written AS (
  INSERT INTO recommendations_purposeword (customer_id, purpose, state, at, source, resume, proof)
  SELECT customer, %b, heard.state, heard.at, source, heard.resume, proof FROM heard
  JOIN recommendations_customer customer ON customer.id = heard.customer AND customer.erased_at IS NULL
  WHERE NOT in_passing OR EXISTS (SELECT FROM due WHERE due.id IN (heard.customer, whose) AND is_news)
  ON CONFLICT DO NOTHING
{forgotten})
UPDATE recommendations_customer customer SET {may} = due.may, {said} = due.at{more}
FROM due WHERE customer.id = due.id
RETURNING customer.id, customer.personalise, customer.measure, customer.personalise AND resumed_at IS NOT NULL,
          due.before <> due.may OR NOT due.may OR due.resume
"""
_MORE = """,
  resumed_at = CASE WHEN due.resume THEN NULL WHEN due.may AND NOT due.before THEN due.at ELSE resumed_at END"""
_STATEMENTS: Mapping[DataPurpose, str] = {
    DataPurpose.PERSONALISE: _NOTE.format(may="personalise", said="consent_at", more=_MORE, forgotten=_FORGOTTEN),
    DataPurpose.MEASURE: _NOTE.format(may="measure", said="measure_at", more="", forgotten=""),
}
# Of who agrees in passing those whom it changes: they refused, or never said a word.
_TO_BE_HEARD: Mapping[DataPurpose, str] = {
    purpose: f"""
SELECT id FROM recommendations_customer
WHERE (NOT {may} OR {said} IS NULL) AND erased_at IS NULL AND id = ANY(%b::bigint[])
"""  # noqa: S608 - names of our own
    for purpose, may, said in (
        (DataPurpose.PERSONALISE, "personalise", "consent_at"), (DataPurpose.MEASURE, "measure", "measure_at"),
    )
}  # fmt: skip


def note_consent(words: Sequence[Consent]) -> dict[int, Permitted]:
    """Keep what customers said; every key for which something else holds, or that refused again, and what may be.

    Nearly every word is a yes of somebody who has said it before, which changes nothing.
    """
    told: dict[int, Permitted] = {}
    for purpose in OWN_PURPOSES:
        told |= _note(purpose, [word for word in words if word.purpose is purpose])
    return told


def _note(purpose: DataPurpose, words: Sequence[Consent]) -> dict[int, Permitted]:
    again = [word.customer for word in words if word.may and word.in_passing]
    heard = {key for (key,) in run(_TO_BE_HEARD[purpose], [again])} if again else set()
    due = [word for word in words if not (word.may and word.in_passing) or word.customer in heard]
    if not due:
        return {}
    names = ("customer", "state", "at", "source", "alone", "in_passing", "resume")
    columns = [[getattr(word, name) for word in due] for name in names]
    proofs = [Jsonb(dict(word.proof)) for word in due]
    rows = run(_STATEMENTS[purpose], [*columns, proofs, purpose.value])
    return {key: Permitted(*may) for key, *may, matters in rows if matters}
