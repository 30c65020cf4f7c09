"""Named arrays of a model version: one ``.npy`` each in the storage ``artefacts``, never a pickle.

A file is whole before its row exists, and its checksum is compared before it is used: once a week on each
machine but the one that wrote it, as a million customers are 20 GB, and again where the file is not what it was.
Files that do not lie on this machine's disk are copied to ``ARTEFACT_CACHE`` first. Every name is described in
``artefact_axes``. Whoever is erased goes from all arrays at once, which is a new edition of the version.
"""

import fcntl
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.storage import storages
from django.db.models import Q, Sum
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Sparse
from recommendations.models import Artefact, ModelVersion
from recommendations.store.bucket import BucketAwayError
from recommendations.store.models.array_files import ArrayFile, blocks_of, folder_of, is_marked, mark_of, mark_right
from recommendations.store.models.artefact_axes import layout_of
from recommendations.store.models.work_folders import WORK
from recommendations.terms import Cut

KEPT_VERSIONS = 3
CHUNK = 1 << 20
COPYING = "copying.lock"


class ArtefactDamagedError(Exception):
    """The file is missing, is not what was written, or lies in a bucket that does not answer."""

    def __init__(self, path: str, why: str = "is missing or damaged; run the loop to make a new version") -> None:
        super().__init__(f"artefact {path} {why}")
        self.path = path


def save_arrays(version: ModelVersion, cut: Cut, arrays: Mapping[str, NDArray[Any]]) -> int:
    """Write the arrays, replacing those of the same name from an interrupted try; bytes written.

    Raises UndescribedArrayError.
    """
    forget_arrays_called(version, cut, arrays)
    rows = [write_array(version, cut, name, array) for name, array in arrays.items()]
    Artefact.objects.bulk_create(rows)
    return sum(row.size for row in rows)


def forget_arrays_called(version: ModelVersion, cut: Cut, names: Collection[str]) -> None:
    """Delete the arrays of these names, before others take their place. Raises UndescribedArrayError."""
    for name in names:
        layout_of(name)
    before = Artefact.objects.filter(version=version, cut=cut, name__in=list(names))
    for path in before.values_list("path", flat=True):
        storages["artefacts"].delete(path)
    before.delete()


def load_arrays(version_id: int, cut: Cut, *, prefix: str | tuple[str, ...] = "") -> dict[str, NDArray[Any]]:
    """The arrays whose name starts with ``prefix``, or one of several, memory-mapped and read-only.

    They are all of one edition. Raises ArtefactDamagedError.
    """
    prefixes = (prefix,) if isinstance(prefix, str) else prefix
    begins_so = reduce(or_, (Q(name__startswith=each) for each in prefixes))
    rows = Artefact.objects.filter(begins_so, version=version_id, cut=cut)
    try:
        return {row.name: np.asarray(_mapped(row)) for row in rows}  # plain views are quicker
    except ArtefactDamagedError as error:
        if Artefact.objects.filter(path=error.path).exists():
            raise
    return load_arrays(version_id, cut, prefix=prefix)  # files of the next edition took their place meanwhile


def of_one_edition[T](version_id: int, load: Callable[[int], T]) -> T:
    """What ``load``, which is given the edition, makes of several calls of ``load_arrays``.

    It is asked again where the next edition came between them.
    """
    while True:
        edition = _edition(version_id)
        try:
            loaded = load(edition)
        except (ArtefactDamagedError, LookupError, ValueError):  # arrays of two editions do not fit each other
            if _edition(version_id) == edition:
                raise
        else:
            if _edition(version_id) == edition:
                return loaded


def _edition(version_id: int) -> int:
    """The edition of a version's files; 0 where there is no such version."""
    return ModelVersion.objects.values_list("edition", flat=True).filter(pk=version_id).first() or 0


def matrix_parts(name: str, matrix: Sparse) -> dict[str, NDArray[Any]]:
    """A matrix as arrays to save."""
    rows = matrix.tocsr()
    parts = {f"{name}/{part}": getattr(rows, part) for part in ("data", "indices", "indptr")}
    return parts | {f"{name}/shape": np.asarray(rows.shape, np.int64)}


def matrix_of(arrays: Mapping[str, NDArray[Any]], name: str) -> Sparse:
    """The matrix that ``matrix_parts`` made the arrays of."""
    data, indices, indptr = (arrays[f"{name}/{part}"] for part in ("data", "indices", "indptr"))
    n_rows, n_columns = (int(side) for side in arrays[f"{name}/shape"])
    return sparse.csr_matrix((data, indices, indptr), shape=(n_rows, n_columns), copy=False)


