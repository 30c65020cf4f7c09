"""Folders in which a run works at a stage, beside its version's arrays on this machine's disk: they go as it ends.

What lies there is of the people of a version that is being made. A run that rests keeps it, to go on with, until
anybody is erased.
"""

import shutil
from datetime import datetime
from pathlib import Path

from recommendations.models import ModelVersion
from recommendations.store.models.array_files import folder_of, part_of
from recommendations.terms import Cut, RunStatus

WORK, PROBES = "work", "probes"


def work_folder(version: ModelVersion, cut: Cut) -> Path:
    """The folder of a stage on one cut; it may not be there yet."""
    return part_of(f"{folder_of(version.pk)}/{WORK}/{cut}").with_suffix("")


def probe_folder() -> Path:
    """The folder beside all versions in which a check of the engine shows whether machines share it."""
    return part_of(PROBES).with_suffix("")


def forget_work(version: ModelVersion) -> None:
    """Delete what a run left of its work, where it left any."""
    shutil.rmtree(work_folder(version, Cut.LIVE).parent, ignore_errors=True)


def forget_resting_work(*, before: datetime | None = None) -> None:
    """Delete the work of all runs that no worker is at, or that none was at since ``before``."""
    resting = ModelVersion.objects.exclude(run__status=RunStatus.RUNNING)
    for version in resting.exclude(run__heartbeat_at__gte=before) if before else resting:
        forget_work(version)
