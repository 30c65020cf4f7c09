"""A large shop learns in parts what it learns as a whole, however often its loop is killed; no work of them stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.conf import LazySettings, settings
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from recommendations.loop import collect, part_trainer, preprocess, train
from recommendations.loop.context import RunContext
from recommendations.loop.run import run_loop
from recommendations.models import Run
from recommendations.services.operations.housekeeping import forget_resting_work
from recommendations.services.operations.jobs import cancel_job
from recommendations.services.operations.runs import start_run
from recommendations.shardwork.local import LocalEngine
from recommendations.shardwork.spark import SparkEngine
from recommendations.shardwork.storage import Storage
from recommendations.store import jobs
from recommendations.store.models import runs
from recommendations.store.models.artefacts import load_arrays
from recommendations.store.models.runs import StageReport, version_of
from recommendations.store.models.work_folders import work_folder
from recommendations.terms import Cut, RunStatus, Stage
from tests.grocery import open_shop
from tests.loop import run_in_parts
from tests.recsite.processes import wait_for
from tests.shardwork.engines import workers
from tests.trained import artefact_folder

NOW = timezone.now()
PROGRAM = Path(run_in_parts.__file__)
IN_FLIGHT = part_trainer.LANES + 2  # parts at most: of records, or of two fits
NEAR = 1e-6
LEARNED = ("candidates/", "recommenders/")


@pytest.fixture(autouse=True)
def shop(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path / "artefacts"):
        open_shop(now=NOW)
        yield


def begun() -> RunContext:
    """A run whose training sets are made, before it learns for those who are served."""
    run = start_run(by=None, now=NOW, in_worker=False)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    reporter = jobs.Reporter(run, between=timedelta(0))
    row = run.stages.get(stage=Stage.TRAIN, cut=Cut.LIVE)
    report = StageReport(run=run, row=row, n_stages=8, report=reporter)
    context = RunContext.of(run, cut=Cut.LIVE, report=report)
    collect.close_window(context)
    preprocess.make_snapshots(context)
    return context


def arrays(context: RunContext) -> dict[str, NDArray[np.generic]]:
    """What training left, in memory."""
    mapped = load_arrays(context.version.pk, Cut.LIVE, prefix=LEARNED)
    return {name: np.array(array) for name, array in mapped.items()}


def assert_near(one: Mapping[str, NDArray[np.generic]], other: Mapping[str, NDArray[np.generic]]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        if name.endswith("/own"):
            continue  # the order of scores, which tie in so small a shop
        if array.dtype.kind == "f":
            near = NEAR if array.itemsize > 2 else float(np.finfo(np.float16).eps)
            np.testing.assert_allclose(other[name], array, rtol=near, atol=near, err_msg=name)
        else:
            np.testing.assert_array_equal(other[name], array, err_msg=name)


def test_parts_learn_what_the_whole_learns_and_nothing_of_their_work_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    context = begun()
    run_in_parts.make_small(partial(monkeypatch.setattr, raising=True))
    monkeypatch.setattr(part_trainer, "PART_ACTS", 10**9)
    assert "parts" not in train.fit_recommenders(context)
    whole = arrays(context)
    assert len(whole) > 10
    run_in_parts.make_small(partial(monkeypatch.setattr, raising=True))
    counts = train.fit_recommenders(context)
    assert_near(whole, arrays(context))
    assert counts["parts"] > 12
    assert counts["parts_again"] == 0
    assert {*counts["score_seconds"]} == {*run_in_parts.NAMES}
    assert not work_folder(context.version, Cut.LIVE).parent.exists()


def test_a_run_that_is_cancelled_stops_amid_its_records_and_goes_on_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = begun()
    run_in_parts.make_small(partial(monkeypatch.setattr, raising=True))
    paces, cancelled = list[Mapping[str, float]](), list[object]()

    class Cancelling(part_trainer.Pace):
        def __call__(self, parts: int) -> Mapping[str, float]:
            paces.append(super().__call__(parts))
            if parts >= 2 and not cancelled:
                cancelled.append(cancel_job(context.run, by=None, now=timezone.now()))
            return paces[-1]

    monkeypatch.setattr(part_trainer, "Pace", Cancelling)
    with pytest.raises(jobs.JobCancelledError):
        train.fit_recommenders(context)
    folder = work_folder(context.version, Cut.LIVE)
    assert workers(folder) == []
    stage = context.run.stages.get(pk=context.report.row.pk)
    assert stage.counts["now"] == paces[-1]
    assert 2 <= paces[-1]["parts"] < paces[-1]["of"]
    assert paces[-1]["left"] > 0
    Run.objects.update(cancel_requested_at=None)
    before = len(paces)
    counts = train.fit_recommenders(context)
    assert paces[before]["parts"] >= paces[before - 1]["parts"]
    assert counts["parts_again"] <= part_trainer.LANES
    assert not folder.exists()


def test_work_that_nobody_resumes_goes_the_next_day() -> None:
    run = start_run(by=None, now=NOW, in_worker=False)
    folder = work_folder(version_of(run), Cut.TEST)
    folder.mkdir(parents=True)
    Run.objects.update(status=RunStatus.RUNNING, heartbeat_at=NOW - timedelta(days=3))
    forget_resting_work(now=NOW)
    assert folder.exists()  # a worker is at it
    Run.objects.update(status=RunStatus.INTERRUPTED, heartbeat_at=NOW - timedelta(hours=23))
    forget_resting_work(now=NOW)
    assert folder.exists()
    Run.objects.update(heartbeat_at=NOW - timedelta(hours=25))
    forget_resting_work(now=NOW)
    assert not folder.exists()


def go_round(run: Run, *kill: str) -> tuple[int, str]:
    """How a process ended that went round the loop, and the last line of what it said of errors."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "recsite.settings",
        "ARTEFACTS": str(settings.STORAGES["artefacts"]["OPTIONS"]["location"]),
        "PYTHONPATH": str(PROGRAM.parents[2]),
    }
    program = [sys.executable, str(PROGRAM), str(run.pk), *kill]
    ended = subprocess.run(program, env=os.environ | own, check=False, timeout=300, capture_output=True, text=True)
    assert wait_for(lambda: not workers(Path(own["ARTEFACTS"])), seconds=30)
    return ended.returncode, ended.stderr.strip().rpartition("\n")[2]


