"""Anonymous keys and the customers they turned out to be: joined when both are seen together or the shop says so.

Events keep the key they came with, so a merger can be undone. Who objects to personalisation is not merged. What a page
proved gives way to what the shop's server or files say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import transaction

from recommendations.models import CustomerAlias
from recommendations.store.attribution.statements import NOTED
from recommendations.store.events.id_cache import KeyCache
from recommendations.store.events.insert import run
from recommendations.store.live.change_watch import HeldOfPeople


class Told(StrEnum):
    """Who said that two keys are one person's, as ``CustomerAlias.source`` has it."""

    PAGE = "page"  # a page, with a proof
    EVENT = "event"  # an event of the shop's server
    API = "api"  # the shop's server, asking for it
    IMPORT = "import"


_MERGED = """
SELECT anonymous_id, customer_id FROM recommendations_customeralias
WHERE (anonymous_id, customer_id) IN (SELECT * FROM unnest(%b::bigint[], %b::bigint[]))
"""
# Rows are locked in one order, so that who is being erased is waited for and then left alone. A key that was seen with
# several is the first one's.
_MERGE = """
WITH known AS MATERIALIZED (
  SELECT id, not_before FROM recommendations_customer WHERE id = ANY(%b::bigint[]) AND personalise AND erased_at IS NULL
  ORDER BY id FOR KEY SHARE
)
INSERT INTO recommendations_customeralias (anonymous_id, customer_id, since, source, changed_at)
SELECT anonymous, customer, since, %s, clock_timestamp()
FROM unnest(%b::bigint[], %b::bigint[], %b::timestamptz[]) AS pair(anonymous, customer, since)
JOIN known ON known.id = customer AND coalesce(known.not_before <= since, true)
JOIN known unnamed ON unnamed.id = anonymous AND coalesce(unnamed.not_before <= since, true)
WHERE NOT EXISTS (
  SELECT FROM recommendations_customeralias alias
  WHERE anonymous_id = pair.anonymous AND customer_id = pair.customer AND (%b OR undone_at IS NULL))
ORDER BY anonymous, since
ON CONFLICT DO NOTHING
RETURNING anonymous_id, customer_id
"""

# Who does not want to be measured is not under a further key, either.
_SPREAD = """
UPDATE recommendations_customer unnamed SET measure = false, measure_at = known.measure_at
FROM unnest(%b::bigint[], %b::bigint[]) AS pair(anonymous, customer)
JOIN recommendations_customer known ON known.id = customer AND NOT known.measure
WHERE unnamed.id = anonymous AND unnamed.measure
RETURNING unnamed.id
"""

# What only a page proved of these keys, and another says otherwise now.
_OVERRULE = f"""
UPDATE recommendations_customeralias alias SET undone_at = clock_timestamp(), changed_at = clock_timestamp()
FROM unnest(%b::bigint[], %b::bigint[]) AS pair(anonymous, customer)
WHERE alias.anonymous_id = pair.anonymous AND alias.customer_id <> pair.customer AND alias.undone_at IS NULL
  AND alias.source = '{Told.PAGE}'
RETURNING alias.anonymous_id, alias.customer_id
"""  # noqa: S608 - a word of our own

# What a key did may count for another slate when it becomes somebody's, or nobody's again.
_NOTE = f"""
INSERT INTO recommendations_dueline (occurred_at, event_id, line)
SELECT occurred_at, event_id, line FROM recommendations_event WHERE customer_id = ANY(%b::bigint[]) AND {NOTED}
RETURNING id
"""  # noqa: S608 - a condition of our own

type Pair = tuple[int, int]
"""An anonymous key and a customer's."""


@dataclass(frozen=True)
class Merger:
    """An anonymous key and the signed-in customer that it was seen with."""

    anonymous: int
    customer: int
    since: datetime


class Change(NamedTuple):
    """What a merger changed: the pairs that are new, and those that it parted."""

    joined: Sequence[Pair] = ()
    parted: Sequence[Pair] = ()


class MergedElsewhereError(Exception):
    """The anonymous key is another customer's."""


def merge(mergers: Sequence[Merger], *, told: Told) -> Change:
    """Join keys that were seen together.

    Two that were joined before are left as they are: a merger that was undone stays undone. A key that is another
    customer's stays that one's, but where only a page said so, and who tells now is none.
    """
    joined = _joined().keys_of({(pair.anonymous, pair.customer) for pair in mergers}) if mergers else {}
    new = [pair for pair in mergers if (pair.anonymous, pair.customer) not in joined]
    return _merge(new, told=told, once=True) if new else Change()


def merge_again(merger: Merger, *, told: Told) -> Change:
    """Join two keys on the shop's word, even after an undo. Raises MergedElsewhereError."""
    new = _merge([merger], told=told, once=False)
    active = CustomerAlias.objects.filter(anonymous=merger.anonymous, undone_at=None)
    if active.exclude(customer=merger.customer).exists():
        raise MergedElsewhereError
    return new


def undo(anonymous: int, customer: int, *, now: datetime) -> bool:
    """Part two keys again; False where they are not joined."""
    active = CustomerAlias.objects.filter(anonymous=anonymous, customer=customer, undone_at=None)
    undone = bool(active.update(undone_at=now, changed_at=now))
    if undone:
        run(_NOTE, [[anonymous, customer]])
    return undone


@transaction.atomic
def _merge(mergers: Sequence[Merger], *, told: Told, once: bool) -> Change:
    """Insert mergers; ``once``: not where the two were joined at any time."""
    columns = [
        [pair.anonymous for pair in mergers], [pair.customer for pair in mergers], [pair.since for pair in mergers],
    ]  # fmt: skip
    parted = [] if told is Told.PAGE else run(_OVERRULE, columns[:2])
    keys = sorted({key for pair in mergers for key in (pair.anonymous, pair.customer)})
    change = Change(run(_MERGE, [keys, told, *columns, once]), parted)
    if change.joined:
        run(_SPREAD, [*map(list, zip(*change.joined, strict=True))])
    if change.joined or parted:
        run(_NOTE, [[key for key, _ in change.joined] + [key for pair in parted for key in pair]])
    return change


def _look_up(pairs: Collection[Pair]) -> Mapping[Pair, int]:
    columns = [[anonymous for anonymous, _ in pairs], [customer for _, customer in pairs]]
    return {(anonymous, customer): customer for anonymous, customer in run(_MERGED, columns)}


_joined = HeldOfPeople[KeyCache[Pair]](lambda: KeyCache(_look_up))
"""The pairs of keys that were joined at any time."""
