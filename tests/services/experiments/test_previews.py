"""What a draft changes is shown on real lists, and what changes nothing, or cannot be, does not start and says why."""

from typing import Any

import pytest
from django.utils import timezone

from recommendations.experiment_terms import StartStep
from recommendations.models import AuditEntry, BlendWeights, Experiment, ShopPage
from recommendations.services.experiments import previews, starting
from recommendations.services.experiments.previews import ListPlaces, NoPreview, NoPreviewError
from recommendations.services.experiments.start_report import StartCancelledError, StartReport
from recommendations.services.experiments.starting import begin_experiments, cancel_start, start
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import ResolvedRequest
from recommendations.simulation.arm_lists import answers_of, slots_of
from recommendations.store.live import fetch
from recommendations.store.serving.served_experiments import served_arm
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import ExperimentStatus
from tests.analytics.pages.experiments.drafting import drafted, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

NOW = timezone.now()


def served() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None)


def copied(**fields: Any) -> BlendWeights:
    """A version that weighs as what is served does."""
    live = served()
    beside = {"diversity": live.diversity, "exploration": live.exploration, "cards": live.cards, **live.exponents}
    return version(95, weights=live.weights, **beside | fields)


def shown(test: Experiment, seed: int = 1) -> list[previews.ArmPreview]:
    arms = list(test.arms.order_by("position"))
    return previews.previews(arms, placement="", segments=test.segments, seed=seed, now=NOW)


def asked_to_start(*changes: dict[str, Any], **fields: Any) -> Experiment:
    draft = drafted(*changes, **fields)
    return start(experiment=draft, revision=draft.revision, by=None, now=NOW)


def test_three_customers_get_what_they_would_be_served_before_and_after() -> None:
    test = drafted({"weights": {"home": version().pk}})
    (preview,) = shown(test)
    assert preview.asked >= len(preview.movers) == 3
    assert preview.where == [ListPlaces(placement="home")] * 3
    snapshot = current_snapshot()
    under = snapshot.under((served_arm(test.arms.get(position=1), snapshot.placements, snapshot.pages),))
    for mover in preview.movers:
        request = ResolvedRequest(placement="home", customer=mover.customer, explore=False)
        state = fetch.state_of(mover.customer, since=None).state
        for each, places in ((snapshot, mover.live), (under, mover.draft)):
            answer = recommend(request, snapshot=each, state=state, now=NOW)
            assert [place.item for place in places] == [one.item for one in answer.shown][:10]


def test_the_same_seed_shows_the_same_three_and_another_one_others() -> None:
    test = drafted({"weights": {"home": version().pk}}, {"placements": {"home": {"n": 3}}})
    assert shown(test) == shown(test)
    first, other = ([mover.customer for mover in shown(test, seed)[0].movers] for seed in (1, 2))
    assert first != other
    assert [len(one.movers) for one in shown(test)] == [3, 3]


def test_another_order_is_shown_down_the_page() -> None:
    order = list(ShopPage.objects.get(name="home").slots.order_by("position").values_list("placement__name", flat=True))
    test = drafted({"pages": {"home": order[::-1]}})
    (preview,) = shown(test)
    assert set(preview.where) == {ListPlaces(page="home")}
    mover, snapshot = preview.movers[0], current_snapshot()
    assert snapshot.model is not None
    row = snapshot.model.users.row(mover.customer)
    state = fetch.state_of(mover.customer, since=snapshot.model.as_of).state
    answers = answers_of(snapshot, slots_of(snapshot, page="home"), row=row, state=state, now=NOW)
    items = [one.item for answer in answers for one in answer.shown]
    assert len(items) == len(set(items))  # no item stands twice on the page
    assert [place.item for place in mover.live] == items[:10]


