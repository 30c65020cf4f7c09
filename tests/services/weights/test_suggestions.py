"""A search for weights from asking to its result, with the worker's part called where a worker would take it up."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.core.exceptions import ValidationError
from django.utils import timezone
from kombu.exceptions import OperationalError

from recommendations.models import BlendWeights, ModelVersion, Placement, Segment, Staff, WeightSearch
from recommendations.services.operations.jobs import watch_jobs
from recommendations.services.weights import suggestions
from recommendations.services.weights.suggestions import (
    Outcome,
    SearchIsOverError,
    SearchRunningError,
    cancel,
    latest_suggestion,
    search,
    suggest,
)
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.services.weights.what_if import what_if
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_lock
from recommendations.tasks import search_weights
from recommendations.terms import BlendName, Role, RunStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

POOR = {"weights": {"popularity_home": 100}}


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", role=Role.MERCHANDISER)


def asked(by: Staff | None = None, **more: Any) -> WeightSearch:
    return suggest(**{"blend": BlendName.HOME, "values": POOR, "limits": {}, "by": by, "now": timezone.now(), **more})


def ended(job: WeightSearch) -> WeightSearch:
    return WeightSearch.objects.get(pk=job.pk)


def test_a_suggestion_is_better_on_the_panel_and_publishes_nothing(ada: Staff, valkey: redis.Redis) -> None:
    before = set(BlendWeights.objects.values_list("pk", "is_default"))
    job = asked(ada)
    assert (job.status, job.progress, job.started_by_id) == (RunStatus.QUEUED, 0, ada.pk)
    assert valkey.llen("celery:default") == 1
    assert search_weights(str(job.pk)) == Outcome.FOUND
    done = latest_suggestion(BlendName.HOME)
    assert done is not None
    assert (done.pk, done.status, done.progress, done.outcome) == (job.pk, RunStatus.SUCCEEDED, 1, Outcome.FOUND)
    values, metrics = done.result["values"], done.result["metrics"]
    panel = what_if(blend=BlendName.HOME, weights=values["weights"], diversity=values["diversity"])
    assert metrics["accuracy"]["value"] == pytest.approx(panel.figures["accuracy"].draft.value, abs=1e-6)
    assert done.result["against"]["accuracy"]["low"] > 0
    assert done.result["users"] == panel.users == 60
    assert set(BlendWeights.objects.values_list("pk", "is_default")) == before
    assert search(job.pk) is None  # given out twice, it is over
    assert ended(job).result == done.result


def test_a_search_from_the_best_weights_stays_with_them() -> None:
    served = BlendWeights.objects.defaults().get(blend__name=BlendName.HOME)
    first = asked(values={"weights": served.weights})
    search(first.pk)
    best = ended(first).result["values"]["weights"]
    again = asked(values={"weights": best})
    assert search(again.pk) == Outcome.STAYS
    assert ended(again).result["values"]["weights"] == pytest.approx(best)


def test_a_locked_share_stays_and_unmet_limits_are_reported() -> None:
    Placement.objects.update(n=5)  # so that not every item has a place in somebody's list
    values = {"weights": {"popularity_home": 60, "als": 40}}
    job = asked(values=values, locked=["als", "diversity"], limits={"least_coverage": "100", "least_diversity": 50})
    assert (job.request["locked"], job.request["limits"]["least_coverage"]) == (["als", "diversity"], 1.0)
    assert search(job.pk) == Outcome.UNMET
    done = ended(job)
    assert done.result["values"]["weights"]["als"] == pytest.approx(0.4, abs=1e-6)
    assert done.result["values"]["diversity"] == 0
    assert 0 < done.result["metrics"]["coverage"]["value"] <= done.result["most_coverage"] < 1


def test_a_segment_is_searched_for_its_own_customers(ada: Staff) -> None:
    segment = Segment.objects.filter(size__gt=0).first()
    job = asked(ada, group=segment)
    assert search(job.pk) in Outcome
    done = latest_suggestion(BlendName.HOME, segment)
    assert done is not None
    assert 0 < done.result["users"] == what_if(blend=BlendName.HOME, group=segment, **POOR).users < 60
    assert latest_suggestion(BlendName.HOME) is None


def test_only_one_search_of_a_blend_runs_at_a_time(ada: Staff) -> None:
    job = asked(ada)
    with pytest.raises(SearchRunningError) as running:
        asked(ada)
    assert running.value.search.pk == job.pk
    other = asked(ada, blend=BlendName.DISCOVER, values={})
    assert latest_suggestion(BlendName.DISCOVER) == other
    search(job.pk)
    assert asked(ada).pk != job.pk


def test_a_search_cancelled_in_the_queue_never_begins(ada: Staff) -> None:
    job = asked(ada)
    cancel(job, now=timezone.now())
    assert job.status == RunStatus.CANCELLED
    with pytest.raises(SearchIsOverError):
        cancel(job, now=timezone.now())
    assert job.status == RunStatus.CANCELLED
    assert search(job.pk) is None
    assert asked(ada).status == RunStatus.QUEUED


def test_a_search_cancelled_while_running_stops(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "BETWEEN_REPORTS", timedelta(0))
    job, shares, store = asked(ada), [], jobs.Reporter.__call__

    def report(self: jobs.Reporter, share: float) -> None:
        running = ended(job)
        shares.append(share)
        if len(shares) == 3:
            assert (running.status, running.progress) == (RunStatus.RUNNING, shares[1])
            cancel(ended(job), now=timezone.now())
        store(self, share)

    monkeypatch.setattr(jobs.Reporter, "__call__", report)
    assert search(job.pk) is None
    assert len(shares) == 3
    over = ended(job)
    assert (over.status, over.outcome) == (RunStatus.CANCELLED, None)
    assert WeightSearch.objects.get().status == RunStatus.CANCELLED


def test_the_search_of_a_lost_worker_is_given_to_the_next(ada: Staff, valkey: redis.Redis) -> None:
    job = asked(ada)
    assert valkey.llen("celery:default") == 1
    assert watch_jobs(now=timezone.now()) == []  # it waits, and not for long
    WeightSearch.objects.update(status=RunStatus.RUNNING, progress=0.4, tries=1)
    with advisory_lock(WeightSearch.objects.get().lock):
        assert watch_jobs(now=timezone.now()) == []  # a worker is at it
    assert watch_jobs(now=timezone.now()) == [WeightSearch.objects.get()]
    assert valkey.llen("celery:default") == 2
    lost = ended(job)
    assert (lost.status, lost.progress, lost.is_over) == (RunStatus.INTERRUPTED, 0.4, False)
    with pytest.raises(SearchRunningError):
        asked(ada)
    assert search(job.pk) == Outcome.FOUND
    assert asked(ada).pk != job.pk


def test_a_search_whose_message_was_lost_is_sent_again(ada: Staff, valkey: redis.Redis) -> None:
    job = asked(ada)
    valkey.delete("celery:default")
    assert [lost.pk for lost in watch_jobs(now=timezone.now() + timedelta(minutes=2))] == [job.pk]
    assert valkey.llen("celery:default") == 1


def test_a_search_that_fails_can_be_begun_again(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    job = asked(ada)
    with monkeypatch.context() as broken:
        broken.setattr(suggestions, "suggested", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            search(job.pk)
    failed = ended(job)
    assert (failed.status, failed.is_over) == (RunStatus.FAILED, True)
    assert WeightSearch.objects.get().message == "ZeroDivisionError: division by zero"
    assert search(asked(ada).pk) == Outcome.FOUND


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"values": {"weights": {"als": 101}}}, "als"),
        ({"values": {"weights": {"als": 0}}}, "weights"),
        ({"limits": {"least_coverage": "150"}}, "least_coverage"),
        ({"limits": {"least_diversity": "high"}}, "least_diversity"),
        ({"limits": {"most_loss": "-1"}}, "most_loss"),
        ({"goal": "margin"}, "goal"),  # no cost is known in this shop
        ({"goal": "fame"}, "goal"),
    ],
)
def test_an_invalid_search_is_refused_at_its_field(more: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        asked(**more)
    assert list(refused.value.message_dict) == [field]
    assert latest_suggestion(BlendName.HOME) is None


def test_a_search_without_truth_is_refused(ada: Staff) -> None:
    with pytest.raises(NothingToTuneOnError):
        asked(ada, blend=BlendName.CART, values={"weights": {"also_bought": 1}})
    job = asked(ada)
    ModelVersion.objects.update(is_live=False)
    assert search(job.pk) is None
    over = ended(job)
    assert over.is_over
    with pytest.raises(NothingToTuneOnError):
        asked(ada, blend=BlendName.DISCOVER, values={})


def test_a_search_is_kept_for_a_day(ada: Staff) -> None:
    job = asked(ada)
    search(job.pk)
    WeightSearch.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert latest_suggestion(BlendName.HOME) is None
    asked(ada, blend=BlendName.DISCOVER, values={})
    assert not WeightSearch.objects.filter(pk=job.pk).exists()


def test_a_search_waits_for_valkey(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("Connection refused")

    with monkeypatch.context() as broken:
        broken.setattr(current_app, "send_task", away)
        job = asked(ada)
    assert job.status == RunStatus.QUEUED
    assert [lost.pk for lost in watch_jobs(now=timezone.now() + timedelta(minutes=2))] == [job.pk]
