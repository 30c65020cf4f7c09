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
from recommendations.ingest.proofs import proves, why_no_proof
from recommendations.ingest.refusal import Refusal
from recommendations.terms import Side, Trust

REPLAY = "replay"
NAMED = "/user_id"
NAMELESS = "/anonymous_id"
"""Pointer of what is left out of an event whose visitor was not admitted; its session goes as well."""
PAGE_PAST = timedelta(hours=24)  # how old an act may be that a page tells of


class Newcomers(Protocol):
    """Admission of people whom nobody knew; ``proven``: the shop's server has said that they are."""

    def __call__(self, count: int, *, proven: bool) -> int:
        """How many of so many may be added."""
        ...


def _all(count: int, *, proven: bool) -> int:  # noqa: ARG001 - a Newcomers
    return count


class Sender(NamedTuple):
    """Who hands events in: a key, and where it stands.

    ``replays``: it is the demo's, which shops in the name of others. ``crawls``: a crawler opened the page. ``hook``:
    the system that calls by itself, without a key.
    """

    key: int | None = None
    side: Side = Side.SERVER
    replays: bool = False
    crawls: bool = False
    newcomers: Newcomers = _all
    hook: str = ""

    def why_nameless(self) -> str:
        """Why a visitor whom nobody knew was not admitted."""
        if self.crawls:
            return _("The User-Agent is a crawler's, and its visitors are nobody.")
        return _("More new people came than the hour's quota allows; people who are already known are not affected.")


class Allowed(NamedTuple):
    """Whose word an event is, and what was left out of it, with the reasons."""

    trust: Trust
    ignored: Sequence[Refusal] = ()


_BY_SERVER = Allowed(Trust.SERVER)


def limit(form: EventForm, sender: Sender, *, now: datetime) -> Allowed | Refusal:
    """Take out of an event what its sender may not state; a Refusal where that is the event itself."""
    forged = form.context is not None and form.context.source == REPLAY and not sender.replays
    if sender.side is Side.SERVER and not forged:
        return _BY_SERVER
    ignored: list[Refusal] = []
    if form.context is not None and forged:
        form.context.source = None
        ignored.append(Refusal("/context/source", _("Only the demo's own replay may say so.")))
    if sender.side is Side.SERVER:
        return Allowed(Trust.SERVER, ignored)
    if now - form.timestamp > PAGE_PAST:
        text = _("A page can report the last 24 hours; send older events from your server.")
        return Refusal("/timestamp", text)
    trust = Trust.PAGE
    if form.user_id is not None:
        if proves(form.proof, user_id=form.user_id, anonymous_id=form.anonymous_id, now=now):
            trust = Trust.PROVEN
        elif form.anonymous_id is None:
            why = why_no_proof(form.proof, user_id=form.user_id, anonymous_id=None)
            return Refusal(NAMED, f"{why} {_('With an anonymous_id the event would belong to the visitor.')}")
        else:
            why = why_no_proof(form.proof, user_id=form.user_id, anonymous_id=form.anonymous_id)
            ignored.append(Refusal(NAMED, why))
            form.user_id = None
    if trust < (least := NAMES[form.name].facts.stated_from):
        return Refusal("/name", _server_only()) if least >= Trust.SERVER else Refusal("/proof", _signed_in_only())
    return Allowed(trust, ignored)


def _signed_in_only() -> str:
    return _(
        "Only a customer who is signed in can do this: send user_id, anonymous_id and the proof that your server gets "
        "from POST /api/v1/identity/."
    )


def _server_only() -> str:
    return _("Only your server can report this; send it with a key that is not in a page.")
