"""A run of the loop on real PostgreSQL, Valkey and artefact files."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.loop.run import plan, run_loop
from recommendations.models import (
    BlendWeights,
    Customer,
    Evaluation,
    Event,
    Item,
    LiveProfile,
    ModelVersion,
    Run,
    Segment,
)
from recommendations.services.operations.jobs import JobIsOverError, cancel_job
from recommendations.services.operations.runs import RunInProgressError, resume_run, start_run
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.fetch import Changed
from recommendations.store.models import runs
from recommendations.store.models.interests import LEARNED
from recommendations.store.models.model import load_model
from recommendations.terms import BlendName, Cut, RunStatus, Stage, VersionStatus, WeightsStatus
from tests.grocery import open_shop
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
ONE_RUN = """
import sys, uuid, django
django.setup()
from django.utils import timezone
from recommendations.loop.run import run_loop
run_loop(uuid.UUID(sys.argv[1]), clock=timezone.now)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path / "artefacts"):
        yield


@pytest.fixture
def grocery(transactional_db: None) -> None:
    open_shop(now=NOW)


def go_round() -> Run:
    run = start_run(by=None, now=NOW, in_worker=False)
    run_loop(run.pk, clock=timezone.now)
    run.refresh_from_db()
    return run


def test_one_run_leaves_a_live_version_with_figures_and_weights(grocery: None) -> None:
    run = go_round()
    assert (run.status, run.message, run.progress) == (RunStatus.SUCCEEDED, "", 1)
    assert [(row.stage, row.cut or None) for row in run.stages.all()] == plan()
    assert set(run.stages.values_list("status", flat=True)) == {RunStatus.SUCCEEDED}

    version = ModelVersion.objects.live().get()
    assert version.run == run
    assert version.live_since
    assert version.live_since > run.stages.get(stage=Stage.EVALUATE).finished_at  # not when the run began
    assert version.users == 60
    model = load_model(version.pk, Cut.LIVE)
    assert len(model.users) == 60
    assert model.candidates[BlendName.HOME].items.shape[0] == 61  # and the stranger

    home = Evaluation.objects.get(version=version, cut=Cut.TEST, task="home")
    assert home.users == 60
    assert (home.window_end - home.window_start).days == 28
    rows = {row.name: row.metrics["ndcg@10"]["value"] for row in home.rows.all()}
    assert rows["hybrid"] > rows["popular"]
    for blend in BlendName:
        default = BlendWeights.objects.defaults().get(blend__name=blend)
        assert sum(default.weights.values()) == pytest.approx(1, abs=1e-3)
    assert LiveProfile.objects.count() == 60
    assert sum(Segment.objects.values_list("size", flat=True)) == 60
    steps = ("items read", "events read", "events count")  # each of the long first stage is told when it is done
    assert [step for line in run.log.all() for step in steps if step in line.text] == list(steps)


def old_version_like(version: ModelVersion) -> ModelVersion:
    """A version of long ago, whose files are gone, with all that a version has in the record."""
    run = Run.objects.create(now=NOW, finished_at=NOW, status=RunStatus.SUCCEEDED)
    old = ModelVersion.objects.create(run=run, status=VersionStatus.READY)
    for model in LEARNED:
        rows = list(model.objects.filter(version=version))
        assert rows
        for row in rows:
            row.pk, row.version = None, old
        model.objects.bulk_create(rows)
    return old


def test_a_later_run_proposes_and_moves_the_pointer_but_not_the_default(grocery: None) -> None:
    first = go_round()
    defaults = set(BlendWeights.objects.defaults().values_list("pk", flat=True))
    numbers = set(Segment.objects.values_list("number", flat=True))
    old = old_version_like(ModelVersion.objects.get(run=first))
    second = go_round()
    assert ModelVersion.objects.live().get().run == second
    assert ModelVersion.objects.get(run=first).is_live is False
    left = {model: set(model.objects.values_list("version__run", flat=True)) for model in LEARNED}
    assert left == {model: {first.pk, second.pk} for model in LEARNED}, f"{old} has no files, and can go live no more"
    assert set(BlendWeights.objects.defaults().values_list("pk", flat=True)) == defaults
    assert not BlendWeights.objects.exclude(pk__in=defaults).exclude(status=WeightsStatus.PROPOSED).exists()
    assert set(Segment.objects.values_list("number", flat=True)) == numbers  # the same data: the same segments
    assert second.stages.get(stage=Stage.INTERESTS).counts["agreement"] == 1


def test_the_same_seed_gives_the_same_weights_and_figures(grocery: None) -> None:
    go_round()
    default = BlendWeights.objects.defaults().get(blend__name="home").weights
    figures = dict(Evaluation.objects.get(task="home").rows.values_list("name", "metrics"))
    BlendWeights.objects.all().delete()
    second = go_round()
    assert BlendWeights.objects.defaults().get(blend__name="home").weights == default
    assert dict(Evaluation.objects.get(task="home", version__run=second).rows.values_list("name", "metrics")) == (
        figures
    )


