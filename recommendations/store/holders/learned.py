"""The holder of what models learned of people: the files of all versions that are kept.

A version that a run is making is not looked at: the run itself takes out whoever was erased meanwhile, before its
version is finished (``scrubbing.finish``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recommendations.models import Artefact, ModelVersion, Run, RunStage
from recommendations.privacy_terms import HolderCode, Kept
from recommendations.store.holders.protocol import Erased, Holds, Sheet, Subject
from recommendations.store.models.artefacts import forget_files, of_one_edition
from recommendations.store.models.model import (
    load_levels,
    load_recommenders,
    load_segments,
    load_snapshot,
)
from recommendations.store.models.records import load_candidates
from recommendations.store.models.remaining_rows import NAMING
from recommendations.store.models.scrubbing import entries_of, is_being_made, scrub
from recommendations.store.models.work_folders import forget_resting_work
from recommendations.terms import Cut, Level, Stage, VersionStatus
from recommendations.wording.level_labels import LEVELS


class LearnedHolder:
    """Arrays of versions. An entry is one that names a person by key: as a user, as a follower, in a burst of events;
    with it go all rows that belong to it.
    """

    code = HolderCode.LEARNED
    holds = Holds(models=("Artefact",), arrays=NAMING)

    def export(self, subject: Subject) -> Iterator[Sheet]:
        columns = (
            _("Model"), pgettext("model", "Made"), _("History until"), pgettext("of a history", "Acts"), _("Segment"),
            pgettext("customer", "Level"), _("Candidates"),
        )  # fmt: skip
        yield Sheet(name=_("models that learned"), columns=columns, rows=_lines_of(subject))

    def find(self, subject: Subject) -> int:
        return sum(_entries(version)[key] for version in finished_versions() for key in subject.keys)

    def erase(self, subject: Subject, *, now: datetime) -> Erased:
        return self.erase_all([subject], now=now)[0]

    def erase_all(self, subjects: Sequence[Subject], *, now: datetime) -> list[Erased]:  # noqa: ARG002 - protocol
        """Erase several people, for whom each version is written once; what became of each, in their order.

        Raises ScrubbingError: then a version keeps its old files, and a second try goes on with it.
        """
        keys = np.array(sorted({key for subject in subjects for key in subject.keys}), np.int64)
        forget_resting_work()
        deleted, sums = Counter[int](), defaultdict[int, set[str]](set)
        for version in finished_versions():
            done = scrub(version, keys)
            deleted.update(done.entries)
            for key in done.entries:
                sums[key] |= done.sums_of
        return [_erased(subject, deleted, sums) for subject in subjects]


LEARNED = LearnedHolder()


def learned_without(moment: datetime) -> bool:
    """Whether all that is served, or will be, was learned from events that were read after a moment.

    A run that began before it may have been taken up again, and go live after one that began later.
    """
    live = _read_at(ModelVersion.objects.live())
    made = _read_at(ModelVersion.objects.filter(status=VersionStatus.BUILDING, run__finished_at=None))
    read_at = live | made
    return all(at > moment for at in read_at.values()) if live else not (made or Artefact.objects.exists())


def learns_without(run: Run, moment: datetime) -> bool:
    """Whether a run that is under way learns from events that it reads after a moment: it has yet to begin, or began
    later.
    """
    return not run.stages.filter(stage=Stage.PREPROCESS, started_at__lte=moment).exists()


def summing_recommenders() -> list[str]:
    """Recommenders of the live version that keep sums over many, whoever is taken out of them."""
    return sorted(name for version in ModelVersion.objects.live() for name in _summing(version.pk))


def forget_versions_before(moment: datetime) -> int:
    """Delete the files of versions that read their events before a moment, but of the live one; how many versions.

    One that is being made is left alone.
    """
    read_at = _read_at(_with_files().filter(is_live=False))
    old = [one for one, at in read_at.items() if at <= moment and not is_being_made(one)]
    for version in old:
        forget_files(Artefact.objects.filter(version=version))
    return len(old)


def finished_versions() -> list[ModelVersion]:
    """Versions with files that no run is making. Whoever is finishing one is waited for (``scrubbing.finish``)."""
    with transaction.atomic():
        locked = list(_with_files().select_related("run").select_for_update(of=("self",)).order_by("pk"))
    return [version for version in locked if not is_being_made(version)]


def _with_files() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(Exists(Artefact.objects.filter(version=OuterRef("pk"))))


def _read_at(versions: QuerySet[ModelVersion]) -> dict[ModelVersion, datetime]:
    """When these versions began to read events: what came later is unknown to them."""
    began = RunStage.objects.filter(run__model_version__in=versions, stage=Stage.PREPROCESS, started_at__isnull=False)
    moments = dict(began.values_list("run__model_version", "started_at"))
    return {
        version: moments.get(version.pk) or version.run.started_at or version.created_at
        for version in versions.select_related("run")
    }


def _entries(version: ModelVersion) -> Counter[int]:
    return Counter(entries_of(version.pk).tolist())


def _erased(subject: Subject, deleted: Mapping[int, int], sums: Mapping[int, set[str]]) -> Erased:
    names = {name for key in subject.keys for name in sums.get(key, ())}
    return Erased(
        deleted=sum(deleted.get(key, 0) for key in subject.keys), kept=len(names),
        why=Kept.SUMS_UNTIL_NEXT_RUN if names else None,
    )  # fmt: skip


@lru_cache(8)
def _summing(version: int) -> frozenset[str]:
    """Names of a version's recommenders that keep sums, in whatever edition."""
    recommenders = of_one_edition(version, lambda _edition: load_recommenders(version, Cut.LIVE))
    return frozenset(name for name, each in recommenders.items() if not each.exact_without)


def _lines_of(subject: Subject) -> Iterator[Sequence[Any]]:
    for version in finished_versions():
        yield from of_one_edition(version.pk, partial(_lines, version, subject))


def _lines(version: ModelVersion, subject: Subject, _edition: int) -> list[Sequence[Any]]:
    """A line for each key that the live cut of a version knows."""
    if not any(_entries(version)[key] for key in subject.keys):
        return []
    snapshot, _categories = load_snapshot(version.pk, Cut.LIVE)
    acts, n_users = snapshot.training.interactions, len(snapshot.users)
    segments = load_segments(version.pk, Cut.LIVE, n_users=n_users)
    levels = load_levels(version.pk, Cut.LIVE, n_users=n_users)
    records = load_candidates(version.pk, Cut.LIVE).values()
    rows = snapshot.users.rows(np.array(subject.key_list, np.int64))
    return [
        (
            str(version), version.created_at, version.windows["cuts"][Cut.LIVE],
            int(np.count_nonzero(acts.user == row)), int(segments[row]) if segments[row] >= 0 else "",
            str(LEVELS[Level(levels[row])]),
            sum(int(np.count_nonzero(record.items[row] >= 0)) for record in records),
        )
        for row in rows[rows >= 0].tolist()
    ]  # fmt: skip