def forget_old_versions(*, answered: Collection[int] = (), most: int = 0) -> int:
    """Delete the files of all but the newest versions that were ever ready; the live one is always kept.

    Of versions that have ``answered``, what they served from is kept too, the newest first, up to ``most`` bytes.
    Returns how many files.
    """
    newest = list(ModelVersion.objects.ready().order_by("-is_live", "-id").values_list("pk", flat=True)[:KEPT_VERSIONS])
    finished = Artefact.objects.filter(version__run__finished_at__isnull=False).exclude(version__in=newest)
    served = finished.filter(version__in=answered, cut=Cut.LIVE)
    kept, left = set[int](), most
    for version, size in served.values_list("version").annotate(size=Sum("size")).order_by("-version"):
        left -= size
        if left < 0:
            break
        kept.add(version)
    return forget_files(finished.exclude(version__in=kept, cut=Cut.LIVE))


def forget_files(rows: Iterable[Artefact]) -> int:
    """Delete the files of arrays, copies of them, and their rows; how many they were."""
    old = list(rows)
    for row in old:
        storages["artefacts"].delete(row.path)
        forget_copy(row.path)
        mark_of(row.path).unlink(missing_ok=True)
    Artefact.objects.filter(pk__in=[row.pk for row in old]).delete()
    return len(old)


def write_array(version: ModelVersion, cut: Cut, name: str, array: NDArray[Any], *, edition: int = 0) -> Artefact:
    """Write the file of an array; the row that it needs is not stored yet."""
    rows = np.atleast_1d(array)
    with ArrayFile(version, cut, name, n_rows=len(rows), edition=edition) as file:
        for block in blocks_of(rows):
            file.append(block)
        return file.finish()


def forget_files_without_row(version_id: int) -> int:
    """Delete the files of a version that are none of its arrays any more, and copies of them; how many there were.

    Nothing may be writing the version's arrays meanwhile.
    """
    folder = folder_of(version_id)
    known = set(Artefact.objects.filter(version=version_id).values_list("path", flat=True))
    lost = [path for path in _paths_below(folder) if path not in known]
    for path in lost:
        storages["artefacts"].delete(path)
    forget_copies()
    return len(lost)


def forget_copies() -> None:
    """Delete this machine's copies of files that are none of any version's arrays any more."""
    cache = Path(settings.ARTEFACT_CACHE)
    copies = {str(copy.relative_to(cache)): copy for copy in cache.glob(f"{folder_of('*')}/**/*.npy")}
    known = set(Artefact.objects.filter(path__in=copies).values_list("path", flat=True))
    for path, copy in copies.items():
        if path not in known and WORK not in copy.parts:
            copy.unlink(missing_ok=True)


def _paths_below(folder: str) -> Iterator[str]:
    try:
        folders, files = storages["artefacts"].listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _paths_below(f"{folder}/{name}")


_known_good: set[str] = set()


def _mapped(row: Artefact) -> NDArray[Any]:
    try:
        mapped: NDArray[Any] = np.load(_checked(row), mmap_mode="r")
        return mapped
    except FileNotFoundError as error:
        raise ArtefactDamagedError(row.path) from error
    except BucketAwayError as error:
        raise ArtefactDamagedError(row.path, f"cannot be read now: {error}") from error


def _checked(row: Artefact) -> Path:
    """Where an array lies whose checksum is right, as this process or another of this machine has seen."""
    if row.sha256 in _known_good:
        return on_disk(row.path)
    place = right_on_disk(row.path, lambda at: is_marked(row.path, at, row.sha256) or _is_right(row, at))
    if place is None:
        raise ArtefactDamagedError(row.path)
    _known_good.add(row.sha256)
    return place


def _is_right(row: Artefact, place: Path) -> bool:
    if not place.exists() or _digest(place) != row.sha256:
        return False
    mark_right(row.path, place, row.sha256)
    return True


def right_on_disk(path: str, is_right: Callable[[Path], bool]) -> Path | None:
    """Where a file that is right lies on this disk; None where it is not. A copy that is not is made once more.

    Raises FileNotFoundError as ``on_disk`` does.
    """
    for _copy in range(2):
        if is_right(place := on_disk(path)):
            return place
        if not forget_copy(path):
            break
    return None


def forget_copy(path: str) -> bool:
    """Delete this machine's copy of a file; whether there was one."""
    copy = Path(settings.ARTEFACT_CACHE) / path
    had = copy.exists()
    copy.unlink(missing_ok=True)
    return had


def on_disk(path: str) -> Path:
    """Where a file of the storage lies on this disk: itself, or a copy of it. Raises FileNotFoundError of a bucket's
    file that is not there.
    """
    storage = storages["artefacts"]
    try:
        return Path(storage.path(path))
    except NotImplementedError:  # a bucket: the storage has no paths
        copy = Path(settings.ARTEFACT_CACHE) / path
        if not copy.exists():
            _copy(path, copy)
        return copy


def _copy(path: str, copy: Path) -> None:
    """Copy a file of a bucket to this disk; processes that copy at once do it one after the other, each file once."""
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = copy.with_name(f"{copy.name}.part")
    with (Path(settings.ARTEFACT_CACHE) / COPYING).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if copy.exists():
            return
        with storages["artefacts"].open(path) as source, part.open("wb") as target:
            for chunk in source.chunks(CHUNK):
                target.write(chunk)
        part.rename(copy)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