@pytest.mark.django_db(transaction=True)
def test_a_run_without_events_says_what_is_missing() -> None:
    run = go_round()
    assert run.status == RunStatus.FAILED
    assert run.message == "There are no events yet. Import some (manage.py import_events) or send them."
    assert not ModelVersion.objects.live().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("customers", "items", "moments"), [(1, 1, 1), (1, 3, 5), (30, 1, 20), (30, 8, 1)])
def test_a_run_on_tiny_data_succeeds_or_fails_with_a_message(customers: int, items: int, moments: int) -> None:
    prepare_partitions(NOW - timedelta(days=200), NOW)
    shelf = [Item.objects.create(shop_id=f"i{number}", title=f"Item {number}") for number in range(items)]
    people = [Customer.objects.create(pseudonym=pseudonym(f"u{number}")) for number in range(customers)]
    Event.objects.bulk_create(
        Event(
            occurred_at=NOW - timedelta(days=1 + 7 * moment), event_id=uuid.uuid4(), name=EventName.PURCHASE,
            customer=person, item=item, quantity=1, price=1, amount=1, transaction_id=f"{person.pk}-{moment}",
        )
        for person in people for item in shelf for moment in range(moments)
    )  # fmt: skip
    run = go_round()
    assert run.status in {RunStatus.SUCCEEDED, RunStatus.FAILED}
    assert bool(run.message) == (run.status == RunStatus.FAILED)
    fetch.announce(Changed.MODEL)
    for user in ("u0", "stranger"):
        answer = serve(Request(placement="home", user_id=user, dry_run=True), now=NOW)
        assert answer.shown
        assert all(isfinite(one.score) for one in answer.shown)


def test_only_one_run_at_a_time(grocery: None) -> None:
    waiting = start_run(by=None, now=NOW, in_worker=False)
    with pytest.raises(RunInProgressError) as refused:
        start_run(by=None, now=NOW, in_worker=False)
    assert refused.value.run == waiting
    with advisory_lock(waiting.lock) as alone:
        assert alone
        assert run_loop(waiting.pk, clock=timezone.now) is None
    waiting.refresh_from_db()
    assert (waiting.status, waiting.tries) == (RunStatus.QUEUED, 0)


def test_a_cancelled_run_can_be_resumed_and_not_cancelled_again(grocery: None) -> None:
    run = start_run(by=None, now=NOW, in_worker=False)
    cancel_job(run, by=None, now=NOW)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    with pytest.raises(JobIsOverError):
        cancel_job(run, by=None, now=NOW)
    assert run_loop(run.pk, clock=timezone.now) is None
    resume_run(run=run, by=None, now=NOW)
    assert run_loop(run.pk, clock=timezone.now) is RunStatus.SUCCEEDED


def test_a_running_run_that_is_cancelled_does_not_go_live(grocery: None) -> None:
    run = start_run(by=None, now=NOW, in_worker=False)
    Run.objects.filter(pk=run.pk).update(cancel_requested_at=NOW)
    assert run_loop(run.pk, clock=timezone.now) is RunStatus.CANCELLED
    assert not ModelVersion.objects.live().exists()


def test_a_run_is_given_up_after_three_tries(grocery: None) -> None:
    run = start_run(by=None, now=NOW, in_worker=False)
    Run.objects.filter(pk=run.pk).update(tries=Run.MOST_TRIES, status=RunStatus.INTERRUPTED)
    assert run_loop(run.pk, clock=timezone.now) is None
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "3 tries" in run.message


def test_a_killed_worker_s_run_resumes_after_its_last_finished_stage(grocery: None) -> None:
    first = go_round()
    run = start_run(by=None, now=NOW, in_worker=False)
    worker = _worker(run)
    _wait_until(lambda: run.stages.filter(stage=Stage.TRAIN, status=RunStatus.RUNNING).exists())
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert ModelVersion.objects.live().get().run == first  # no half version is live
    done = dict(run.stages.filter(status=RunStatus.SUCCEEDED).values_list("pk", "started_at"))
    assert len(done) >= 3

    _wait_until(lambda: runs.interrupted_runs(now=NOW) == [run])
    run.refresh_from_db()
    assert run.status == RunStatus.INTERRUPTED
    assert run_loop(run.pk, clock=timezone.now) is RunStatus.SUCCEEDED
    assert {pk: at for pk, at in run.stages.values_list("pk", "started_at") if pk in done} == done
    run.refresh_from_db()
    assert run.tries == 2
    assert ModelVersion.objects.live().get().run == run


def _worker(run: Run) -> subprocess.Popen[bytes]:
    tests_own = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DATABASE_URL": tests_own.geturl(),
        "DJANGO_SETTINGS_MODULE": "recsite.settings",
        "ARTEFACTS": str(settings.STORAGES["artefacts"]["OPTIONS"]["location"]),
    }
    return subprocess.Popen([sys.executable, "-c", ONE_RUN, str(run.pk)], env=environment)


def _wait_until(true: object, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
