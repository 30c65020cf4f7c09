"""A search for weights from asking to its result, with the worker's part called where a worker would take it up."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.exceptions import ValidationError
from django.utils import timezone

from recommendations.models import BlendWeights, ModelVersion, Segment, Staff
from recommendations.services.weights import suggestions
from recommendations.services.weights.suggestions import (
    NoAnswerError,
    Outcome,
    Suggestion,
    SuggestionIsOverError,
    SuggestionRunningError,
    cancel,
    latest_suggestion,
    search,
    suggest,
    suggestion,
)
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.services.weights.what_if import what_if
from recommendations.store.live.valkey import valkey as link
from recommendations.store.models import weight_searches as jobs
from recommendations.tasks import search_weights
from recommendations.terms import BlendName, Role, RunStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

POOR = {"weights": {"popularity_home": 100}}


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", role=Role.MERCHANDISER)


def asked(by: Staff | None = None, **more: Any) -> Suggestion:
    return suggest(**{"blend": BlendName.HOME, "values": POOR, "least": {}, "by": by, "now": timezone.now(), **more})


def test_what_is_found_is_better_on_the_panel_and_publishes_nothing(ada: Staff, valkey: redis.Redis) -> None:
    before = set(BlendWeights.objects.values_list("pk", "is_default"))
    job = asked(ada)
    assert (job.status, job.progress, job.asked_by) == (RunStatus.QUEUED, 0, ada.pk)
    assert valkey.llen("celery:default") == 1
    assert search_weights(job.key) == Outcome.FOUND
    done = latest_suggestion(BlendName.HOME)
    assert done is not None
    assert (done.key, done.status, done.progress, done.outcome) == (job.key, RunStatus.SUCCEEDED, 1, Outcome.FOUND)
    assert done.values is not None
    told = what_if(blend=BlendName.HOME, weights=done.values.weights, diversity=done.values.diversity)
    assert done.metrics["ndcg@10"]["value"] == pytest.approx(told.figures["ndcg@10"].draft.value, abs=1e-6)
    assert done.against["ndcg@10"]["low"] > 0
    assert done.users == told.users == 60
    assert set(BlendWeights.objects.values_list("pk", "is_default")) == before
    assert search(job.key) == Outcome.FOUND  # given out twice, it says the same again
    assert suggestion(job.key) == done


def test_what_is_served_already_stays() -> None:
    served = BlendWeights.objects.defaults().get(blend__name=BlendName.HOME)
    job = asked(values={"weights": served.weights})
    assert search(job.key) == Outcome.STAYS
    done = suggestion(job.key)
    assert done is not None
    assert done.values is not None
    assert done.values.weights == {name: weight for name, weight in served.weights.items() if weight}


def test_a_locked_share_stays_and_limits_that_nothing_meets_are_told() -> None:
    values = {"weights": {"popularity_home": 60, "als": 40}}
    job = asked(values=values, locked=["als", "diversity"], least={"coverage": "1", "diversity": 0.5})
    assert (job.locked, job.least_coverage) == (("als", "diversity"), 1.0)
    assert search(job.key) == Outcome.UNMET
    done = suggestion(job.key)
    assert done is not None
    assert done.values is not None
    assert done.values.weights["als"] == pytest.approx(0.4, abs=1e-6)
    assert done.values.diversity == 0
    assert 0 < done.metrics["coverage@10"]["value"] <= done.most_coverage < 1


def test_a_segment_is_searched_for_its_own_customers(ada: Staff) -> None:
    segment = Segment.objects.filter(size__gt=0).first()
    job = asked(ada, segment=segment)
    assert search(job.key) in Outcome
    done = latest_suggestion(BlendName.HOME, segment)
    assert done is not None
    assert 0 < done.users == what_if(blend=BlendName.HOME, segment=segment, **POOR).users < 60
    assert latest_suggestion(BlendName.HOME) is None


def test_one_search_at_a_time(ada: Staff) -> None:
    job = asked(ada)
    with pytest.raises(SuggestionRunningError) as running:
        asked(ada)
    assert running.value.suggestion.key == job.key
    other = asked(ada, blend=BlendName.DISCOVER, values={})
    assert latest_suggestion(BlendName.DISCOVER) == other
    search(job.key)
    assert asked(ada).key != job.key


def test_cancelled_while_it_waits_it_never_begins_and_twice_is_told(ada: Staff) -> None:
    job = asked(ada)
    assert cancel(key=job.key, by=ada, now=timezone.now()).status == RunStatus.CANCELLED
    with pytest.raises(SuggestionIsOverError) as twice:
        cancel(key=job.key, by=ada, now=timezone.now())
    assert twice.value.suggestion.status == RunStatus.CANCELLED
    assert search(job.key) is None
    assert asked(ada).status == RunStatus.QUEUED
    with pytest.raises(LookupError):
        cancel(key="none", by=ada, now=timezone.now())


def test_cancelled_while_it_runs_it_stops(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "BETWEEN_REPORTS", timedelta(0))
    job, heard, tell = asked(ada), [], jobs.tell

    def told(key: str, field: str, value: Any) -> bool:
        running = suggestion(job.key)
        heard.append(value)
        if len(heard) == 3:
            assert running is not None
            assert (running.status, running.progress) == (RunStatus.RUNNING, heard[1]["progress"])
            cancel(key=job.key, by=ada, now=timezone.now())
        return tell(key, field, value)

    monkeypatch.setattr(jobs, "tell", told)
    assert search(job.key) is None
    assert len(heard) == 3
    ended = suggestion(job.key)
    assert ended is not None
    assert (ended.status, ended.outcome) == (RunStatus.CANCELLED, None)


def test_a_worker_that_is_gone_does_not_hold_the_next_one_up(ada: Staff) -> None:
    job = asked(ada)
    long_ago = timezone.now() - timedelta(minutes=2)
    jobs.tell(job.key, "running", {"progress": 0.4, "at": long_ago.isoformat()})
    lost = suggestion(job.key)
    assert lost is not None
    assert (lost.status, lost.progress) == (RunStatus.INTERRUPTED, 0.4)
    assert asked(ada).key != job.key
    with pytest.raises(SuggestionIsOverError):
        cancel(key=job.key, by=ada, now=timezone.now())
    never_taken_up = asked(ada, blend=BlendName.DISCOVER, values={}, now=timezone.now() - timedelta(hours=1))
    assert never_taken_up.status == RunStatus.QUEUED
    assert asked(ada, blend=BlendName.DISCOVER, values={}).key != never_taken_up.key


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"values": {"weights": {"als": 101}}}, "als"),
        ({"values": {"weights": {"als": 0}}}, "weights"),
        ({"least": {"coverage": "1.5"}}, "least_coverage"),
        ({"least": {"diversity": "high"}}, "least_diversity"),
    ],
)
def test_what_cannot_be_searched_for_is_told_at_its_field(more: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        asked(**more)
    assert list(refused.value.message_dict) == [field]
    assert latest_suggestion(BlendName.HOME) is None


def test_without_truth_there_is_nothing_to_search_on(ada: Staff) -> None:
    with pytest.raises(NothingToTuneOnError):
        asked(ada, blend=BlendName.CART, values={"weights": {"also_bought": 1}})
    job = asked(ada)
    ModelVersion.objects.update(is_live=False)
    assert search(job.key) is None
    ended = suggestion(job.key)
    assert ended is not None
    assert ended.is_over
    with pytest.raises(NothingToTuneOnError):
        asked(ada, blend=BlendName.DISCOVER, values={})


def test_with_valkey_away_that_is_said(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link(), "run", lambda _fill: None)
    with pytest.raises(NoAnswerError):
        latest_suggestion(BlendName.HOME)
    with pytest.raises(NoAnswerError):
        asked(ada)
