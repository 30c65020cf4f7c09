"""Customers who were erased go from the files of a version: arrays with them are written anew, and switched at once.

New files are written beside the old ones, so that no answer is made of half a version, and a full disk or a kill leaves
the old ones. Sums over many people stay until the next run learns without them.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from django.core.files.storage import storages
from django.db import transaction
from numpy.typing import NDArray

from recommendations.engine.frames import IdArray, IntArray
from recommendations.engine.recommenders.protocol import Recommender, learned
from recommendations.models import Artefact, ModelVersion
from recommendations.store import temp_tables
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.live import fetch
from recommendations.store.live.array_cache import forget_arrays
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.store.models.artefact_axes import RECOMMENDERS
from recommendations.store.models.artefacts import (
    ArtefactDamagedError,
    forget_files_without_row,
    load_arrays,
    write_array,
)
from recommendations.store.models.model import load_recommenders
from recommendations.store.models.remaining_rows import NAMING, USERS, Arrays, described, keys_in, remaining
from recommendations.terms import Cut, VersionStatus

LOCK = 19_000_077
LOOK = 0.1  # seconds between two looks whether another process is done
PATIENCE = 900.0  # seconds of waiting for it

_GONE = """
SELECT key FROM unnest(%(keys)s::bigint[]) AS known (key)
WHERE NOT EXISTS (SELECT FROM recommendations_customer customer WHERE customer.id = key AND customer.erased_at IS NULL)
"""


class ScrubbingError(Exception):
    """People could not be taken out of a version, whose old files stay; the message says why."""


class Scrubbed(NamedTuple):
    """What was done: entries that went of each key, and the recommenders that learned sums with these people."""

    entries: Counter[int]
    sums_of: frozenset[str] = frozenset()


def entries_of(version_id: int) -> IdArray:
    """Keys of customers in the arrays of a version, once for each entry that names them."""
    return np.concatenate([keys_in(load_arrays(version_id, cut, prefix=NAMING)) for cut in Cut])


def gone_from(version_id: int) -> IdArray:
    """Keys in the arrays of a version of customers who are gone, or are being erased."""
    keys = np.unique(entries_of(version_id)).tolist()
    return np.array([key for (key,) in temp_tables.rows(_GONE, keys=keys)], np.int64)


def is_being_made(version: ModelVersion) -> bool:
    """Whether a run works on the version: it scrubs what it makes itself, before it finishes it."""
    return version.status == VersionStatus.BUILDING and version.run.finished_at is None


def scrub(version: ModelVersion, keys: IdArray, *, by_its_run: bool = False) -> Scrubbed:
    """Take customers out of every cut of a version; a version that is being made is left to its own run.

    Raises ScrubbingError.
    """
    with _alone():
        try:
            known = entries_of(version.pk)
            entries = Counter[int](known[np.isin(known, keys)].tolist())
            change = _Change(version, keys, by_its_run=by_its_run)
            is_made = bool(entries) and change.is_made()
        except (ArtefactDamagedError, OSError) as error:
            raise ScrubbingError(f"Model {version} keeps its old files: {error}") from error
        finally:
            transaction.on_commit(partial(_sweep, version.pk, by_its_run=by_its_run))
    return Scrubbed(entries, frozenset(change.sums_of)) if is_made else Scrubbed(Counter())


def finish(version: ModelVersion, end: Callable[[ModelVersion], object]) -> None:
    """End the making of a version, which then knows nobody who was erased meanwhile.

    ``end`` changes the version's row. Whoever is erased before it commits is taken out here; whoever is erased later by
    the erasure, which waits for that row to see whether the version is still being made. Raises ScrubbingError.
    """
    while True:
        gone = gone_from(version.pk)
        if len(gone):
            scrub(version, gone, by_its_run=True)
        with transaction.atomic():
            end(version)
            if not len(gone_from(version.pk)):
                return
            transaction.set_rollback(True)


class _Change:
    """The next edition of a version, without some customers."""

    def __init__(self, version: ModelVersion, keys: IdArray, *, by_its_run: bool) -> None:
        self._version, self._keys, self._by_its_run = version, keys, by_its_run
        self._edition = 0
        self.fresh: list[Artefact] = []
        self.unread: list[int] = []  # keys of arrays that no part of this release reads
        self.sums_of: set[str] = set()

    def is_made(self) -> bool:
        """Write the new files and switch to them; False where a run is at the version, or its files are gone."""
        with transaction.atomic():
            now = _locked(self._version.pk)
            if is_being_made(now) and not self._by_its_run:
                return False
            self._edition = now.edition
        switched = False
        try:
            for cut in Cut:
                self._write(cut)
            switched = self._switch()
        finally:
            if not switched:
                self._discard()
        return switched

    def _write(self, cut: Cut) -> None:
        arrays = load_arrays(self._version.pk, cut)
        users = np.flatnonzero(np.isin(arrays.get(USERS, self._keys[:0]), self._keys)).astype(np.int32)
        recommenders = load_recommenders(self._version.pk, cut)
        for name, array in remaining(arrays, self._keys):
            self._add(cut, name, array)
        if len(users):
            for name, array in self._of_recommenders(recommenders, users):
                self._add(cut, name, array)
        unread = [name for name in arrays if not _is_read(name, arrays, recommenders)]
        stored = Artefact.objects.filter(version=self._version, cut=cut, name__in=unread)
        self.unread += stored.values_list("pk", flat=True)

    def _add(self, cut: Cut, name: str, array: NDArray[Any]) -> None:
        self.fresh.append(write_array(self._version, cut, name, array, edition=self._edition + 1))

    def _of_recommenders(
        self, recommenders: dict[str, Recommender], users: IntArray
    ) -> Iterator[tuple[str, NDArray[Any]]]:
        """The arrays of recommenders that differ without these rows of the users; of twins the first has them."""
        seen: set[int] = set()
        for instance, recommender in recommenders.items():
            if not recommender.exact_without:
                self.sums_of.add(instance)
            if id(recommender) not in seen:
                seen.add(id(recommender))
                before, after = learned(recommender), learned(recommender.without(users))
                yield from (
                    (f"{RECOMMENDERS}/{instance}/{name}", array)
                    for name, array in after.items()
                    if not _is_same(array, before[name])
                )

    @transaction.atomic
    def _switch(self) -> bool:
        """Put the new files in the place of the old ones."""
        now = _locked(self._version.pk)
        if is_being_made(now) and not self._by_its_run:
            return False
        old: list[int] = []
        for cut in Cut:
            names = [row.name for row in self.fresh if row.cut == cut]
            old += Artefact.objects.filter(version=now, cut=cut, name__in=names).values_list("pk", flat=True)
        if len(old) < len(self.fresh):
            return False  # the version was forgotten meanwhile
        Artefact.objects.filter(pk__in=[*old, *self.unread]).delete()
        Artefact.objects.bulk_create(self.fresh)
        ModelVersion.objects.filter(pk=now.pk).update(edition=self._edition + 1)
        transaction.on_commit(self._forget_arrays)
        transaction.on_commit(lambda: fetch.announce(fetch.Changed.MODEL, fetch.Changed.PEOPLE))
        return True

    def _forget_arrays(self) -> None:
        """What a page counted from the old files meanwhile; with Valkey away the second scan sees to it."""
        with suppress(ValkeyAwayError):
            forget_arrays(self._keys.tolist())

    def _discard(self) -> None:
        for row in self.fresh:
            storages["artefacts"].delete(row.path)


def _is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are one; a number, and the shape of a matrix, are made anew each time."""
    return one is other or (one.size <= 2 and np.array_equal(one, other))


def _is_read(name: str, arrays: Arrays, recommenders: dict[str, Recommender]) -> bool:
    """Whether something of this release reads an array; what it is of is not known otherwise."""
    folder, _, rest = name.partition("/")
    return rest.partition("/")[0] in recommenders if folder == RECOMMENDERS else name in described(arrays)


def _locked(version_id: int) -> ModelVersion:
    """The version, whose run cannot be taken up before the transaction ends."""
    rows = ModelVersion.objects.select_for_update(of=("self", "run")).select_related("run")
    return rows.get(pk=version_id)


@transaction.atomic
def _sweep(version_id: int, *, by_its_run: bool) -> None:
    """Delete the files that no row has: the old ones, and those of a try that was killed."""
    if by_its_run or not is_being_made(_locked(version_id)):
        forget_files_without_row(version_id)


@contextmanager
def _alone() -> Iterator[None]:
    """One process scrubs at a time: the files of a version are written for all who wait."""
    until = time.monotonic() + PATIENCE
    while True:
        with advisory_lock(LOCK) as alone:
            if alone:
                yield
                return
        if time.monotonic() > until:
            raise ScrubbingError("Another process takes people out of models, and does not end: look at the workers.")
        time.sleep(LOOK)