def test_a_loop_that_is_killed_amid_fits_and_amid_records_learns_the_same_to_the_last_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_in_parts.make_small(partial(monkeypatch.setattr, raising=True))
    quiet = start_run(by=None, now=NOW, in_worker=False)
    assert run_loop(quiet.pk, clock=timezone.now) is RunStatus.SUCCEEDED
    killed = start_run(by=None, now=NOW, in_worker=False)
    for where in ("fits", "records"):
        assert go_round(killed, where) == (-signal.SIGKILL, "")
        assert wait_for(lambda: runs.interrupted_runs(now=NOW) == [killed], seconds=60)
        assert work_folder(version_of(killed), Cut.TUNING).exists()
    assert go_round(killed) == (0, "")
    killed.refresh_from_db()
    assert (killed.status, killed.tries) == (RunStatus.SUCCEEDED, 3)
    trained = [row.counts for row in killed.stages.filter(stage=Stage.TRAIN)]
    assert 0 < sum(counts["parts_again"] for counts in trained) <= 2 * IN_FLIGHT
    for cut in Cut:
        one, other = (
            load_arrays(version_of(run).pk, cut, prefix=("candidates/", "recommenders/")) for run in (quiet, killed)
        )
        assert one.keys() == other.keys()
        assert [name for name, array in one.items() if array.tobytes() != other[name].tobytes()] == []


def test_the_engine_is_the_one_of_the_settings(settings: LazySettings, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    assert isinstance(part_trainer.engine_of(storage), LocalEngine)
    settings.ENGINE = "sc://spark:15002"
    assert isinstance(part_trainer.engine_of(storage), SparkEngine)
