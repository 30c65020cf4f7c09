"""Places that hold something about people, for who looks at them: which there are, and how much each of them has."""

from recommendations.privacy_terms import HolderCode
from recommendations.store.erasure.log import lost_erasures
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Holder, Subject
from recommendations.store.holders.sizes import estimated_rows
from recommendations.store.live.valkey import ValkeyAwayError


def missing_holders() -> list[HolderCode]:
    """Places that no program exports and erases; none, or something is wrong."""
    known = {holder.code for holder in registry.HOLDERS}
    return [code for code in HolderCode if code not in known]


def count_lost_erasures() -> int:
    """How many erasures the database does not know of, as it was restored from a copy of before them.

    0 where the log cannot be read, which readiness says.
    """
    try:
        return len(lost_erasures())
    except OSError:
        return 0


def held_of_customer(customer: int) -> dict[HolderCode, int | None]:
    """What each place has of a customer and of all that was merged into them: what an erasure would go at.

    None: it cannot be asked, as Valkey is away.
    """
    subject = subject_of_keys([customer])
    return {holder.code: _number_at(holder, subject) for holder in registry.HOLDERS}


def _number_at(holder: Holder, subject: Subject) -> int | None:
    try:
        return holder.find(subject)
    except ValkeyAwayError:
        return None


def rows_of_holders() -> dict[HolderCode, int | None]:
    """About how many rows each place has of everybody; None where it has no table, or none has been analysed yet."""
    tables = {holder.code: holder.holds.models for holder in registry.HOLDERS}
    rows = estimated_rows({name for names in tables.values() for name in names})
    known = {code: [each for name in names if (each := rows.get(name)) is not None] for code, names in tables.items()}
    return {code: sum(numbers) if numbers else None for code, numbers in known.items()}
