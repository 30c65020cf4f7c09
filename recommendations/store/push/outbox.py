"""The outbox: a message is reserved once, leased by one sender at a time, and committed as handed over before it is.

All moments are those of the database's clock. What dies between ``hand`` and ``settle`` is ``unknown``, and is never
sent again by itself unless its channel repeats safely. No other module makes messages.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from recommendations.push_terms import FINAL, Channel, MessageState, Purpose
from recommendations.store.live.counters import Counted, Name, count_at_commit
from recommendations.store.temp_tables import rows, run

LEASE = 60  # seconds
AT_ONCE = 10

# An address that is erased meanwhile is left out; one that is there stays until this commits.
_RESERVE = """
WITH there AS (SELECT id FROM recommendations_address WHERE id = ANY(%(addresses)s) FOR KEY SHARE)
INSERT INTO recommendations_message
  (campaign_id, version_id, occurrence_id, customer_id, contact, key, channel, address_id, state, due_at, expires_at,
   trigger_item, items, variant, chance, value, hour_propensity, recommendation_id, tries, faults, holder,
   provider_id, reason)
SELECT %(campaign)s, %(version)s, %(occurrence)s, customer, contact, key, %(channel)s, address, state, due_at,
       expires_at, trigger_item, items::bigint[], variant, chance, value, hour_propensity, '', 0, 0, '', '', ''
FROM unnest(%(customers)s::bigint[], %(contacts)s::bigint[], %(keys)s::text[], %(addresses)s::bigint[],
            %(states)s::text[], %(due)s::timestamptz[], %(expires)s::timestamptz[], %(triggers)s::bigint[],
            %(items)s::text[], %(variants)s::int[], %(chances)s::float8[], %(values)s::float8[],
            %(propensities)s::float8[])
  AS new(customer, contact, key, address, state, due_at, expires_at, trigger_item, items, variant, chance, value,
         hour_propensity)
WHERE address IS NULL OR address IN (SELECT id FROM there)
ON CONFLICT DO NOTHING RETURNING channel, state
"""
_HAS_DUE = """
SELECT EXISTS (SELECT FROM recommendations_message WHERE state = 'due' AND channel = %(channel)s
               AND due_at <= clock_timestamp())
"""
# What is locked stands in a part of its own, which is read once: a plan may read a subquery anew for every row, and it
# locks other ones each time.
_LEASE = """
WITH next AS MATERIALIZED (
  SELECT message.id FROM recommendations_message message
  JOIN recommendations_campaign campaign ON campaign.id = message.campaign_id
  WHERE message.state = 'due' AND message.due_at <= clock_timestamp() AND message.channel = %(channel)s
    AND campaign.paused_at IS NULL
  ORDER BY message.due_at, message.id LIMIT %(most)s FOR UPDATE OF message SKIP LOCKED)
UPDATE recommendations_message SET state = 'leased', holder = %(holder)s,
  lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id IN (SELECT id FROM next)
RETURNING id
"""
# Whichever commits first, this or a withdrawal (which takes what is due and leased), wins; a row is never both.
_HAND = """
UPDATE recommendations_message message SET state = 'handing', tries = tries + 1, handed_at = clock_timestamp(),
  recommendation_id = %(recommendation)s, items = %(items)s,
  lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE message.id = %(id)s AND message.state = 'leased' AND message.holder = %(holder)s
  AND message.lease_until > clock_timestamp() AND message.expires_at > clock_timestamp()
  AND EXISTS (SELECT FROM recommendations_campaign campaign WHERE campaign.id = message.campaign_id
              AND campaign.paused_at IS NULL AND campaign.ended_at IS NULL)
  AND EXISTS (SELECT FROM recommendations_address address WHERE address.id = message.address_id
              AND address.state = 'active'
              AND NOT EXISTS (SELECT FROM recommendations_suppression silent WHERE silent.channel = address.channel
                AND silent.digest = address.digest AND (silent.until IS NULL OR silent.until > clock_timestamp())))
  AND EXISTS (SELECT FROM recommendations_permission permission WHERE permission.contact_id = message.contact
              AND permission.channel = message.channel AND permission.purpose = %(purpose)s
              AND permission.state = 'given')
"""
_SETTLE = """
UPDATE recommendations_message SET state = %(state)s, provider_id = %(provider)s, reason = %(reason)s, holder = '',
  lease_until = NULL,
  due_at = CASE WHEN %(state)s = 'due' THEN clock_timestamp() + make_interval(secs => %(after)s) ELSE due_at END,
  settled_at = CASE WHEN %(state)s = ANY(%(final)s) THEN clock_timestamp() END
