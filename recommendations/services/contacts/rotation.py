"""A new key for addresses: those that an older key sealed are sealed anew, and afterwards the old key may go."""

from dataclasses import dataclass, field

from recommendations.models import Address
from recommendations.push_terms import AddressState
from recommendations.store.contacts.rotation import reseal_part
from recommendations.store.contacts.sealing import KeysMissingError
from recommendations.store.temp_tables import Report, silent

__all__ = ["KeysMissingError", "Rotation", "rotate"]

MOST_AT_ONCE = 1_000  # addresses of a transaction


@dataclass(kw_only=True)
class Rotation:
    """What became of the addresses; ``broken`` are the primary keys of those that no key opens."""

    last: int = 0
    resealed: int = 0
    under_first: int = 0
    broken: list[int] = field(default_factory=list)


def rotate(rotation: Rotation, *, report: Report = silent) -> None:
    """Seal all addresses after ``rotation.last`` with the first key, and keep account there.

    What is done is committed part by part, so that it may be killed and called again. Raises KeysMissingError.
    """
    living = Address.objects.exclude(state=AddressState.GONE)
    total, done = living.filter(pk__gt=rotation.last).count(), 0
    while part := reseal_part(after=rotation.last, most=MOST_AT_ONCE):
        rotation.last = part.last
        rotation.resealed += part.resealed
        rotation.under_first += part.addresses - part.resealed - len(part.broken)
        rotation.broken += part.broken
        done += part.addresses
        report("addresses", done, max(total, done))
