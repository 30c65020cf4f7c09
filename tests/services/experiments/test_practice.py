"""Practice comes to the verdicts that are true of it, begins anew after a crash, and writes nothing of the shop."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import redis
from django.utils import timezone

from recommendations.models import (
    ArmShare,
    AuditEntry,
    BlendWeights,
    Event,
    Experiment,
    PracticeRun,
    Reading,
    ShopPage,
    Slate,
    SlateOutcome,
    Unit,
)
from recommendations.practice_terms import LIFTS, PracticeEffect
from recommendations.services.experiments import practice, practice_days
from recommendations.services.experiments.bandits import tick_bandits
from recommendations.services.experiments.drafts import StaleExperimentError
from recommendations.services.experiments.levers import holders
from recommendations.services.experiments.lifecycle import ship
from recommendations.services.experiments.readings import due
from recommendations.services.experiments.starting import begin_experiments
from recommendations.services.experiments.states import NotInStateError
from recommendations.services.operations.jobs import watch_jobs
from recommendations.services.operations.metrics import read_metrics
from recommendations.simulation import arm_lists
from recommendations.store.experiments.units import settle_units
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.tasks import practise
from recommendations.terms import ExperimentStatus, Metric, RunStatus
from tests.analytics.pages.experiments.drafting import drafted, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_lists, "CUSTOMERS", 12)


def asked(effect: PracticeEffect = PracticeEffect.BETTER, **fields: Any) -> PracticeRun:
    given = {"primary": Metric.CTR, "planned_days": 10, "name": f"Try {effect}"} | fields
    draft = drafted({"weights": {"home": version().pk}}, **given)
    return practice.practise(draft=draft, effect=effect, by=None, now=timezone.now())


def done(run: PracticeRun) -> Experiment:
    assert practise(str(run.pk)) == RunStatus.SUCCEEDED
    run.refresh_from_db()
    return Experiment.objects.get(pk=run.experiment_id)


def figures(own: Experiment) -> list[tuple[Any, ...]]:
    rows = Reading.objects.filter(arm__experiment=own).order_by("at", "arm__position", "metric")
    return list(rows.values_list("at", "arm__position", "metric", "n", "y", "yy"))


@pytest.mark.parametrize(
    ("effect", "code"),
    [(PracticeEffect.BETTER, "ship"), (PracticeEffect.WORSE, "keep"), (PracticeEffect.HARMFUL, "harm")],
)
def test_the_verdict_is_what_is_true(effect: PracticeEffect, code: str) -> None:
    run = asked(effect)
    own = done(run)
    assert own.decision["code"] == code
    assert own.status == ExperimentStatus.STOPPED
    assert run.truth["lifts"]["ctr"] == pytest.approx([LIFTS[effect]], abs=0.05)
    if code != "harm":
        facts = own.decision["facts"]
        assert facts["low"] <= run.truth["lifts"]["ctr"][0] <= facts["high"]
    else:
        assert own.guardrails == {"converted": 0.05}
        assert own.ended_at is not None
        assert own.started_at is not None
        assert own.ended_at - own.started_at < timedelta(days=10)


def test_the_order_of_a_page_is_practised_on_all_of_its_lists() -> None:
    order = list(ShopPage.objects.get(name="home").slots.order_by("position").values_list("placement__name", flat=True))
    draft = drafted({"pages": {"home": order[::-1]}}, primary=Metric.CTR, planned_days=10, name="Order")
    run = practice.practise(draft=draft, effect=PracticeEffect.BETTER, by=None, now=timezone.now())
    own, arms = done(run), list(run.experiment.arms.order_by("position"))
    assert own.decision["code"] == "ship"
    assert run.truth["lifts"]["ctr"] == pytest.approx([LIFTS[PracticeEffect.BETTER]], abs=0.05)
    lists = arm_lists.arm_lists(
        current_snapshot(), arms, placement="", page="home", segments=(), seed=1, now=run.created_at,
        progress=lambda _share: None,
    )  # fmt: skip
    counts = [current_snapshot().placements[name].n for name in order]
    slots = {slot.placement: slot.n for slot in current_snapshot().pages["home"]}
    counts = [slots[name] or count for name, count in zip(order, counts, strict=True)]
    for arm, lengths in enumerate((counts, counts[::-1])):
        assert np.bincount(lists.levels[arm]).tolist() == [0, *lengths]
        assert lists.places[arm].tolist() == [place for length in lengths for place in range(1, length + 1)]
    assert (lists.items[0] != lists.items[1]).any(axis=1).all()
    for page in lists.items.reshape(-1, sum(counts)):
        assert len(set(page[page >= 0])) == (page >= 0).sum()  # no item stands twice on a page


@pytest.mark.parametrize("kind", ["ab", "bandit", "aa"])
def test_arms_that_give_the_same_lists_are_named(kind: str) -> None:
    live = BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None)
    twin = version(91, weights=live.weights, diversity=live.diversity, exploration=0.5, **live.exponents)
    changes = [{"weights": {"home": row.pk}} for row in (version(90), twin)]
    draft = drafted(*changes, kind=kind, primary=Metric.CTR, placement="home", planned_days=7)
    run = practice.practise(draft=draft, effect=PracticeEffect.BETTER, by=None, now=timezone.now())
    done(run)
    assert run.truth["same"] == ([1, 2] if kind == "aa" else [2])
    assert run.truth["lifts"]["ctr"][1] == pytest.approx(0)


@pytest.mark.parametrize("kind", ["ab", "bandit"])
def test_what_was_chosen_changes_nothing_where_b_gives_the_lists_of_a(kind: str) -> None:
    """B is to be clearly harmful, and yet nothing differs: A could not be without harm where all lists are the same."""
    live = BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None)
    twin = version(91, weights=live.weights, diversity=live.diversity, exploration=0.5, **live.exponents)
    draft = drafted({"weights": {"home": twin.pk}}, kind=kind, primary=Metric.CTR, placement="home", planned_days=7)
    run = practice.practise(draft=draft, effect=PracticeEffect.HARMFUL, by=None, now=timezone.now())
    own = done(run)
    assert run.truth["same"] == [1]
    assert all(lifts == [0.0] for lifts in run.truth["lifts"].values())
    assert not own.arms.exclude(out_at=None).exists()
    assert own.decision.get("code") not in {"ship", "harm"}


def test_what_is_no_different_is_never_shipped() -> None:
    run = asked(PracticeEffect.SAME)
    facts = done(run).decision["facts"]
    assert facts["low"] <= run.truth["lifts"]["ctr"][0] <= facts["high"]
    assert Experiment.objects.get(pk=run.experiment_id).decision["code"] == "ended"


def test_a_bandit_gives_the_best_the_most_by_its_own_tick() -> None:
    draft = drafted(
        {"weights": {"home": version().pk}}, kind="bandit", primary=Metric.CTR, placement="home", planned_days=8
    )
    run = practice.practise(draft=draft, effect=PracticeEffect.BETTER, by=None, now=timezone.now())
    own = done(run)
    rows = ArmShare.objects.filter(arm__experiment=own).order_by("day", "arm__position")
    shares = [rows[at].share for at in range(len(rows))]
    assert len(shares) == 2 * 9
    assert shares[:2] == pytest.approx([0.5, 0.5])
    assert shares[-1] > 0.8
    told = [note.facts for note in own.notes.filter(code="shares_set")]
    assert 2 <= len(told) < 8  # the days on which nothing moved have their shares, and no line of the log
    assert all(one["moves"] or one["at_floor"] != other["at_floor"] for one, other in pairwise(told))
    assert not Reading.objects.filter(arm__experiment=own).exists()


def test_another_seed_is_another_crowd_and_the_same_seed_the_same_one() -> None:
    run = asked()
    own = done(run)
    first = figures(own)
    again = practice.repeat(experiment=own, seed=1, by=None)
    done(again)
    assert figures(own) == first
    done(practice.repeat(experiment=own, seed=2, by=None))
    assert len(figures(own)) == len(first)
    assert figures(own) != first


def test_a_practice_whose_worker_died_begins_anew() -> None:
    run = asked()
    own = done(run)
    first = figures(own)
    Reading.objects.filter(arm__experiment=own, at=first[-1][0]).delete()
    PracticeRun.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, finished_at=None)
    Experiment.objects.filter(pk=own.pk).update(status=ExperimentStatus.RUNNING)
    assert [job.pk for job in watch_jobs(now=timezone.now())] == [run.pk]
    done(run)
    assert figures(own) == first
    assert own.notes.filter(code="started").count() == 1


def test_it_can_be_cancelled_and_deleted_but_not_while_it_runs() -> None:
    run = asked()
    with pytest.raises(practice.PracticeRunsError):
        practice.delete_practice(experiment=run.experiment, by=None)
    assert practice.cancel_practice(experiment=run.experiment, by=None, now=timezone.now())
    assert practise(str(run.pk)) is None
    practice.delete_practice(experiment=run.experiment, by=None)
    assert not Experiment.objects.filter(simulated=True).exists()
    assert not PracticeRun.objects.exists()


def test_a_cancel_is_heard_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    run, judge = asked(), practice_days.judge

    def cancel_at_the_first_look(experiment: Experiment, **fields: Any) -> object:
        practice.cancel_practice(experiment=experiment, by=None, now=timezone.now())
        return judge(experiment, **fields)

    monkeypatch.setattr(practice_days, "judge", cancel_at_the_first_look)
    assert practise(str(run.pk)) == RunStatus.CANCELLED


def test_a_draft_that_was_started_is_not_practised_and_what_won_is_not_published() -> None:
    own = done(asked())
    with pytest.raises(StaleExperimentError):
        practice.practise(draft=own, effect=PracticeEffect.SAME, by=None, now=timezone.now())
    with pytest.raises(NotInStateError):
        ship(experiment=own, arm=own.arms.get(position=1), reason="It won", by=None, now=timezone.now())


def test_only_the_demo_practises(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(practice.PracticeIsOffError):
        asked()


def test_simulated_visitors_stand_in_no_other_figure(valkey: redis.Redis) -> None:
    """Rows of what happened stay as they were, and all that looks at experiments passes it by, while it runs, too."""
    of_shop = (Event, Slate, SlateOutcome, Unit)
    counts = [model.objects.count() for model in of_shop]
    current_snapshot()
    before = {key: valkey.dump(key) for key in valkey.scan_iter()}
    own = done(asked())
    assert [model.objects.count() for model in of_shop] == counts
    assert {key: valkey.dump(key) for key in valkey.scan_iter()} == before
    assert list(AuditEntry.objects.filter(object_id=str(own.pk)).values_list("verb", flat=True)) == ["practise"]
    now = timezone.now()
    for status in (ExperimentStatus.STARTING, ExperimentStatus.RUNNING, ExperimentStatus.PAUSED):
        for kind in ("ab", "bandit"):
            Experiment.objects.filter(pk=own.pk).update(status=status, kind=kind)
            assert not Experiment.objects.running().exists()
            assert own not in due(now)
            assert tick_bandits(now) == begin_experiments(now) == settle_units(now) == 0
            assert holders({"weights:home"}) == []
            samples = [str(each) for each in read_metrics(now=now)]
            assert not any(own.code in each for each in samples)
