"""The directory of customers beside the arrays of a version: written as its data are read, mapped by who serves it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import numpy as np
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from numpy.typing import NDArray

from recommendations.models import Artefact, ModelVersion
from recommendations.store.events.directory import NOBODY_ELSE, Directory
from recommendations.store.events.generations import settled
from recommendations.store.live.fetch import Changed, announce
from recommendations.store.models.artefacts import forget_files, load_arrays, save_arrays
from recommendations.terms import Cut

FOLDER = "directory/"
AT_ONCE = 50_000
WORDS = 4  # of 8 bytes in a pseudonym

_EVERYBODY = """
SELECT customer.pseudonym, customer.id, coalesce(alias.customer_id, %s) FROM recommendations_customer customer
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = customer.id AND alias.undone_at IS NULL
WHERE customer.erased_at IS NULL ORDER BY customer.pseudonym
"""


def save_directory(version: ModelVersion) -> int:
    """Write the directory of everybody as they are now; how many they are. Nobody lays a layer meanwhile."""
    with settled(patient=True) as layers:
        read_at = timezone.now()
        parts = [*_everybody()]
        words, keys = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
        arrays = {
            "prefix": words[:, 0].copy(), "rest": words[:, 1].copy(), "key": keys[:, 0].copy(),
            "owner": keys[:, 1].copy(), "layers": np.array([layers]), "read_at": np.array([read_at.timestamp()]),
        }  # fmt: skip
        save_arrays(version, Cut.LIVE, {FOLDER + name: array for name, array in arrays.items()})
    return len(words)


def load_directory(version_id: int) -> Directory | None:
    """The directory of a version, mapped; None of a version that is older than there are any.

    Raises ArtefactDamagedError.
    """
    stored = load_arrays(version_id, Cut.LIVE, prefix=FOLDER)
    arrays = {name.removeprefix(FOLDER): array for name, array in stored.items()}
    if not arrays:
        return None
    return Directory(
        layers=int(arrays.pop("layers")[0]),
        read_at=datetime.fromtimestamp(float(arrays.pop("read_at")[0]), UTC),
        **arrays,
    )


def lay_directories_anew() -> None:
    """Within a transaction that lays a layer: have the directories of the generation before go, and others made."""
    old = Artefact.objects.filter(name__startswith=FOLDER)
    rows = list(old)
    versions = list(ModelVersion.objects.filter(pk__in={row.version_id for row in rows}))
    old.delete()
    transaction.on_commit(partial(_lay_anew, versions, rows))


def _lay_anew(versions: list[ModelVersion], rows: list[Artefact]) -> None:
    forget_files(rows)
    for version in versions:
        save_directory(version)
        ModelVersion.objects.filter(pk=version.pk).update(edition=F("edition") + 1)  # so that processes load it again
    announce(Changed.MODEL, Changed.PEOPLE)


def _everybody() -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Everybody in order of pseudonym, many at once: pseudonyms in four words each, and own key and owner."""
    yield np.empty((0, WORDS), np.uint64), np.empty((0, 2), np.int64)
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVERYBODY, [NOBODY_ELSE])
        while rows := cursor.fetchmany(AT_ONCE):
            written = np.frombuffer(b"".join(bytes(row[0]) for row in rows), ">u8")
            yield written.astype(np.uint64).reshape(-1, WORDS), np.array([row[1:] for row in rows], np.int64)
