"""What processes hold of a person: they forget it by themselves, as the mark of change says that somebody was erased.

``store.holders.caches`` lists what that is. A process can only answer for itself: the one that erases counts and drops
what it has; the others look at the marks before their next answer, and at most a quarter of a second later.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from recommendations.privacy_terms import HolderCode
from recommendations.store.holders import caches
from recommendations.store.holders.protocol import Erased, Holds, Sheet, Subject
from recommendations.store.live.erased_keys import erased_keys
from recommendations.store.live.fetch import Changed, fetch_raw, mark, marks_of
from recommendations.store.live.valkey import ValkeyAwayError, valkey
from recommendations.store.live.writes import facts_waiting_of, forget_waiting
from recommendations.store.serving.snapshot_holder import snapshot_holder


class ProcessesHolder:
    """Pseudonyms by which a process knows whom it answers, what it remembers of answers, facts that wait for Valkey."""

    def __init__(self) -> None:
        self.code = HolderCode.PROCESSES
        self.holds = Holds(caches=tuple(chain.from_iterable(caches.OF_PEOPLE.values())))

    def export(self, subject: Subject) -> Iterator[Sheet]:  # noqa: ARG002
        """Tell nothing: processes hold what other holders tell of."""
        return iter(())

    def find(self, subject: Subject) -> int:
        """Count the names by which this process, having looked at the marks, still knows who is gone, and their facts
        that wait in it.

        Of somebody who is not erased there is nothing to find: what a process happens to hold has its holders.
        """
        gone = subject.keys & erased_keys().hear()
        if gone:
            _look()
        held = snapshot_holder().snapshot
        known = 0 if held is None or not gone else held.customers.count(gone)
        return known + facts_waiting_of(gone)

    def erase(self, subject: Subject, *, now: datetime) -> Erased:  # noqa: ARG002 - others keep the moment
        """Tell every process, and forget them in this one. Raises ValkeyAwayError where it cannot be told."""
        deleted = self.find(subject)
        if valkey().run(lambda pipeline: mark(pipeline, Changed.PEOPLE)) is None:
            raise ValkeyAwayError
        forget_waiting(subject.keys)
        _look()
        return Erased(deleted=deleted)


def _look() -> None:
    """Look at the marks, as before the next answer, for who was erased alone."""
    if snapshot_holder().snapshot is not None:
        snapshot_holder().forget_erased(marks_of(fetch_raw(None)))


PROCESSES = ProcessesHolder()
