"""Ids of the shop's customers as an import has them: hidden, each hashed once for a file, and none outlives it."""

from functools import lru_cache

from recommendations.fields import LONGEST_ID
from recommendations.store.events.pseudonyms import first_pseudonym
from recommendations.terms import CustomerKind

TOO_LONG = "too long"
HELD = 400_000


@lru_cache(HELD)
def hidden_id(kind: CustomerKind, shop_id: str) -> str:
    """The pseudonym of an id in the first generation, in hex; ``TOO_LONG`` where it is no id."""
    return first_pseudonym(shop_id, kind=kind).hex() if len(shop_id) <= LONGEST_ID else TOO_LONG


def forget_ids() -> None:
    """Hold no id any more: the file is read."""
    hidden_id.cache_clear()
