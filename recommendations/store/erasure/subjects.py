"""Who is meant by the ids of a request: all keys of one person, whatever the shop calls them by."""

from collections.abc import Iterable, Sequence

from django.db.models import Q

from recommendations.models import Customer, CustomerAlias
from recommendations.store.events.pseudonyms import pseudonym, pseudonyms
from recommendations.store.events.tombstones import digest_of
from recommendations.store.holders.protocol import Subject
from recommendations.terms import CustomerKind

__all__ = ["digest_of", "keys_joined_to", "subject_digest", "subject_of", "subject_of_keys"]


def subject_of(user_id: str | None, anonymous_ids: Sequence[str]) -> Subject:
    """The person whom the shop calls by these ids, with all keys that were joined to theirs and not undone.

    Ids that nobody ever heard of give a subject without keys: answers may name their pseudonyms all the same.
    """
    named = _named(user_id, anonymous_ids)
    keys = Customer.objects.filter(pseudonym__in=named).values_list("pk", flat=True)
    return subject_of_keys(keys, named)


def subject_of_keys(keys: Iterable[int], named: Iterable[bytes] = ()) -> Subject:
    """The person of these keys, and of the pseudonyms that were ``named`` beside them."""
    whole = keys_joined_to(keys)
    stored = Customer.objects.filter(pk__in=whole, erased_at=None).values_list("pseudonym", flat=True)
    return Subject(keys=whole, pseudonyms=tuple(sorted({*named, *map(bytes, stored)})))


def keys_joined_to(keys: Iterable[int]) -> frozenset[int]:
    """Keys that were joined to these and not undone, to those again, and so on; with these."""
    whole = set[int]()
    while new := set(keys) - whole:
        whole |= new
        joined = CustomerAlias.objects.filter(Q(anonymous__in=new) | Q(customer__in=new), undone_at=None)
        keys = {key for pair in joined.values_list("anonymous_id", "customer_id") for key in pair}
    return frozenset(whole)


def subject_digest(user_id: str | None, anonymous_ids: Sequence[str]) -> bytes:
    """Digest by which a request, a receipt and a legal hold name a person: of the signed-in id, else of the first.

    Raises ValueError where there is no id.
    """
    if user_id is not None:
        return digest_of(pseudonym(user_id))
    if not anonymous_ids:
        raise ValueError("a person has an id")
    return digest_of(pseudonym(min(anonymous_ids), kind=CustomerKind.ANONYMOUS))


def _named(user_id: str | None, anonymous_ids: Sequence[str]) -> list[bytes]:
    named = [] if user_id is None else [pseudonym(user_id)]
    return named + list(pseudonyms(anonymous_ids, kind=CustomerKind.ANONYMOUS).values())