WHERE id = %(id)s AND state = ANY(%(was)s) AND holder = %(holder)s RETURNING channel, state
"""
_FAULT = "UPDATE recommendations_message SET faults = faults + 1 WHERE id = %(id)s RETURNING faults"
_REAP = """
UPDATE recommendations_message SET holder = '', lease_until = NULL,
  state = CASE WHEN state = 'leased' OR channel = ANY(%(repeating)s) THEN 'due' ELSE 'unknown' END,
  reason = CASE WHEN state = 'leased' OR channel = ANY(%(repeating)s) THEN reason ELSE 'the sender ended' END,
  settled_at = CASE WHEN state = 'leased' OR channel = ANY(%(repeating)s) THEN NULL ELSE clock_timestamp() END
WHERE state IN ('leased', 'handing') AND lease_until < clock_timestamp() RETURNING channel, state
"""
_EXPIRE = """
UPDATE recommendations_message SET state = 'expired', settled_at = clock_timestamp()
WHERE state = 'due' AND expires_at <= clock_timestamp() RETURNING channel, state
"""
_WITHDRAW = """
UPDATE recommendations_message message SET state = 'withdrawn', reason = 'no_consent', settled_at = clock_timestamp(),
  holder = '', lease_until = NULL
FROM recommendations_campaign campaign
WHERE campaign.id = message.campaign_id AND message.state IN ('due', 'leased') AND message.contact = ANY(%(contacts)s)
  AND NOT EXISTS (SELECT FROM recommendations_permission permission WHERE permission.contact_id = message.contact
                  AND permission.channel = message.channel AND permission.purpose = campaign.purpose
                  AND permission.state = 'given')
RETURNING message.channel, message.state
"""
_SILENCED = """
UPDATE recommendations_message message SET state = 'withdrawn', reason = 'suppressed', settled_at = clock_timestamp(),
  holder = '', lease_until = NULL
FROM recommendations_address address
WHERE address.id = message.address_id AND address.channel = %(channel)s AND address.digest = %(digest)s
  AND message.state IN ('due', 'leased')
RETURNING message.channel, message.state
"""
_LEFT = """
UPDATE recommendations_message SET state = 'withdrawn', reason = 'no_address', settled_at = clock_timestamp(),
  holder = '', lease_until = NULL
WHERE address_id = ANY(%(addresses)s) AND state IN ('due', 'leased') RETURNING channel, state
"""
_END = """
UPDATE recommendations_message SET state = 'withdrawn', reason = %(reason)s, settled_at = clock_timestamp(),
  holder = '', lease_until = NULL
WHERE campaign_id = %(campaign)s AND state IN ('due', 'leased') RETURNING channel, state
"""

_SENDABLE = """
SELECT count(*) FROM recommendations_message WHERE campaign_id = %(campaign)s AND state = 'unknown'
  AND settled_at <= clock_timestamp() - make_interval(hours => %(hours)s)
