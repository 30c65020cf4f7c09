"""Rows of imports that were refused and name an order or a visit of a person, and waiting files that name the person.

The ids of customers are hidden in refused rows; numbers of orders and visits are not. A file of contacts or of another
system's campaigns waits for a day at most; one that names somebody who is erased goes, and has to be chosen again.
"""

from collections.abc import Container, Iterator
from datetime import datetime
from pathlib import Path

from django.core.files.storage import default_storage
from django.db.models import Min, Q
from django.db.models.expressions import RawSQL

from recommendations.models import CatalogueFile, Import, RejectedRow
from recommendations.privacy_terms import HolderCode
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.events import numbers_of
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder
from recommendations.store.imports.table_files import UnreadableFileError, open_table

FOLDERS = ("catalogue-files", "catalogue-files-refused")
OF_PEOPLE = (Import.Kind.CONTACTS, Import.Kind.CUSTOMERS, Import.Kind.RECEIPTS)
NAMED_IN = "user_id"
"""The column of such a file that names the customer."""

# Word by word: of a person's hundreds of numbers at once no plan would use the index, which is on this expression.
_NAMING = """
SELECT refused.id FROM unnest(%s::text[]) AS number
JOIN recommendations_rejectedrow refused
  ON regexp_split_to_array(refused.content, '[^0-9A-Za-z_-]+') @> ARRAY[number]
"""
SHORTEST = 8
"""Characters of a number that is looked for among the words of a row: a shorter one may be a quantity."""


def _of_visits(subject: Subject) -> Q:
    """Rows that tell of an order or a visit of the person's events; those are erased later."""
    numbers = numbers_of(subject)
    told = Q(given__transaction_id__in=numbers.orders) | Q(given__session_id__in=numbers.visits)
    words = sorted(number for number in {*numbers.orders, *numbers.visits} if len(number) >= SHORTEST)
    if words:
        told |= Q(pk__in=RawSQL(_NAMING, [words]))  # noqa: S611 - a statement of ours
    return told & Q(source__kind=Import.Kind.EVENTS)


REFUSED = OwnRows(
    model=RejectedRow, whose=_of_visits, columns=("source__started_at", "line", "field", "reason", "given")
)  # fmt: skip


class FilesHolder(TableHolder):
    """Refused rows, and files that wait for somebody's yes."""

    def __init__(self) -> None:
        super().__init__(HolderCode.FILES, REFUSED, also=[CatalogueFile])

    def find(self, subject: Subject) -> int:
        return super().find(subject) + sum(1 for _ in _files_naming(subject))

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        """Erase the rows and the files."""
        files = 0
        for name in list(_files_naming(subject)):
            default_storage.delete(f"{FOLDERS[0]}/{name}")
            default_storage.delete(f"{FOLDERS[1]}/{name}.csv")
            files += 1
        return super().erase(subject, now=now) + Erased(deleted=files)


def _files_naming(subject: Subject) -> Iterator[str]:
    """Names of the stored files of people in which the person stands."""
    waiting = CatalogueFile.objects.filter(kind__in=OF_PEOPLE).order_by("stored_as")
    for name, at in waiting.values_list("stored_as").annotate(at=Min("created_at")):
        path = f"{FOLDERS[0]}/{name}"
        sought = {value for value in subject.pseudonyms if (subject.erased_at(value) or at) <= at}
        if sought and default_storage.exists(path) and _names(Path(default_storage.path(path)), sought):
            yield name


def _names(path: Path, sought: Container[bytes]) -> bool:
    """Whether a file names one of these pseudonyms; of one that cannot be read to its end, up to there."""
    try:
        with open_table(path) as table:
            if NAMED_IN not in table.columns:
                return False
            place = table.columns.index(NAMED_IN)
            given = (row.values[place] for row in table if row.values)
            return any(pseudonym(user_id.strip()) in sought for user_id in given if user_id)
    except UnreadableFileError:
        return False


FILES = FilesHolder()
