"""Estimates of drafts from answers that were really served: they hold the truth, or say why they cannot know it."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import pytest_django
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from recommendations.engine.experiments.refusal import RefusalCode
from recommendations.models import AnswerBasis, BlendWeights, DraftEstimate, Slate
from recommendations.services.operations.jobs import watch_jobs
from recommendations.services.weights import draft_estimates as service
from recommendations.services.weights.backtest import backtest
from recommendations.services.weights.drafts import discard_draft
from recommendations.simulation.past_rankings import PastSample, past_sample
from recommendations.store import jobs
from recommendations.store.experiments import logged_answers
from recommendations.store.experiments.logged_answers import answer_log
from recommendations.store.live import writes
from recommendations.store.process_held import drop_all
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.tasks import estimate_draft
from recommendations.terms import RunStatus
from tests import answer_logs as logs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log")]
ANSWERS = 1_200
FEW = 150
"""Answers that are drawn where their number does not matter."""


@pytest.fixture(scope="module")
def log(shop: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> None:
    """Explored answers of the grocery, with the clicks of made customers; ``shop`` empties the database behind it."""
    with django_db_blocker.unblock():
        drop_all()
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushdb()
        drop_all()
        writes.rebuild()
        logs.explore()
        logs.click(logs.answer(ANSWERS))
        connection.close()


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_answers, "MOST", FEW)


def asked(draft: BlendWeights) -> DraftEstimate:
    return service.ask(draft=draft, by=None, now=timezone.now())


def estimated(draft: BlendWeights) -> DraftEstimate:
    job = asked(draft)
    assert estimate_draft(str(job.pk)) == RunStatus.SUCCEEDED
    return DraftEstimate.objects.get(pk=job.pk)


def refusal(draft: BlendWeights) -> dict[str, Any]:
    code: dict[str, Any] = estimated(draft).result["refusal"]
    return code


def sample_of(draft: BlendWeights) -> PastSample:
    now = timezone.now()
    live = BlendWeights.objects.get(blend=draft.blend, is_default=True, segment=None, audience=None)
    compared = service.compared_weights(draft, live)
    return past_sample(
        answer_log("home", now=now), compared, live=current_snapshot(), now=now, progress=lambda _share: None
    )


def true_difference(sample: PastSample) -> tuple[float, float]:
    """Expected clicks an answer of the draft less those of live, and those of live, by what the customers like."""
    customers, keys = logs.MadeCustomers.of_the_grocery(), current_snapshot().stock.ids.ids
    totals = np.zeros(2)
    for choice in sample.choices:
        looked = choice.form.chances((choice.form.ranked, logs.SLOTS)) @ logs.ATTENTION
        for place, ranking in enumerate((choice.draft, choice.ranking)):
            totals[place] += looked @ customers.relevance(choice.customer, keys[ranking].tolist())
    ours, theirs = totals / len(sample.choices)
    return float(ours - theirs), float(theirs)


@pytest.mark.parametrize("part", [0.03, 0.3])
def test_the_interval_holds_the_truth(part: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_answers, "MOST", ANSWERS)
    sample = sample_of(logs.draft(weights=logs.mixed(part)))
    truth, live = true_difference(sample)
    result = service.figures_of(sample, answer_log("home", now=timezone.now()))
    clicks = result["clicks"]
    assert clicks["low"] <= truth <= clicks["high"]
    assert clicks["live"] == pytest.approx(live, rel=0.15)  # five standard errors
    assert (result["answers"], result["unmakeable"], result["replay"]) == (ANSWERS, 0, False)
    assert result["attention"]["assumed"]  # fewer than 5,000 answers
    assert len(result["looks"]["attention"]) == logs.SLOTS
    assert result["tools"]["log_days"] > 0


def test_the_same_weights_would_have_earned_the_same() -> None:
    result = estimated(logs.draft()).result
    assert (result["refusal"], result["clicks"]["worth"]) == (None, None)  # worth more than any test
    assert [result["clicks"][name] for name in ("value", "low", "high", "changed")] == [0, 0, 0, 0]


def test_the_same_log_is_asked_once(valkey: redis.Redis) -> None:
    draft = logs.draft()
    job = asked(draft)
    assert asked(draft) == job  # it goes on
    assert valkey.llen("celery:default") == 1
    assert service.estimate(job.pk) is RunStatus.SUCCEEDED
    assert asked(draft) == job  # and is there
    assert service.estimate(job.pk) is None
    logs.answer(1)
    assert asked(draft) == job  # nobody has seen the new answer
    logs.click(logs.answer(1))
    other = asked(draft)
    assert other != job
    BlendWeights.objects.filter(pk=draft.pk).update(revision=2)
    draft.refresh_from_db()
    assert asked(draft) not in (job, other)
    assert DraftEstimate.objects.get(pk=other.pk).status == RunStatus.CANCELLED
    assert service.latest_estimate(draft) == DraftEstimate.objects.latest("created_at")


def test_an_estimate_is_cancelled_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BETWEEN_REPORTS", timedelta(0))
    job, shares, store = asked(logs.draft()), [], jobs.Reporter.__call__

    def report(self: jobs.Reporter, share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            service.cancel(DraftEstimate.objects.get(pk=job.pk), now=timezone.now())
        store(self, share)

    monkeypatch.setattr(jobs.Reporter, "__call__", report)
    assert service.estimate(job.pk) is RunStatus.CANCELLED
    assert len(shares) == 3
    over = DraftEstimate.objects.get(pk=job.pk)
    assert (over.status, over.result, over.has_result) == (RunStatus.CANCELLED, {}, False)
    with pytest.raises(service.EstimateIsOverError):
        service.cancel(over, now=timezone.now())


def test_the_estimate_of_a_lost_worker_is_given_to_the_next() -> None:
    job = asked(logs.draft())
    DraftEstimate.objects.update(status=RunStatus.RUNNING, progress=0.4, tries=1)
    assert watch_jobs(now=timezone.now()) == [job]
    assert service.estimate(job.pk) is RunStatus.SUCCEEDED


def test_a_draft_that_was_changed_or_discarded_is_not_estimated() -> None:
    draft = logs.draft()
    job = asked(draft)
    BlendWeights.objects.filter(pk=draft.pk).update(revision=2)
    assert service.estimate(job.pk) is RunStatus.CANCELLED
    draft.refresh_from_db()
    again = asked(draft)
    discard_draft(draft=draft, revision=2, by=None)
    assert service.estimate(again.pk) is None


def test_nothing_can_be_asked_where_nobody_was_answered() -> None:
    Slate.objects.update(placement="gone")
    draft = logs.draft()
    with pytest.raises(service.NothingToEstimateError):
        asked(draft)


def test_without_shuffled_answers_nothing_is_known_of_another_order() -> None:
    Slate.objects.filter(way=1).update(placement="gone")
    code = refusal(logs.draft(weights=logs.mixed(0.3)))
    assert code["code"] == RefusalCode.NO_EXPLORATION
    assert code["facts"]["days"] > 0


def test_answers_whose_parts_are_gone_cannot_be_asked() -> None:
    keys = list(Slate.objects.values_list("basis", flat=True).distinct())
    AnswerBasis.objects.filter(pk__in=keys).delete()
    estimate = estimated(logs.draft(weights=logs.mixed(0.3)))
    assert estimate.result["refusal"] == {"code": RefusalCode.UNMAKEABLE, "facts": {"share": 1.0}}
    assert estimate.result["lacking"] == {"expired": FEW}
    assert "clicks" not in estimate.result


def test_answers_of_older_models_say_too_little_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_answers, "MOST", 100)
    drawn = answer_log("home", now=timezone.now()).ids()
    Slate.objects.filter(recommendation_id__in=drawn[:15]).update(model_version=10**9 + 1)
    Slate.objects.filter(recommendation_id__in=drawn[15:20]).update(model_version=10**9)
    code = refusal(logs.draft())
    assert code["code"] == RefusalCode.MOVED
    assert code["facts"]["share"] == pytest.approx(0.2)


def test_a_large_draft_has_too_few_answers() -> None:
    code = refusal(logs.draft(weights={"popularity_home": 1.0}))
    assert code["code"] == RefusalCode.TOO_FEW
    assert code["facts"]["worth"] < code["facts"]["needed"]


def test_what_came_stands_beside_what_was_estimated() -> None:
    draft = logs.draft()
    estimated(draft)
    start = Slate.objects.earliest("served_at").served_at
    BlendWeights.objects.filter(pk=draft.pk).update(status="published", published_at=start)
    Slate.objects.exclude(recommendation_id__in=answer_log("home", now=timezone.now()).ids()).delete()
    Slate.objects.update(weights_version=draft.number)
    other = logs.draft(number=81)
    (tested,) = backtest(other, "home")
    assert (tested.version.pk, tested.is_inside) == (draft.pk, True)
    assert tested.came == pytest.approx(0, abs=1e-9)  # the very answers that were estimated from
    Slate.objects.update(weights_version=0)
    assert backtest(other, "home") == []


def test_few_answers_of_people_do_not_hide_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    Slate.objects.update(replay=True)
    seen = list(Slate.objects.values_list("recommendation_id", flat=True)[:10])
    Slate.objects.filter(recommendation_id__in=seen).update(replay=False)
    log = answer_log("home", now=timezone.now())
    assert (log.replay, log.answers) == (True, Slate.objects.count() - 10)
    monkeypatch.setattr(logged_answers, "FEWEST", 10)
    log = answer_log("home", now=timezone.now())
    assert (log.replay, log.answers) == (False, 10)


def test_a_replay_stands_beside_its_truth() -> None:
    Slate.objects.update(replay=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE recommendations_slateoutcome SET replay = true")
    result = estimated(logs.draft(weights=logs.mixed(0.1))).result
    assert result["replay"]
    assert result["known"] == 0  # nobody's basket is in this log
    assert (result["attention"]["eta"], result["attention"]["assumed"]) == (0, True)  # no position is looked at more