"""
_AGAIN = """
UPDATE recommendations_message message SET state = 'due', due_at = clock_timestamp(), settled_at = NULL,
  reason = 'sent again', faults = 0,
  expires_at = clock_timestamp() + make_interval(hours => (version.frozen #>> '{when,expires_hours}')::int)
FROM recommendations_campaignversion version
WHERE version.id = message.version_id AND message.campaign_id = %(campaign)s AND message.state = 'unknown'
  AND message.settled_at <= clock_timestamp() - make_interval(hours => %(hours)s)
"""
# What was handed over and is due once more is spared the second time.
_CONFIRM = """
UPDATE recommendations_message SET state = 'taken', reason = '', settled_at = clock_timestamp(), holder = '',
  lease_until = NULL
WHERE id = ANY(%(messages)s)
  AND (state = 'unknown' OR (state IN ('due', 'leased') AND handed_at IS NOT NULL)) RETURNING channel, state
"""


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A place in the outbox for one person and occasion; a shadow is ``held`` and is never sent."""

    customer: int
    contact: int | None
    address: int | None
    key: str
    due_at: datetime
    expires_at: datetime
    trigger_item: int | None = None
    items: tuple[int, ...] = ()
    variant: int = 0
    chance: float = 0.0
    value: float = 0.0
    held: bool = False
    hour_propensity: float | None = None  # chance with which its hour was drawn


def reserve(
    reservations: Sequence[Reservation], *, campaign: int, version: int, occurrence: int, channel: Channel
) -> int:
    """Reserve; whoever has a message of the campaign for this occasion already gets no second one. How many are new."""
    states = [MessageState.HELD.value if each.held else MessageState.DUE.value for each in reservations]
    return _written(
        _RESERVE, campaign=campaign, version=version, occurrence=occurrence, channel=channel.value, states=states,
        customers=[each.customer for each in reservations],
        contacts=[each.contact for each in reservations],
        keys=[each.key for each in reservations],
        addresses=[each.address for each in reservations],
        due=[each.due_at for each in reservations],
        expires=[each.expires_at for each in reservations],
        triggers=[each.trigger_item for each in reservations],
        items=[f"{{{','.join(map(str, each.items))}}}" for each in reservations],
        variants=[each.variant for each in reservations],
        chances=[each.chance for each in reservations],
        values=[each.value for each in reservations],
        propensities=[each.hour_propensity for each in reservations],
    )  # fmt: skip


def has_due(channel: Channel) -> bool:
    """Whether something is due on a channel."""
    return bool(rows(_HAS_DUE, channel=channel.value)[0][0])


def lease(channel: Channel, *, holder: str, most: int = AT_ONCE, seconds: float = LEASE) -> list[int]:
    """Lease messages that are due, of campaigns that are not paused, for one sender."""
    taken = rows(_LEASE, channel=channel.value, holder=holder, most=most, lease=seconds)
    return sorted(key for (key,) in taken)


def hand(
    message: int, *, holder: str, purpose: Purpose, items: Sequence[int], recommendation: str, seconds: float = LEASE
) -> bool:
    """Mark a message as being handed over, if it is still this sender's and still wanted; commit before the channel
    gets it.
    """
    return bool(
        run(
            _HAND, id=message, holder=holder, purpose=purpose.value, items=list(items), recommendation=recommendation,
            lease=seconds,
        )
    )  # fmt: skip


def settle(
    message: int,
    state: MessageState,
    *,
    holder: str,
    was: Collection[MessageState] = (MessageState.HANDING,),
    reason: str = "",
    provider_id: str = "",
    after: float = 0.0,
) -> bool:
    """Write what became of a message; ``due`` is tried again after so many seconds. Whether it still was theirs."""
    return bool(
        _written(
            _SETTLE, id=message, state=state.value, holder=holder, reason=reason[:300], provider=provider_id[:200],
            after=after, was=[each.value for each in was], final=[each.value for each in FINAL],
        )
    )  # fmt: skip


def count_fault(message: int) -> int:
    """Count a time that a message could not be written; how many there are."""
    [(faults,)] = rows(_FAULT, id=message)
    return int(faults)


def reap(*, repeating: Collection[Channel] = ()) -> dict[str, int]:
    """Take back what senders have left: leased messages are due again, those being handed over are unknown, or due
    again where their channel repeats safely; what is too late is expired. How many, by state.
    """
    reaped = rows(_REAP, repeating=[channel.value for channel in repeating])
    expired = rows(_EXPIRE)
    _count([*reaped, *expired])
    return dict(Counter(state for _channel, state in (*reaped, *expired)))


def withdraw(contacts: Collection[int]) -> int:
    """Withdraw what waits for these contacts and is not wanted any more; how many messages.

    What is being handed over is not stopped any more.
    """
    return _written(_WITHDRAW, contacts=list(contacts))


def withdraw_from(channel: Channel, digest: bytes) -> int:
    """Withdraw what waits for an address that is silent from now on, whoever's it is; how many messages."""
    return _written(_SILENCED, channel=channel.value, digest=digest)


def withdraw_to(addresses: Collection[int]) -> int:
    """Withdraw what waits for addresses that are not in use any more; how many messages."""
    return _written(_LEFT, addresses=list(addresses))


def end(campaign: int, *, reason: str) -> int:
    """Withdraw all that waits of a campaign."""
    return _written(_END, campaign=campaign, reason=reason)


def count_sendable(campaign: int, *, hours: int) -> int:
    """How many messages of a campaign nobody has known anything of for so many hours."""
    [(count,)] = rows(_SENDABLE, campaign=campaign, hours=hours)
    return int(count)


def send_again(campaign: int, *, hours: int) -> int:
    """Let those be due again, for the lifetime of the campaign from now on; how many."""
    return run(_AGAIN, campaign=campaign, hours=hours)


def confirm_taken(messages: Collection[int]) -> int:
    """Write that the provider has messages, as far as that was not known; how many."""
    return _written(_CONFIRM, messages=list(messages))


def _written(statement: str, **values: object) -> int:
    """Run a statement that gives channel and state of each message that it wrote; how many."""
    messages = rows(statement, **values)
    _count(messages)
    return len(messages)


def _count(messages: Sequence[tuple[str, ...]]) -> None:
    """Count the messages of which something is known for good."""
    ended: Counter[Name] = Counter((Counted.MESSAGES, *each) for each in messages if each[1] in FINAL)
    count_at_commit(ended)
