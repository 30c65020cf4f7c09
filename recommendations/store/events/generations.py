"""The generation of pseudonyms: under how many keys the record has them, and who may write while it changes.

A process learns of a new generation by the mark of people. Until then it answers by the pseudonyms that it holds, and
what it looks for in the record is not there; so whoever writes a pseudonym asks first, by ``settled``.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection

from recommendations.models import ShopSetting
from recommendations.store.events.insert import run
from recommendations.store.live.change_watch import PeopleWatch
from recommendations.store.process_held import ProcessHeld

GENERATION = "pseudonym_generation"
LOCK = 7_264_140
"""Shared by who writes pseudonyms, exclusive to who lays a layer over all of them."""


class RotatingError(OperationalError):
    """Pseudonyms get a layer at this moment: within seconds the same can be written."""

    def __init__(self) -> None:
        super().__init__("pseudonyms are being changed at this moment; try again")


class PseudonymKeyLackingError(OperationalError):
    """The record has more layers than this process has keys: it was started before a key was added."""

    def __init__(self, layers: int) -> None:
        super().__init__(f"PSEUDONYM_KEYS has fewer than the {layers} keys of this database: start again with all")


class _Heard:
    """What this process knows of the generation."""

    def __init__(self) -> None:
        self._watch = PeopleWatch()
        self._number: int | None = None
        self._old = True

    def number(self) -> int:
        self._old |= self._watch.moved()
        if self._old or self._number is None:
            try:
                self.note(checked_generation())
            except DatabaseError:  # what is known goes on
                if self._number is None:
                    raise
        return self._number or 1

    def note(self, number: int) -> None:
        self._number, self._old = number, False


_heard = ProcessHeld(_Heard)


def generation() -> int:
    """How many layers pseudonyms have, as far as this process heard. It costs nothing where there is one key."""
    return 1 if len(settings.PSEUDONYM_KEYS) == 1 else _heard().number()


def stored_generation() -> int:
    """How many layers the record has."""
    stored = ShopSetting.objects.filter(key=GENERATION).values_list("value", flat=True).first()
    return 1 if stored is None else int(stored)


def checked_generation() -> int:
    """``stored_generation``. Raises PseudonymKeyLackingError where this process cannot make such pseudonyms."""
    number = stored_generation()
    if number > len(settings.PSEUDONYM_KEYS):
        raise PseudonymKeyLackingError(number)
    return number


@contextmanager
def settled(*, patient: bool = False) -> Iterator[int]:
    """The generation, which stays what it is until the block ends, or the transaction that it is in.

    Whoever is ``patient`` waits while it changes; others raise RotatingError. Raises PseudonymKeyLackingError.
    """
    of_transaction = "xact_" if connection.in_atomic_block else ""
    if patient:
        run(f"SELECT pg_advisory_{of_transaction}lock_shared(%b::bigint)::text", [LOCK])
    elif not run(f"SELECT pg_try_advisory_{of_transaction}lock_shared(%b::bigint)", [LOCK])[0][0]:
        raise RotatingError
    try:
        number = checked_generation()  # a statement of its own: it sees what was committed before the lock was free
        _heard().note(number)
        yield number
    finally:
        if not of_transaction:
            with suppress(DatabaseError):  # a connection that broke holds nothing
                run("SELECT pg_advisory_unlock_shared(%b::bigint)", [LOCK])
