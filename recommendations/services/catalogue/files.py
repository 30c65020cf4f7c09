"""Files that staff hand in: those of items are previewed before the import, imported with a way back, and exported.

Those of contacts are put aside here, too.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recommendations.ingest.import_files import FileLimits, FileTooLargeError, import_items
from recommendations.models import Import, Item, RejectedRow, Staff
from recommendations.services.access import audit
from recommendations.services.catalogue.refused_rows import refused_file
from recommendations.services.catalogue.spreadsheets import harmless
from recommendations.store.imports import item_diff
from recommendations.store.imports.item_diff import ItemState
from recommendations.store.imports.item_rows import FORM
from recommendations.store.temp_tables import Report, silent

FOLDER = "catalogue-files"
LARGEST = 20 * 1024 * 1024  # bytes
MOST_ROWS = 20_000  # that can be undone; larger files are for manage.py import_items
UNPACKED = 64 * 1024 * 1024  # bytes of all values as text: a packed file may say the same long text in every row
SHOWN = 50
KEPT = timedelta(hours=24)
MOST_KEPT = 20  # files that wait for a yes; the oldest gives way
MOST_BYTES = 5 * LARGEST  # of all that wait
EXPORTED = [name for name in FORM.known if name not in {"currency", "rating_average", "rating_count", "item_group_id"}]
"""Columns as an import reads them, so that a file can be changed in a spreadsheet and imported again."""


class FileGoneError(Exception):
    """The file was imported already, or uploaded more than a day ago."""


@dataclass(frozen=True, kw_only=True)
class ItemChange:
    shop_id: str
    title: str
    before: ItemState  # of the fields that differ
    after: ItemState


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an import would do; ``changes`` and ``refused``, which are flaws of rows, hold the first fifty."""

    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    message: str
    made: Sequence[tuple[str, str]]  # shop id and title of the first fifty new items
    changes: Sequence[ItemChange]
    refused: Sequence[RejectedRow]

    @property
    def taken(self) -> int:
        return self.new + self.changed


