"""Estimates of weights of visits: from the answers that a visit had a say on, alone or beside a record."""

import uuid

import numpy as np
import pytest
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import Blend, BlendWeights, Slate
from recommendations.services.weights import draft_estimates as service
from recommendations.services.weights.backtest import backtest
from recommendations.serving.past.again import Instead, Reconstruction, again
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.simulation.past_rankings import PastSample, past_sample
from recommendations.store.experiments.logged_answers import answer_log
from recommendations.store.live import writes
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot, snapshot_holder
from recommendations.terms import RunStatus, Source
from tests import answer_logs as logs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
SEEN = ("tea-2", "wine-1", "soap-1")


@pytest.fixture(autouse=True)
def _explores(_empty_valkey: None) -> None:
    writes.rebuild()
    logs.explore()


def look(*users: str) -> None:
    """Let these people look at three items: a visit."""
    events = [
        EventForm(
            name=EventName.VIEW_ITEM, event_id=uuid.uuid4(), user_id=user, timestamp=timezone.now(),
            items=[EventItemForm(shop_id)],
        )
        for user in users for shop_id in SEEN
    ]  # fmt: skip
    assert {verdict.verdict for verdict in accept(events, Sender(), now=timezone.now())} == {"accepted"}
    snapshot_holder.drop()  # it learns of newcomers when they are committed


def answered(*users: str) -> list[Slate]:
    ids = [serve(Request(placement="home", user_id=user, n=6), now=timezone.now()).recommendation_id for user in users]
    while write_slates():
        pass
    return list(Slate.objects.filter(recommendation_id__in=ids))


def session_draft(*, number: int = 80, popular: float = 0.0) -> BlendWeights:
    """A draft for visits: the served weights with so much of the popularity."""
    blend = Blend.objects.get(name="session")
    served = BlendWeights.objects.get(blend=blend, is_default=True, segment=None, audience=None)
    weights = {name: (1 - popular) * weight for name, weight in served.weights.items()}
    weights["popularity_home"] = weights.get("popularity_home", 0.0) + popular
    return BlendWeights.objects.create(
        blend=blend, number=number, parent=served, reason="A try", weights=weights, status="draft"
    )


def sample_of(draft: BlendWeights) -> PastSample:
    live, now = BlendWeights.objects.get(blend=draft.blend, is_default=True, segment=None), timezone.now()
    log = answer_log("home", now=now, visits=True)
    compared = service.compared_weights(draft, live)
    return past_sample(log, compared, live=current_snapshot(), now=now, progress=lambda _share: None)


def test_a_draft_ranks_what_the_time_machine_would_have_shown() -> None:
    known, new = [f"u{number}" for number in range(12)], [f"new{number}" for number in range(4)]
    answered(*known)  # nobody has looked at anything
    look(*known, *new)
    slates = answered(*known, *new)
    assert {slate.source for slate in slates} == {Source.MODEL, Source.SESSION}
    draft = session_draft(popular=0.9)
    sample = sample_of(draft)
    assert (len(sample.choices), sample.unmakeable, sample.others) == (16, 0, 0)
    keys, now = current_snapshot().stock.ids.ids, timezone.now()
    wanted = []
    for slate in slates:
        made_of = Reconstruction.of(slate, live=current_snapshot(), now=now)
        wanted.append([shown.item for shown in again(made_of, instead=Instead(weights=draft.pk)).answer.shown])
    ranked = [keys[choice.draft].tolist() for choice in sample.choices]
    assert all(any(set(row) <= set(ranking) for ranking in ranked) for row in wanted)
    alone = [row for slate, row in zip(slates, wanted, strict=True) if slate.source == Source.SESSION]
    assert len(alone) == 4
    assert all(row in [ranking[: len(row)] for ranking in ranked] for row in alone)  # a draft explores nothing
    changed = [not np.array_equal(choice.draft, choice.live) for choice in sample.choices]
    assert sum(changed) >= 4
    assert all(np.array_equal(choice.live, choice.ranking) for choice in sample.choices)


def test_the_estimate_is_asked_where_most_visits_were_answered() -> None:
    people = [f"u{number}" for number in range(30)]
    answered(*people)
    look(*people)
    logs.click(answered(*people))
    job = service.ask(draft=session_draft(), by=None, now=timezone.now())
    assert job.placement == "home"
    assert service.estimate(job.pk) is RunStatus.SUCCEEDED
    job.refresh_from_db()
    assert (job.result["visits"], job.result["answers"]) == (True, 30)
    assert [job.result["clicks"][name] for name in ("value", "low", "high")] == [0, 0, 0]  # the same weights


def test_nothing_can_be_asked_where_nobody_had_looked_at_anything() -> None:
    answered("u1", "u2")
    with pytest.raises(service.NothingToEstimateError):
        service.ask(draft=session_draft(), by=None, now=timezone.now())


def test_what_came_is_counted_by_the_version_of_the_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.services.weights.backtest.FEWEST", 20)
    people = [f"u{number}" for number in range(30)]
    look(*people)
    logs.click(answered(*people))
    draft = session_draft()
    job = service.ask(draft=draft, by=None, now=timezone.now())
    service.estimate(job.pk)
    job.refresh_from_db()
    job.result["refusal"] = None
    job.save()
    start = Slate.objects.earliest("served_at").served_at
    BlendWeights.objects.filter(pk=draft.pk).update(status="published", published_at=start)
    other = session_draft(number=81)
    Slate.objects.update(weights_version=draft.number)  # a version of other weights with the same number
    assert backtest(other, "home") == []
    Slate.objects.update(visit_weights=draft.number)
    (tested,) = backtest(other, "home")
    assert tested.came == pytest.approx(0, abs=1e-9)  # the very answers that were estimated from
