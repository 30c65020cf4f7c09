"""A run that reads its events in many parts makes the arrays of one that reads them at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from recommendations.loop import collect, event_parts, preprocess
from recommendations.loop.context import RunContext
from recommendations.models import Artefact, Run
from recommendations.services.operations.runs import start_run
from recommendations.store import jobs
from recommendations.store.models.runs import StageReport
from recommendations.store.snapshots import files
from recommendations.terms import RunStatus, Stage
from tests.grocery import open_shop
from tests.trained import artefact_folder

NOW = timezone.now()


@pytest.fixture(autouse=True)
def shop(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path / "artefacts"):
        open_shop(now=NOW)
        yield


def made() -> tuple[dict[tuple[str, str], str], dict[str, Any]]:
    """Checksums of the arrays that a run's first stages make, and what these count."""
    run = start_run(by=None, now=NOW, in_worker=False)
    row = run.stages.get(stage=Stage.PREPROCESS)
    report = StageReport(run=run, row=row, n_stages=8, report=jobs.Reporter(run))
    collect.close_window(RunContext.of(run, cut=None, report=report))
    counts = preprocess.make_snapshots(RunContext.of(run, cut=None, report=report))
    Run.objects.update(status=RunStatus.CANCELLED)
    arrays = Artefact.objects.filter(version__run=run).exclude(name="directory/read_at")  # a moment
    return {(one.cut, one.name): one.sha256 for one in arrays}, dict(counts)


def test_many_parts_make_what_one_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FEWEST", 50)
    (arrays, counts), seen = made(), []
    monkeypatch.setattr(event_parts, "PART_ROWS", 100)
    beat = StageReport.beat
    monkeypatch.setattr(StageReport, "beat", lambda report: (seen.append(report.share), beat(report))[1])
    arrays_too, counts_too = made()
    assert counts_too == counts
    assert [name for name, checksum in arrays_too.items() if checksum != arrays[name]] == []
    assert arrays_too.keys() == arrays.keys()
    assert len(seen) > 50  # of ten times that the parts are gone through
    assert len(arrays) > 60
    assert counts["kept"] > 300
