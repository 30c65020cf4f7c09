"""A turn of the loop on real PostgreSQL, Valkey and artefact files."""

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

from recommendations.loop.run import plan, run_turn
from recommendations.models import (
    BlendWeights,
    Customer,
    EvaluationRun,
    Event,
    InterestProfile,
    Item,
    ModelVersion,
    Segment,
    Turn,
)
from recommendations.services.operations.runs import (
    TurnAlreadyRunningError,
    TurnIsOverError,
    cancel_turn,
    resume_turn,
    start_turn,
)
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.fetch import Changed
from recommendations.store.models import runs
from recommendations.store.models.model import load_model
from recommendations.terms import BlendName, Cut, EventName, RunStatus, Stage, WeightsStatus
from tests.grocery import open_shop
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
ONE_TURN = """
import sys, uuid, django
django.setup()
from django.utils import timezone
from recommendations.loop.run import run_turn
run_turn(uuid.UUID(sys.argv[1]), clock=timezone.now)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path / "artefacts"):
        yield


@pytest.fixture
def grocery(transactional_db: None) -> None:
    open_shop(now=NOW)


def go_round() -> Turn:
    turn = start_turn(by=None, now=NOW, in_worker=False)
    run_turn(turn.pk, clock=timezone.now)
    turn.refresh_from_db()
    return turn


def test_one_turn_leaves_a_live_version_with_figures_and_weights(grocery: None) -> None:
    turn = go_round()
    assert (turn.status, turn.message, turn.progress) == (RunStatus.SUCCEEDED, "", 1)
    assert [(row.stage, row.cut or None) for row in turn.stages.all()] == plan()
    assert set(turn.stages.values_list("status", flat=True)) == {RunStatus.SUCCEEDED}

    version = ModelVersion.objects.live().get()
    assert version.turn == turn
    assert version.users == 60
    model = load_model(version.pk, Cut.LIVE)
    assert len(model.users) == 60
    assert model.candidates[BlendName.HOME].items.shape[0] == 61  # and the stranger

    home = EvaluationRun.objects.get(version=version, cut=Cut.TEST, task="home")
    assert home.users == 60
    assert (home.window_end - home.window_start).days == 28
    rows = {row.name: row.metrics["ndcg@10"]["value"] for row in home.rows.all()}
    assert rows["hybrid"] > rows["popular"]
    for blend in BlendName:
        default = BlendWeights.objects.defaults().get(blend__name=blend)
        assert sum(default.weights.values()) == pytest.approx(1, abs=1e-3)
    assert InterestProfile.objects.filter(version=version, half_life_days=90).count() == 60
    assert sum(Segment.objects.values_list("size", flat=True)) == 60


def test_a_later_turn_proposes_and_moves_the_pointer_but_not_the_default(grocery: None) -> None:
    first = go_round()
    defaults = set(BlendWeights.objects.defaults().values_list("pk", flat=True))
    numbers = set(Segment.objects.values_list("number", flat=True))
    second = go_round()
    assert ModelVersion.objects.live().get().turn == second
    assert ModelVersion.objects.get(turn=first).is_live is False
    assert set(BlendWeights.objects.defaults().values_list("pk", flat=True)) == defaults
    assert not BlendWeights.objects.exclude(pk__in=defaults).exclude(status=WeightsStatus.PROPOSED).exists()
    assert set(Segment.objects.values_list("number", flat=True)) == numbers  # the same data: the same segments
    assert second.stages.get(stage=Stage.INTERESTS).counts["agreement"] == 1


def test_the_same_seed_gives_the_same_weights_and_figures(grocery: None) -> None:
    go_round()
    default = BlendWeights.objects.defaults().get(blend__name="home").weights
    figures = dict(EvaluationRun.objects.get(task="home").rows.values_list("name", "metrics"))
    BlendWeights.objects.all().delete()
    second = go_round()
    assert BlendWeights.objects.defaults().get(blend__name="home").weights == default
    assert dict(EvaluationRun.objects.get(task="home", version__turn=second).rows.values_list("name", "metrics")) == (
        figures
    )


@pytest.mark.django_db(transaction=True)
def test_a_turn_without_events_says_what_is_missing() -> None:
    turn = go_round()
    assert turn.status == RunStatus.FAILED
    assert turn.message == "There are no events yet. Import some (manage.py import_events) or send them."
    assert not ModelVersion.objects.live().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("customers", "items", "moments"), [(1, 1, 1), (1, 3, 5), (30, 1, 20), (30, 8, 1)])
def test_a_turn_on_next_to_nothing_ends_in_order(customers: int, items: int, moments: int) -> None:
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
    turn = go_round()
    assert turn.status in {RunStatus.SUCCEEDED, RunStatus.FAILED}
    assert bool(turn.message) == (turn.status == RunStatus.FAILED)
    fetch.announce(Changed.MODEL)
    for user in ("u0", "stranger"):
        answer = serve(Request(placement="home", user_id=user, dry_run=True), now=NOW)
        assert answer.shown
        assert all(isfinite(shown.score) for shown in answer.shown)


def test_only_one_turn_at_a_time(grocery: None) -> None:
    waiting = start_turn(by=None, now=NOW, in_worker=False)
    with pytest.raises(TurnAlreadyRunningError) as refused:
        start_turn(by=None, now=NOW, in_worker=False)
    assert refused.value.turn == waiting
    with runs.turn_lock() as alone:
        assert alone
        assert run_turn(waiting.pk, clock=timezone.now) is None
    waiting.refresh_from_db()
    assert (waiting.status, waiting.tries) == (RunStatus.QUEUED, 0)


def test_cancel_and_cancel_again_and_resume(grocery: None) -> None:
    turn = start_turn(by=None, now=NOW, in_worker=False)
    cancel_turn(turn=turn, by=None, now=NOW)
    turn.refresh_from_db()
    assert turn.status == RunStatus.CANCELLED
    with pytest.raises(TurnIsOverError):
        cancel_turn(turn=turn, by=None, now=NOW)
    assert run_turn(turn.pk, clock=timezone.now) is None
    resume_turn(turn=turn, by=None, now=NOW)
    assert run_turn(turn.pk, clock=timezone.now) is RunStatus.SUCCEEDED


def test_a_running_turn_hears_that_it_should_stop_and_nothing_goes_live(grocery: None) -> None:
    turn = start_turn(by=None, now=NOW, in_worker=False)
    Turn.objects.filter(pk=turn.pk).update(cancel_requested_at=NOW)
    assert run_turn(turn.pk, clock=timezone.now) is RunStatus.CANCELLED
    assert not ModelVersion.objects.live().exists()


def test_a_turn_is_given_up_after_three_tries(grocery: None) -> None:
    turn = start_turn(by=None, now=NOW, in_worker=False)
    Turn.objects.filter(pk=turn.pk).update(tries=runs.MOST_TRIES, status=RunStatus.INTERRUPTED)
    assert run_turn(turn.pk, clock=timezone.now) is None
    turn.refresh_from_db()
    assert turn.status == RunStatus.FAILED
    assert "3 tries" in turn.message


def test_a_killed_worker_s_turn_resumes_after_its_last_finished_stage(grocery: None) -> None:
    first = go_round()
    turn = start_turn(by=None, now=NOW, in_worker=False)
    worker = _worker(turn)
    _wait_until(lambda: turn.stages.filter(stage=Stage.RECOMMEND, status=RunStatus.RUNNING).exists())
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert ModelVersion.objects.live().get().turn == first  # no half version is live
    done = dict(turn.stages.filter(status=RunStatus.SUCCEEDED).values_list("pk", "started_at"))
    assert len(done) >= 3

    _wait_until(lambda: runs.interrupted_turns(now=NOW) == [turn.pk])
    turn.refresh_from_db()
    assert turn.status == RunStatus.INTERRUPTED
    assert run_turn(turn.pk, clock=timezone.now) is RunStatus.SUCCEEDED
    assert {pk: at for pk, at in turn.stages.values_list("pk", "started_at") if pk in done} == done
    turn.refresh_from_db()
    assert turn.tries == 2
    assert ModelVersion.objects.live().get().turn == turn


def _worker(turn: Turn) -> subprocess.Popen[bytes]:
    tests_own = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DATABASE_URL": tests_own.geturl(),
        "DJANGO_SETTINGS_MODULE": "recsite.settings",
        "ARTEFACTS": str(settings.STORAGES["artefacts"]["OPTIONS"]["location"]),
    }
    return subprocess.Popen([sys.executable, "-c", ONE_TURN, str(turn.pk)], env=environment)


def _wait_until(true: object, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
