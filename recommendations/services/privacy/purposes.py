"""Purposes: what a customer said of what is done with what they do, as the shop's server hands it in, and what holds.

Messages have a ledger of their own, that of contacts: a no to them is a statement there for every address and purpose,
and what holds is read there. A yes to them needs an address and a purpose, so it is said there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max, Q

from recommendations.models import Address, Customer, Permission, PurposeWord
from recommendations.privacy_terms import OWN_PURPOSES, DataPurpose, PurposeState, WordSource
from recommendations.push_terms import Channel, ConsentSource, ConsentState, Purpose
from recommendations.services.customers import locked_customer
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.contacts import ledger
from recommendations.store.contacts.book import LIVING
from recommendations.store.contacts.ledger import Statement
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.events.purpose_words import Consent, note_consent
from recommendations.store.live import writes
from recommendations.store.live.writes import told_of_words


class SaidElsewhereError(Exception):
    """A yes to messages is about an address: it is said with the contact."""


class ProofMissingError(Exception):
    """What was before an objection may be learned again only by what proves it."""


@dataclass(frozen=True, kw_only=True)
class SaidOfData:
    """What somebody said of a purpose, by the shop's word or that of its staff."""

    user_id: str
    purpose: DataPurpose
    state: PurposeState
    at: datetime
    source: WordSource = WordSource.SERVER
    resume: bool = False
    proof: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PurposeStanding:
    """What holds for a purpose, and the newest word that it holds by; without one nothing was said of it."""

    purpose: DataPurpose
    allowed: bool
    state: PurposeState | None = None
    at: datetime | None = None
    source: WordSource | None = None


def say(said: SaidOfData, *, now: datetime) -> None:
    """Note what somebody said; the next answer goes by it. Who is unknown is added, as an objection holds beforehand.

    Raises SaidElsewhereError, ProofMissingError and BlockedIdError.
    """
    yes = said.state is PurposeState.GIVEN
    if said.purpose is DataPurpose.PUSH and yes:
        raise SaidElsewhereError
    if said.resume and not said.proof:
        raise ProofMissingError
    at = min(said.at, now)
    with locked_customer(said.user_id) as customer:
        key = customer.pk
    if said.purpose is DataPurpose.PUSH:
        ledger.record(list(_nos(key, said, at)))
        return
    word = Consent(key, said.state, at, said.purpose, said.source, resume=said.resume and yes, proof=said.proof)
    writes.remember(told_of_words(note_consent([word])))


def standings_of(ids: PersonIds) -> list[PurposeStanding]:
    """What holds for each purpose, of the person whom the shop calls so."""
    return standings(sorted(subject_of(ids.user_id, ids.anonymous_ids).keys))


def standings(keys: Sequence[int]) -> list[PurposeStanding]:
    """What holds for each purpose, of a person by all their keys; everything but messages, where there are none."""
    refusing = Customer.objects.filter(pk__in=keys, erased_at=None)
    allowed = {
        DataPurpose.PERSONALISE: not refusing.filter(personalise=False).exists(),
        DataPurpose.MEASURE: not refusing.filter(measure=False).exists(),
    }
    newest: dict[str, PurposeWord] = {}
    for word in words_of(keys):
        newest.setdefault(word.purpose, word)
    told = [_standing(purpose, newest.get(purpose), allowed=allowed[purpose]) for purpose in OWN_PURPOSES]
    return [*told, _messages(keys)]


def words_of(keys: Sequence[int]) -> list[PurposeWord]:
    """The words of a person, by all their keys, the newest first; of one moment a no before a yes."""
    words = PurposeWord.objects.filter(customer__in=keys)
    return sorted(words, key=lambda word: (word.at, word.state != PurposeState.GIVEN, word.pk), reverse=True)


def _nos(contact: int, said: SaidOfData, at: datetime) -> Sequence[Statement]:
    source = ConsentSource.STAFF if said.source is WordSource.STAFF else ConsentSource.API
    living = Address.objects.filter(contact=contact, state__in=LIVING).values_list("channel", flat=True)
    return [
        Statement(
            contact=contact, channel=Channel(channel), purpose=purpose, state=ConsentState(said.state), at=at,
            source=source, proof=dict(said.proof),
        )
        for channel in sorted(set(living))
        for purpose in Purpose
    ]  # fmt: skip


def _standing(purpose: DataPurpose, word: PurposeWord | None, *, allowed: bool) -> PurposeStanding:
    if word is None:
        return PurposeStanding(purpose=purpose, allowed=allowed)
    return PurposeStanding(
        purpose=purpose, allowed=allowed, state=PurposeState(word.state), at=word.at, source=WordSource(word.source)
    )


def _messages(keys: Sequence[int]) -> PurposeStanding:
    given = Q(state=ConsentState.GIVEN)
    last = Permission.objects.filter(contact__in=keys).aggregate(yes=Max("since", filter=given), no=Max("since"))
    if last["no"] is None:
        return PurposeStanding(purpose=DataPurpose.PUSH, allowed=False)
    return PurposeStanding(
        purpose=DataPurpose.PUSH, allowed=last["yes"] is not None, at=last["yes"] or last["no"],
        state=PurposeState.GIVEN if last["yes"] else PurposeState.WITHDRAWN,
    )  # fmt: skip