def test_where_nothing_can_be_shown_it_says_why() -> None:
    gone = drafted({"weights": {"home": version().pk}})
    BlendWeights.objects.filter(number=90).delete()
    with pytest.raises(NoPreviewError) as refused:
        shown(gone)
    assert refused.value.why is NoPreview.UNCLEAR
    with pytest.raises(NoPreviewError) as refused:
        previews.previews([], placement="", segments=[987_654], seed=1, now=NOW)
    assert refused.value.why is NoPreview.NOBODY


@pytest.mark.parametrize("kind", [{}, {"kind": "bandit", "primary": "ctr", "placement": "home"}])
def test_what_is_the_same_for_everybody_does_not_start_and_the_others_do(kind: dict[str, Any]) -> None:
    test = asked_to_start({"weights": {"home": copied().pk}}, name="Same", **kind)
    other = asked_to_start({"placements": {"discover": {"n": 3}}}, name="Other")
    assert begin_experiments(NOW) == 1
    test.refresh_from_db()
    other.refresh_from_db()
    assert (test.status, test.started_by, test.beginning) == (ExperimentStatus.DRAFT, None, {})
    assert other.status == ExperimentStatus.RUNNING
    snapshot = current_snapshot()
    assert snapshot.model is not None
    everybody = min(len(snapshot.model.users), previews.CUSTOMERS)
    facts = {"why": "same_lists", "arms": [1], "asked": everybody, "revision": test.revision}
    assert test.notes.get(code="start_failed").facts == facts
    entry = AuditEntry.objects.get(verb="refuse start")
    assert (entry.staff, entry.after["verdict"]["facts"]) == (None, facts)
    start(experiment=test, revision=test.revision, by=None, now=NOW)  # it is a draft as any other


@pytest.mark.parametrize("what", ["exploration", "fatigue"])
def test_what_only_shows_as_customers_come_is_not_taken_for_nothing(what: str) -> None:
    explored = {"weights": {"home": copied(exploration=0.3).pk}}
    test = asked_to_start(explored if what == "exploration" else {"placements": {"home": {"fatigue": 0.5}}})
    assert begin_experiments(NOW) == 1
    test.refresh_from_db()
    assert test.status == ExperimentStatus.RUNNING


def test_a_version_that_is_gone_is_said() -> None:
    test = asked_to_start({"weights": {"home": version().pk}})
    BlendWeights.objects.filter(number=90).delete()
    assert begin_experiments(NOW) == 0
    assert test.notes.get(code="start_failed").facts["why"] == "gone"


def test_a_bug_ends_one_start_and_an_absent_server_none(monkeypatch: pytest.MonkeyPatch) -> None:
    test, measured = asked_to_start(), starting._measured

    def fail(experiment: Experiment, *, now: object) -> object:
        raise error

    monkeypatch.setattr(starting, "_measured", fail)
    error: Exception = starting.DatabaseAwayError()
    with pytest.raises(starting.DatabaseAwayError):
        begin_experiments(NOW)
    test.refresh_from_db()
    assert (test.status, test.beginning) == (ExperimentStatus.STARTING, {"step": "past"})
    error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        begin_experiments(NOW)
    test.refresh_from_db()
    assert test.status == ExperimentStatus.DRAFT
    facts = test.notes.get(code="start_failed").facts
    assert (facts["why"], facts["error"]) == ("error", "ZeroDivisionError")
    monkeypatch.setattr(starting, "_measured", measured)
    start(experiment=test, revision=test.revision, by=None, now=NOW)
    assert begin_experiments(NOW) == 1


def test_a_worker_hears_of_a_cancel_at_its_next_step() -> None:
    test = asked_to_start()
    report = StartReport(test)
    report.step(StartStep.LISTS, done=3, of=500)
    report.step(StartStep.LISTS, done=4, of=500)  # too soon after to be told
    test.refresh_from_db()
    assert test.beginning == {"step": "lists", "done": 3, "of": 500}
    cancel_start(experiment=test, by=None, now=NOW)
    with pytest.raises(StartCancelledError):
        report.step(StartStep.PAST)
    test.refresh_from_db()
    assert test.beginning == {}
