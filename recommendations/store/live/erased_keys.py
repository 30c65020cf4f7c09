"""Customers who were erased while this process ran: nothing of theirs is written for the next answers any more."""

from django.db import DatabaseError

from recommendations.models import Customer
from recommendations.store.live.change_watch import PeopleWatch
from recommendations.store.live.valkey import Breaker
from recommendations.store.process_held import ProcessHeld


class ErasedKeys:
    """Keys of customers who were erased, as far as this process heard; they are numbers that lead to nobody."""

    def __init__(self) -> None:
        self.keys = frozenset[int]()
        self._watch, self._record = PeopleWatch(), Breaker("postgresql", pause=1.0)
        self._due = False
        self._watch.moved()  # a process that begins holds nobody

    def look(self) -> frozenset[int]:
        """The keys, those of the last quarter of a second among them; without PostgreSQL those that are known."""
        self._due |= self._watch.moved()
        if self._due and self._record:
            try:
                self.hear()
                self._due = False
            except DatabaseError as error:
                self._record.trip(error)
        return self.keys

    def hear(self) -> frozenset[int]:
        """The keys as the record has them by now, whose rows stand for a minute, and those of before."""
        erased = Customer.objects.filter(erased_at__isnull=False).values_list("pk", flat=True)
        self.keys |= frozenset(erased)
        return self.keys


erased_keys = ProcessHeld(ErasedKeys)
