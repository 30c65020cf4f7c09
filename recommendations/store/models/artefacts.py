"""Named arrays of a model version: one ``.npy`` each in the storage ``artefacts``, never a pickle.

A file is written whole before its row exists, and its checksum is compared once per process before it is used.
Files that do not lie on this machine's disk are copied to ``ARTEFACT_CACHE`` first.
"""

import hashlib
import io
from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db.models import Q, Sum
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Sparse
from recommendations.models import Artefact, ModelVersion
from recommendations.terms import Cut

KEPT_VERSIONS = 3
CHUNK = 1 << 20


class ArtefactDamagedError(Exception):
    """The file is missing, or is not what was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"artefact {path} is missing or damaged; run the loop to make a new version")
        self.path = path


def save_arrays(version: ModelVersion, cut: Cut, arrays: Mapping[str, NDArray[Any]]) -> int:
    """Write the arrays, replacing those of the same name from an interrupted try; bytes written."""
    storage = storages["artefacts"]
    Artefact.objects.filter(version=version, cut=cut, name__in=list(arrays)).delete()
    rows = [_save(storage, version, cut, name=name, array=array) for name, array in arrays.items()]
    Artefact.objects.bulk_create(rows)
    return sum(row.size for row in rows)


def load_arrays(version_id: int, cut: Cut, *, prefix: str | tuple[str, ...] = "") -> dict[str, NDArray[Any]]:
    """The arrays whose name starts with ``prefix``, or one of several, memory-mapped and read-only."""
    prefixes = (prefix,) if isinstance(prefix, str) else prefix
    begins_so = reduce(or_, (Q(name__startswith=each) for each in prefixes))
    rows = Artefact.objects.filter(begins_so, version=version_id, cut=cut)
    return {row.name: np.asarray(np.load(_checked(row), mmap_mode="r")) for row in rows}  # plain views are quicker


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
    old = list(finished.exclude(version__in=kept, cut=Cut.LIVE))
    for row in old:
        storages["artefacts"].delete(row.path)
    Artefact.objects.filter(pk__in=[row.pk for row in old]).delete()
    return len(old)


def _save(storage: Storage, version: ModelVersion, cut: Cut, *, name: str, array: NDArray[Any]) -> Artefact:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    content = buffer.getbuffer()
    path = f"m{version.pk}/{cut}/{name}.npy"
    storage.delete(path)
    stored = storage.save(path, ContentFile(content))
    return Artefact(
        version=version,
        cut=cut,
        name=name,
        path=stored,
        dtype=str(array.dtype),
        shape=list(array.shape),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


_known_good: set[str] = set()


def _checked(row: Artefact) -> Path:
    path = _on_disk(row)
    if row.sha256 not in _known_good:
        if not path.exists() or _digest(path) != row.sha256:
            raise ArtefactDamagedError(row.path)
        _known_good.add(row.sha256)
    return path


def _on_disk(row: Artefact) -> Path:
    storage = storages["artefacts"]
    try:
        return Path(storage.path(row.path))
    except NotImplementedError:  # a bucket: the storage has no paths
        copy = Path(settings.ARTEFACT_CACHE) / row.path
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            part = copy.with_suffix(".part")
            with storage.open(row.path) as source, part.open("wb") as target:
                for chunk in source.chunks(CHUNK):
                    target.write(chunk)
            part.rename(copy)
        return copy


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
