"""A person in the files of events from which runs read: copies of their events, which go before those do."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from recommendations.models import EventFile
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.events import numbers_of
from recommendations.store.holders.protocol import Erased, Holds, Sheet, Subject
from recommendations.store.snapshots.erasing import Sought, count_rows, erase_rows


class SnapshotsHolder:
    """Rows of files of events.

    A run that writes a file meanwhile leaves out who is being erased, as it leaves out who was: a file is as the record
    is. What is told of their orders without a name it may write once more until the events are gone; the run that an
    erasure waits for takes it out.
    """

    code = HolderCode.SNAPSHOTS
    holds = Holds(models=(EventFile.__name__,))

    def export(self, subject: Subject) -> Iterator[Sheet]:  # noqa: ARG002
        """Tell nothing: the events tell it all."""
        return iter(())

    def find(self, subject: Subject) -> int:
        return count_rows(_sought(subject))

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        return self.erase_all([subject], now=now)[0]

    def erase_all(self, subjects: Sequence[Subject], *, now: datetime) -> list[Erased]:  # noqa: ARG002 - protocol
        """Erase several people, for whom each file is written once; what became of each, in their order."""
        return [Erased(deleted=rows) for rows in erase_rows([_sought(subject) for subject in subjects])]


SNAPSHOTS = SnapshotsHolder()


def _sought(subject: Subject) -> Sought:
    return Sought(keys=subject.keys, orders=numbers_of(subject).orders)
