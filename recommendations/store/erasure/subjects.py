"""Who is meant by the ids of a request: all keys of one person, whatever the shop calls them by."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from django.db.models import Q

from recommendations.models import Customer, CustomerAlias
from recommendations.store.events.generations import generation
from recommendations.store.events.pseudonyms import (
    first_pseudonym,
    first_pseudonyms,
    in_generations,
    pseudonym_unit,
    units_of,
)
from recommendations.store.events.tombstones import comebacks_of, digest_of, digests_of
from recommendations.store.holders.protocol import Subject
from recommendations.terms import CustomerKind

__all__ = ["digest_of", "erased_digests", "keys_joined_to", "subject_digest", "subject_of", "subject_of_keys"]


def subject_of(user_id: str | None, anonymous_ids: Sequence[str]) -> Subject:
    """The person whom the shop calls by these ids, with all keys that were joined to theirs and not undone.

    Ids that nobody ever heard of give a subject without keys: answers may name their pseudonyms all the same. Of an id
    that was erased it is who has it since.
    """
    firsts, layers = _firsts(user_id, anonymous_ids), generation()
    named = {first: in_generations(first, until=layers) for first in firsts}
    pseudonyms = list(chain.from_iterable(named.values()))
    keys = Customer.objects.filter(pseudonym__in=pseudonyms).values_list("pk", flat=True)
    subject = subject_of_keys(keys, pseudonyms)
    units = {first: units_of(first, until=layers) for first in firsts}
    since = {
        unit: back.at for first, back in comebacks_of(firsts).items()
        for unit in (*units[first], *map(pseudonym_unit, named[first]))
    }  # fmt: skip
    before = frozenset(chain.from_iterable(units.values())) - subject.units
    return replace(subject, units_before=before, since={**subject.since, **since})


def subject_of_keys(keys: Iterable[int], named: Iterable[bytes] = ()) -> Subject:
    """The person of these keys, and of the pseudonyms that were ``named`` beside them."""
    whole = keys_joined_to(keys)
    living = Customer.objects.filter(pk__in=whole, erased_at=None).values_list("pseudonym", "not_before")
    stored = {bytes(value): erased for value, erased in living}
    since = {pseudonym_unit(value): erased for value, erased in stored.items() if erased}
    return Subject(keys=whole, pseudonyms=tuple(sorted({*named, *stored})), since=since)


def keys_joined_to(keys: Iterable[int]) -> frozenset[int]:
    """Keys that were joined to these and not undone, to those again, and so on; with these."""
    whole = set[int]()
    while new := set(keys) - whole:
        whole |= new
        joined = CustomerAlias.objects.filter(Q(anonymous__in=new) | Q(customer__in=new), undone_at=None)
        keys = {key for pair in joined.values_list("anonymous_id", "customer_id") for key in pair}
    return frozenset(whole)


def subject_digest(user_id: str | None, anonymous_ids: Sequence[str]) -> bytes:
    """Digest by which a request and a receipt name a person: of the signed-in id, else of the first.

    It is that of the first generation, so that the same id has the same for ever. Raises ValueError without an id.
    """
    return digest_of(_first(user_id, anonymous_ids))


def erased_digests(user_id: str | None, anonymous_ids: Sequence[str]) -> list[bytes]:
    """Digests that tombstones of these ids may have: each keeps that of the generation in which it was laid."""
    return [digest for first in _firsts(user_id, anonymous_ids) for digest in digests_of(first)]


def _first(user_id: str | None, anonymous_ids: Sequence[str]) -> bytes:
    if user_id is not None:
        return first_pseudonym(user_id)
    if not anonymous_ids:
        raise ValueError("a person has an id")
    return first_pseudonym(min(anonymous_ids), kind=CustomerKind.ANONYMOUS)


def _firsts(user_id: str | None, anonymous_ids: Sequence[str]) -> list[bytes]:
    named = [] if user_id is None else [first_pseudonym(user_id)]
    return named + list(first_pseudonyms(anonymous_ids, kind=CustomerKind.ANONYMOUS).values())
