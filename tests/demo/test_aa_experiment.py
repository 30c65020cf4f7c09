"""The A/A of the replay: started with it, in nobody's way, stopped behind it, and it compares only what can differ."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from demo import held_back as store
from demo import replay as demo_replay
from demo.aa_experiment import PATIENCE, start_aa, watch_aa
from demo.held_back import Basket, Purchase
from demo.models import Replay
from demo.replay import Door
from recommendations.models import Experiment, Item, Reading, Slate, Unit
from recommendations.models.attribution import DueLine
from recommendations.services.experiments.levers import holders
from recommendations.services.experiments.lifecycle import stop
from recommendations.services.operations.jobs import resume_job
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric, RunStatus
from tests.analytics.pages.experiments.drafting import begun

AT = datetime(2026, 9, 1, 17, 30, tzinfo=UTC)
DAYS = 9
BASKETS = [
    Basket(
        number=number,
        household=number % 8,
        at=AT + timedelta(hours=12 * number),
        lines=(Purchase(product=11 + number % 3, quantity=1, amount=Decimal("2.50")),),
    )
    for number in range(2 * DAYS + 1)
]
HOME = {"placements": {"home": {"blend": "home"}}}


@pytest.fixture
def replay(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Nine days of baskets of eight households, in a shop of three items that every list holds."""
    prepare_partitions(AT - timedelta(days=30), timezone.now())
    Item.objects.bulk_create(Item(shop_id=str(key), title=f"Item {key}", price=1) for key in (11, 12, 13))
    monkeypatch.setattr(store, "baskets", lambda _replay: BASKETS)
    return Replay.objects.create(starts_at=AT - timedelta(days=1), shift_weeks=0, baskets=len(BASKETS))


def own(replay: Replay) -> Experiment:
    replay.refresh_from_db()
    assert replay.experiment is not None
    return replay.experiment


def run(door: Door) -> None:
    assert demo_replay.run_replay(door, clock=timezone.now) is RunStatus.SUCCEEDED


def test_it_runs_with_the_replay_and_ends_with_it(replay: Replay, door: Door) -> None:
    run(door)
    test = own(replay)
    assert (test.kind, test.status, test.primary) == (ExperimentKind.AA, ExperimentStatus.RUNNING, Metric.CTR)
    assert [arm.changes for arm in test.arms.order_by("position")] == [HOME, HOME]
    assert holders(["weights:home"]) == []  # whoever tests or publishes weights is not in its way
    assert watch_aa(now=timezone.now())
    test.refresh_from_db()
    assert test.status == ExperimentStatus.STOPPED
    assert test.ended_at is not None
    assert Slate.objects.filter(arms=[]).count() == 0  # the first basket was in it
    assert Unit.objects.filter(experiment=test, mixed=False).count() == 8
    assert test.decision["replayed"]
    facts = test.decision["facts"]  # nine days of baskets came in within seconds
    assert (test.decision["code"], facts["day"], facts["needed"]) == ("too_early", DAYS, 100)
    sums = Reading.objects.filter(arm__experiment=test, metric=Metric.CTR, segment=None)
    assert sum(row.y for row in sums) == sum(row.x for row in sums) == len(BASKETS)  # every list held its basket
    assert sum(row.n for row in sums) == 8
    counted = {name: sums[0].facts[name] for name in ("seen", "replayed", "replayed_days")}
    assert counted == {"seen": len(BASKETS), "replayed": len(BASKETS), "replayed_days": DAYS}
    assert not watch_aa(now=timezone.now())  # once


def test_a_replay_that_goes_on_starts_no_other(replay: Replay, door: Door) -> None:
    run(door)
    test = own(replay)
    stop(experiment=test, by=None, now=timezone.now())
    ended = Experiment.objects.get(pk=test.pk).ended_at
    Replay.objects.update(status=RunStatus.FAILED)
    replay.refresh_from_db()
    resume_job(replay, by=None, now=timezone.now())
    run(door)
    assert own(replay).ended_at == ended  # whoever stopped it has the last word
    assert not watch_aa(now=timezone.now())
    assert Experiment.objects.count() == 1


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.SUCCEEDED, RunStatus.CANCELLED, RunStatus.FAILED])
def test_it_is_looked_at_every_minute_and_stopped_where_the_replay_is_over(replay: Replay, status: RunStatus) -> None:
    now = timezone.now()
    start_aa(replay, now=now)
    Replay.objects.update(status=status, finished_at=now)
    over = status in {RunStatus.SUCCEEDED, RunStatus.CANCELLED}
    assert watch_aa(now=now)
    assert own(replay).status == (ExperimentStatus.STOPPED if over else ExperimentStatus.RUNNING)
    if not over:
        assert Reading.objects.exists() is False  # nobody has come
        give_a_reading(own(replay), at=now)
        assert not watch_aa(now=now + timedelta(seconds=50))
        assert watch_aa(now=now + timedelta(seconds=70))


def give_a_reading(test: Experiment, *, at: datetime) -> None:
    sums: dict[str, Any] = dict.fromkeys(("n", "y", "yy", "x", "xx", "xy"), 0)
    arm = test.arms.get(position=0)
    Reading.objects.create(arm=arm, metric=Metric.CTR, at=at, facts={"successes": 0}, **sums)


def test_it_waits_for_what_is_still_to_be_settled(replay: Replay) -> None:
    now = timezone.now()
    start_aa(replay, now=now)
    Replay.objects.update(status=RunStatus.SUCCEEDED, finished_at=now)
    DueLine.objects.create(occurred_at=AT, event_id=BASKETS[0].purchase_id(11), line=0, due_at=now + timedelta(hours=1))
    assert not watch_aa(now=now + timedelta(seconds=20))
    assert watch_aa(now=now + PATIENCE)  # but not for ever
    assert own(replay).status == ExperimentStatus.STOPPED


def test_where_somebodys_experiment_is_in_its_way_there_is_none(replay: Replay) -> None:
    begun({"placements": {"home": {"n": 7}}})
    start_aa(replay, now=timezone.now())
    replay.refresh_from_db()
    assert replay.experiment is None
    assert Experiment.objects.count() == 1  # not even a draft is left
    assert not watch_aa(now=timezone.now())