def keep(file: IO[bytes], *, name: str, size: int) -> str:
    """Put an uploaded file aside until somebody says yes to it; returns its key. Raises FileTooLargeError."""
    if size > LARGEST:
        raise FileTooLargeError(LARGEST // 1024 // 1024, unit="MB")
    _make_room(size)
    key = f"{uuid4().hex}{Path(name).suffix.lower()[:10]}"
    default_storage.save(f"{FOLDER}/{key}", file)
    return key


def look(*, key: str, now: datetime, report: Report = silent) -> Preview:
    """Run the import itself and roll it back. Raises UnreadableFileError, FileGoneError and FileTooLargeError."""
    seen = _Seen()
    with transaction.atomic():
        imported = import_items(stored_path(key), now=now, report=report, watch=seen, limits=limits())
        refused = list(imported.rejected_rows.all())
        transaction.set_rollback(True)
    keep_refused(key, refused, kind=Import.Kind.ITEMS)
    return Preview(
        rows=imported.rows,
        new=len(seen.new),
        changed=len(seen.changed),
        unchanged=imported.duplicates,
        rejected=imported.rejected,
        message=imported.message,
        made=[(image["shop_id"], image["title"]) for image in list(seen.new.values())[:SHOWN]],
        changes=[
            ItemChange(shop_id=seen.after[key]["shop_id"], title=seen.after[key]["title"], before=before, after=after)
            for key, (before, after) in list(seen.changed.items())[:SHOWN]
        ],
        refused=refused[:SHOWN],
    )


def keep_refused(key: str, refused: Sequence[RejectedRow], *, kind: Import.Kind) -> None:
    """Put the rows that a look at a file refused aside, to be fetched as a file."""
    if refused:
        filled = {name for flaw in refused for name in flaw.given}
        text = "".join(refused_file(refused, kind=kind, filled=filled))
        default_storage.save(_refused_path(key), ContentFile(text.encode("utf-8-sig")))


@transaction.atomic
def import_kept(*, key: str, name: str, by: Staff | None, now: datetime, report: Report = silent) -> Import:
    """Import the file that was previewed; all that it changes can be undone. Raises FileGoneError."""
    path, batch = stored_path(key), uuid4()

    def note(imported: Import, before: Mapping[int, ItemState], after: Mapping[int, ItemState]) -> None:
        seen = _Seen()
        seen(imported, before, after)
        _note(imported, seen, batch=batch, by=by)

    imported = import_items(path, now=now, report=report, watch=note, limits=limits())
    imported.file = name[:300]
    imported.save(update_fields=["file"])
    transaction.on_commit(lambda: forget(key))
    return imported


def export(items: QuerySet[Item]) -> Iterator[str]:
    """Lines of a CSV file that an import reads, and in which no spreadsheet sees a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(EXPORTED)
    for item in items.select_related("parent").prefetch_related("categories").iterator(chunk_size=1_000):
        yield writer.writerow([harmless(value) for value in _line(item)])


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


class _Seen:
    """Items that an import added and changed, from the catalogue before and after."""

    new: Mapping[int, ItemState]
    changed: Mapping[int, tuple[ItemState, ItemState]]
    after: Mapping[int, ItemState]

    def __call__(self, _imported: Import, before: Mapping[int, ItemState], after: Mapping[int, ItemState]) -> None:
        self.after = after
        self.new = {key: image for key, image in after.items() if key not in before}
        pairs = {key: item_diff.changed(before[key], image) for key, image in after.items() if key in before}
        self.changed = {key: pair for key, pair in pairs.items() if pair[1]}


def _note(imported: Import, seen: _Seen, *, batch: UUID, by: Staff | None) -> None:
    items = {key: Item(pk=key, title=seen.after[key]["title"]) for key in (*seen.new, *seen.changed)}
    additions = [(items[key], None, image) for key, image in seen.new.items()]
    audit.record_all(by=by, verb="create", changes=additions, batch=batch)
    changes = [(items[key], before, after) for key, (before, after) in seen.changed.items()]
    audit.record_all(by=by, verb="import", changes=changes, batch=batch)
    after = {"new": len(seen.new), "changed": len(seen.changed), "refused": imported.rejected}
    audit.record(by=by, verb="import", subject=imported, after=after, batch=batch if items else None)


def limits() -> FileLimits:
    """The most that a file may hold which staff hand in."""
    return FileLimits(rows=MOST_ROWS, unpacked=UNPACKED)


def is_kept(key: str) -> bool:
    return default_storage.exists(f"{FOLDER}/{key}")


def _refused_path(key: str) -> str:
    return f"{FOLDER}-refused/{key}.csv"


def path_of(key: str) -> Path:
    return Path(default_storage.path(f"{FOLDER}/{key}"))


def open_refused(key: str) -> IO[bytes] | None:
    """The file of the rows that a preview refused; None where there is none."""
    path = _refused_path(key)
    return default_storage.open(path) if default_storage.exists(path) else None


def forget(key: str) -> None:
    """Remove a file that was refused or taken."""
    default_storage.delete(f"{FOLDER}/{key}")
    default_storage.delete(_refused_path(key))


def forget_old(*, now: datetime) -> int:
    """Forget files that have waited for a day, and what was refused of them; how many."""
    count = 0
    for folder in (FOLDER, f"{FOLDER}-refused"):
        names = default_storage.listdir(folder)[1] if default_storage.exists(folder) else []
        old = [name for name in names if _age_and_size(f"{folder}/{name}")[0] < now - KEPT]
        for name in old:
            default_storage.delete(f"{folder}/{name}")
        count += len(old)
    return count


def stored_path(key: str) -> Path:
    """Path of a stored file. Raises FileGoneError."""
    if not is_kept(key):
        raise FileGoneError
    return path_of(key)


def _make_room(size: int) -> None:
    """Forget files that waited for a day, and the oldest of the others until one of ``size`` bytes has room."""
    if not default_storage.exists(FOLDER):
        return
    paths = [f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]]
    waiting = sorted((*_age_and_size(path), path) for path in paths)
    number, taken = len(waiting), sum(held for _at, held, _path in waiting)
    for at, held, path in waiting:
        if at < timezone.now() - KEPT or number >= MOST_KEPT or taken + size > MOST_BYTES:
            forget(Path(path).name)
            number, taken = number - 1, taken - held


def _age_and_size(path: str) -> tuple[datetime, int]:
    """When a file was put aside, and its size; long ago and nothing where somebody has just removed it."""
    try:
        return default_storage.get_modified_time(path), default_storage.size(path)
    except FileNotFoundError:
        return datetime.min.replace(tzinfo=UTC), 0


def _line(item: Item) -> Iterable[Any]:
    return (
        item.shop_id, item.title, item.description, item.brand,
        "|".join(sorted(category.path for category in item.categories.all())),
        item.price, item.original_price, item.cost, item.availability, item.available_quantity,
        _moment(item.available_at), _moment(item.expires_at), item.image_url, item.url, "|".join(item.tags),
        json.dumps(item.attributes, ensure_ascii=False) if item.attributes else "",
        item.creator, item.collection, item.number, item.duration, _moment(item.published_at), item.language, item.kind,
        item.parent.shop_id if item.parent else "",
    )  # fmt: skip


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""
