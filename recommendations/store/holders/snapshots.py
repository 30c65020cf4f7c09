"""A person in the files of events from which runs read: copies of their events, which go before those do, and months
of which the database has nothing any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from recommendations.models import Event, EventFile
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.events import numbers_of
from recommendations.store.holders.protocol import Erased, Holds, Sheet, Subject
from recommendations.store.holders.tables import called
from recommendations.store.retention_rules import archived_files
from recommendations.store.snapshots.archived import TOLD, lines_of
from recommendations.store.snapshots.erasing import count_rows, erase_rows
from recommendations.store.snapshots.whose_rows import Sought
from recommendations.wording.labels import EVENT_NAMES, TRUSTS

COLUMNS = ("occurred_at", *TOLD, "event_id", "line")
LABELS: Mapping[str, Mapping[Any, Any]] = {"name": dict(EVENT_NAMES), "trust": dict(TRUSTS)}


class SnapshotsHolder:
    """Rows of files of events.

    A run that writes a file meanwhile leaves out who is being erased, as it leaves out who was: a file is as the record
    is. What is told of their orders without a name it may write once more until the events are gone; the run that an
    erasure waits for takes it out. A file of a month that goes out of the database leaves that out as well.
    """

    code = HolderCode.SNAPSHOTS
    holds = Holds(models=(EventFile.__name__,))

    def export(self, subject: Subject) -> Iterator[Sheet]:
        """Tell what nothing but files has; the events tell the rest."""
        words = [called(Event, name) for name in COLUMNS]
        lines = (_in_words(line) for line in lines_of(_sought(subject), archived_files()))
        yield Sheet(_("past events in files"), words, ([line[name] for name in COLUMNS] for line in lines))

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


def _in_words(line: dict[str, Any]) -> dict[str, Any]:
    """A line with words in place of codes."""
    return line | {name: str(words[line[name]]) for name, words in LABELS.items()}
