"""Acts of somebody on their own preferences. Each says what held before, so that it can be undone, and what holds now.

An act is written down nowhere but in the page that answers it, signed; it can be undone for 30 days.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import transaction

from recommendations.models import Address, Contact
from recommendations.push_terms import Channel, ConsentSource, ConsentState, Purpose, SuppressionReason
from recommendations.services.contacts.objection import personalised_keys, restore_personalised, set_personalised
from recommendations.services.contacts.preferences import (
    PAUSE,
    addresses_of,
    choose,
    no_earlier,
    proof_of,
    states_of,
    stop_everything,
)
from recommendations.store.contacts import ledger, silence
from recommendations.store.contacts.ledger import Statement

UNDONE_WITHIN = timedelta(days=30)
MOST_A_WEEK = range(1, 8)  # limits that somebody may have

type State = Mapping[str, Any]
"""What holds in one respect, as JSON."""


class Respect(StrEnum):
    """What an act is about."""

    PURPOSES = "purposes"
    LIMIT = "limit"
    PAUSE = "pause"
    QUIET = "quiet"
    TRAITS = "traits"  # recommendations by what somebody bought and looked at


FIELDS = {
    Respect.LIMIT: ("most_a_week",),
    Respect.PAUSE: ("paused_until",),
    Respect.QUIET: ("quiet_from", "quiet_until", "time_zone"),
}


@dataclass(frozen=True, kw_only=True)
class OwnAct:
    """What somebody did; ``purpose`` where it was about one of a channel, ``undoes`` where it gave back what was so."""

    respect: Respect
    before: State
    after: State
    purpose: Purpose | None = None
    channel: Channel = Channel.EMAIL
    undoes: bool = False


def switch(
    address: Address,
    purpose: Purpose,
    *,
    on: bool,
    now: datetime,
    source: ConsentSource = ConsentSource.PREFERENCES,
) -> OwnAct:
    def work() -> None:
        choose(address, {purpose: on}, source=source, now=now)

    return _acted(address, Respect.PURPOSES, work, purpose=purpose, channel=Channel(address.channel), now=now)


def stop(address: Address, *, now: datetime) -> OwnAct:
    return _acted(address, Respect.PURPOSES, lambda: stop_everything(address, now=now), now=now)


def limit(address: Address, most_a_week: int | None, *, now: datetime) -> OwnAct:
    return _acted(address, Respect.LIMIT, lambda: _set(address, {"most_a_week": most_a_week}, now=now), now=now)


def pause(address: Address, *, now: datetime) -> OwnAct:
    return _acted(address, Respect.PAUSE, lambda: _set(address, {"paused_until": now + PAUSE}, now=now), now=now)


def go_on(address: Address, *, now: datetime) -> OwnAct:
    return _acted(address, Respect.PAUSE, lambda: _set(address, {"paused_until": None}, now=now), now=now)


def keep_quiet(
    address: Address, quiet_from: time | None, quiet_until: time | None, *, time_zone: str, now: datetime
) -> OwnAct:
    """Send nothing between two hours of the day, or at any hour where they are None."""
    fields = {"quiet_from": quiet_from, "quiet_until": quiet_until, "time_zone": time_zone}
    return _acted(address, Respect.QUIET, lambda: _set(address, fields, now=now), now=now)


def recommend_by_traits(address: Address, *, on: bool, now: datetime) -> OwnAct:
    return _acted(
        address, Respect.TRAITS, lambda: set_personalised(address.contact_id, may=on, now=now), now=now, in_one=False
    )


def undo(address: Address, act: OwnAct, *, now: datetime) -> OwnAct:
    """Give back exactly what was before an act, whatever happened since; an undoing that is undone is the act again."""
    return _acted(
        address, act.respect, lambda: _restore(address, act.respect, act.before, now=now), undoes=not act.undoes,
        purpose=act.purpose, channel=act.channel, now=now, in_one=act.respect is not Respect.TRAITS,
    )  # fmt: skip


def holds(address: Address, act: OwnAct, *, now: datetime) -> bool:
    """Whether what an act has led to is so now."""
    return _state(address, act.respect, now=now) == act.after


def signed(act: OwnAct, address: Address, *, now: datetime) -> str:
    """The act as a page carries it."""
    content = {
        "address": address.pk, "at": int(now.timestamp()), "respect": act.respect, "before": act.before,
        "after": act.after, "purpose": act.purpose, "channel": act.channel, "undoes": act.undoes,
    }  # fmt: skip
    return _signer().sign_object(content, compress=True)


def of_signed(text: str, address: Address, *, now: datetime) -> OwnAct | None:
    """The act of a page; None where it is not of this address, too old, or not ours."""
    try:
        content = _signer().unsign_object(text)
    except (BadSignature, ValueError):
        return None
    if content["address"] != address.pk or now.timestamp() - content["at"] > UNDONE_WITHIN.total_seconds():
        return None
    return OwnAct(
        respect=Respect(content["respect"]),
        before=content["before"],
        after=content["after"],
        purpose=Purpose(content["purpose"]) if content["purpose"] else None,
        channel=Channel(content["channel"]),
        undoes=content["undoes"],
    )


def _signer() -> Signer:
    return Signer(salt=f"{__name__}/2")  # those of other forms open no more


def _acted(
    address: Address,
    respect: Respect,
    work: Callable[[], object],
    *,
    now: datetime,
    purpose: Purpose | None = None,
    channel: Channel = Channel.EMAIL,
    undoes: bool = False,
    in_one: bool = True,
) -> OwnAct:
    """Do the work, ``in_one`` transaction, between two looks at what it is about."""
    if in_one:
        with transaction.atomic():
            Contact.objects.select_for_update().get(pk=address.contact_id)
            return _acted(
                address, respect, work, purpose=purpose, channel=channel, undoes=undoes, now=now, in_one=False
            )
    before = _state(address, respect, now=now)
    work()
    after = _state(address, respect, now=now)
    return OwnAct(respect=respect, before=before, after=after, purpose=purpose, channel=channel, undoes=undoes)


def _state(address: Address, respect: Respect, *, now: datetime) -> dict[str, Any]:
    if respect is Respect.TRAITS:
        return {str(key): may for key, may in personalised_keys(address.contact_id).items()}
    if respect is Respect.PURPOSES:
        addresses = addresses_of(address.contact_id)
        return {
            "states": {each.channel: states_of(each) for each in addresses},
            "stopped": [each.pk for each in addresses if _has_stopped(each, now=now)],
        }
    values = Contact.objects.values(*FIELDS[respect]).get(pk=address.contact_id)
    return {name: value if isinstance(value, int | None) else _text(value) for name, value in values.items()}


def _text(value: str | time | datetime) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _set(address: Address, fields: Mapping[str, Any], *, now: datetime) -> None:
    Contact.objects.filter(pk=address.contact_id).update(**fields, changed_at=now)


def _restore(address: Address, respect: Respect, before: State, *, now: datetime) -> None:
    if respect is Respect.TRAITS:
        restore_personalised({int(key): may for key, may in before.items()}, now=now)
    elif respect is Respect.PURPOSES:
        _restore_purposes(address, before, now=now)
    else:
        _set(address, before, now=now)  # Django reads times as they were written


def _restore_purposes(address: Address, before: State, *, now: datetime) -> None:
    """State again what was stated before; of what nothing was, that it is withdrawn."""
    addresses, at = addresses_of(address.contact_id), no_earlier(address, now=now)
    ledger.record(
        [
            Statement(
                contact=address.contact_id,
                channel=Channel(channel),
                purpose=Purpose(purpose),
                state=ConsentState(before["states"].get(channel, {}).get(purpose, ConsentState.WITHDRAWN)),
                at=at,
                source=ConsentSource.PREFERENCES,
                proof=proof_of(address, form="undo"),
            )
            for channel, each in {each.channel: each for each in addresses}.items()
            for purpose, state in states_of(each).items()
            if state != before["states"].get(channel, {}).get(purpose)
        ]
    )
    for each in addresses:
        channel, digest = Channel(each.channel), bytes(each.digest)
        if each.pk in before["stopped"]:
            silence.silence(channel, digest, reason=SuppressionReason.UNSUBSCRIBED_ALL, now=now)
        else:
            silence.lift(channel, digest, reasons=[SuppressionReason.UNSUBSCRIBED_ALL])


def _has_stopped(address: Address, *, now: datetime) -> bool:
    reason = silence.reason_of(Channel(address.channel), bytes(address.digest), now=now)
    return reason == SuppressionReason.UNSUBSCRIBED_ALL
