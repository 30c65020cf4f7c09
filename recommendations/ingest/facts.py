"""What a source may state, by where its key stands: what is not its to say is left out and told, or refused.

A key in a page is known to whoever opens the shop. Its word is taken about the visitor of that page, about a customer
only with a proof by the shop's server (``proofs.py``), and never about money that was given back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from django.utils.translation import gettext as _

from recommendations.event_types import NAMES
from recommendations.ingest.event_schema import EventForm
from recommendations.ingest.proofs import proves
from recommendations.ingest.refusal import Refusal
from recommendations.terms import Side, Trust

REPLAY = "replay"
NAMELESS = "/anonymous_id"
"""Pointer of what is left out of an event whose visitor is new beyond the quota; its session goes as well."""
PAGE_PAST = timedelta(hours=24)  # how old an act may be that a page tells of


class Newcomers(Protocol):
    """Admission of people whom nobody knew; ``proven``: the shop's server has said that they are."""

    def __call__(self, count: int, *, proven: bool) -> int:
        """How many of so many may be added."""
        ...


def _all(count: int, *, proven: bool) -> int:  # noqa: ARG001 - a Newcomers
    return count


class Sender(NamedTuple):
    """Who hands events in: a key, and where it stands; ``replays``: the demo's, which shops in the name of others."""

    key: int | None = None
    side: Side = Side.SERVER
    replays: bool = False
    newcomers: Newcomers = _all


class Allowed(NamedTuple):
    """Whose word an event is, and pointers to what was left out of it."""

    trust: Trust
    ignored: Sequence[str] = ()


def limit(form: EventForm, sender: Sender, *, now: datetime) -> Allowed | Refusal:
    """Take out of an event what its sender may not state; a Refusal where that is the event itself."""
    ignored: list[str] = []
    if form.context is not None and form.context.source == REPLAY and not sender.replays:
        form.context.source = None
        ignored.append("/context/source")
    if sender.side is Side.SERVER:
        return Allowed(Trust.SERVER, ignored)
    if now - form.timestamp > PAGE_PAST:
        text = _("A page may tell of the last 24 hours; send older events from your server.")
        return Refusal("/timestamp", text)
    trust = Trust.PAGE
    if form.user_id is not None:
        if proves(form.proof, user_id=form.user_id, anonymous_id=form.anonymous_id, now=now):
            trust = Trust.PROVEN
        elif form.anonymous_id is None:
            return Refusal("/user_id", proof_needed())
        else:
            form.user_id = None
            ignored.append("/user_id")
    if trust < (least := NAMES[form.name].facts.stated_from):
        return Refusal("/name", _server_only() if least >= Trust.SERVER else proof_needed())
    return Allowed(trust, ignored)


def proof_needed() -> str:
    """Why a page's word about a customer is not taken."""
    return _(
        "A key in a page cannot say who is signed in. Send the proof that your server gets from POST /api/v1/identity/ "
        "for this user_id and this anonymous_id; what came is missing, expired or another's."
    )


def _server_only() -> str:
    return _("Only your server may tell of this; send it with a key that stands in no page.")
