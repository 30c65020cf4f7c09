"""The tick of a bandit: shares by hand, once a day, whatever was missed; what staff set and what harms."""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from pytest_django import DjangoCaptureOnCommitCallbacks
from scipy.stats import norm

from recommendations.models import (
    Arm,
    ArmShare,
    AuditEntry,
    Customer,
    Experiment,
    LiveProfile,
    Segment,
    Slate,
    SlateOutcome,
)
from recommendations.services.experiments import bandits
from recommendations.services.experiments.bandit_steps import ArmIsOutError, pin, set_floor, take_out, unpin
from recommendations.services.experiments.bandits import tick, tick_bandits
from recommendations.services.experiments.lifecycle import pause, resume, stop
from recommendations.services.experiments.states import NotInStateError
from recommendations.store.rules.conditions import shop_day
from recommendations.store.serving.served_experiments import running_experiments
from recommendations.terms import CustomerKind, ExperimentStatus, Metric
from tests.experiment_records import DAY, NOW, START, arms_of, bandit, crowd, experiment, furnish

pytestmark = pytest.mark.django_db


@pytest.fixture
def _shop() -> None:
    furnish()


def night(number: int) -> datetime:
    """Ten past midnight, where the shop is, before day ``number`` of the bandit, the first being 1."""
    return START.replace(hour=0, minute=10) + (number - 1) * DAY


def shares(own: Experiment, number: int, segment: int | None = None) -> list[float]:
    rows = ArmShare.objects.filter(arm__experiment=own, day=shop_day(night(number)), segment=segment)
    return list(rows.order_by("arm__position").values_list("share", flat=True))


def live_days(own: Experiment, number: int, *arms: tuple[int, int], bought: Sequence[int] = ()) -> None:
    """Days that are alike: of each arm people who came and who clicked, and of them buyers."""
    for day in range(number):
        for place, (arm, (came, clicked)) in enumerate(zip(arms_of(own), arms, strict=True)):
            crowd(arm, START + day * DAY, came, clicked=clicked, bought=bought[place] if bought else 0)


def by_hand(arms: Sequence[tuple[int, int]], days: int) -> tuple[list[float], list[float]]:
    """Normal posterior of equal days with the prior N(pooled, (.2 pooled)²): mean and sd of each arm."""
    n, y = np.array(arms, float).T * days
    rate, pooled = y / n, y.sum() / n.sum()
    precision = n / (rate * (1 - rate) * n / (n - days))  # the variance is that within days
    prior = 1 / (0.2 * pooled) ** 2
    return list((precision * rate + prior * pooled) / (precision + prior)), list((precision + prior) ** -0.5)


@pytest.mark.usefixtures("_shop")
def test_the_shares_of_the_fourth_day_are_those_by_hand() -> None:
    """Two arms of 300 a day, 40 and 50 of whom click: P(B best) = Φ(Δ/s), B = .05 + .85 P and A = .10 + .85 (1 − P)."""
    own, arms = bandit(), [(300, 40), (300, 50)]
    live_days(own, 3, *arms)
    assert tick(own, now=night(4))
    mean, sd = by_hand(arms, 3)
    chance = norm.cdf((mean[1] - mean[0]) / math.hypot(*sd))
    assert shares(own, 4) == pytest.approx([0.10 + 0.85 * (1 - chance), 0.05 + 0.85 * chance], abs=1e-6)
    row = ArmShare.objects.get(arm=arms_of(own)[1])
    assert (row.chance_best, row.mean, row.sd) == pytest.approx((chance, mean[1], sd[1]), abs=1e-6)


@pytest.mark.usefixtures("_shop")
def test_a_night_on_which_nothing_moves_leaves_no_line_in_the_log() -> None:
    own = bandit()
    live_days(own, 5, (400, 10), (400, 200))
    for number in (4, 5, 6):
        assert tick(own, now=night(number))
        assert shares(own, number) == pytest.approx([0.10, 0.90], abs=1e-3)
    assert [note.at for note in own.notes.filter(code="shares_set")] == [night(4)]


@pytest.mark.usefixtures("_shop")
def test_floors_are_added_and_not_cut_off() -> None:
    """C is hopeless: it has its floor and nothing more, and what A and B share is 1 − Σ floors by their chances.

    Were shares below a floor lifted to it instead, A and B would differ by more than .8 of their chances do.
    """
    own = bandit(arms=3)
    live_days(own, 3, (400, 60), (400, 60), (400, 35))
    tick(own, now=night(4))
    a, b, c = shares(own, 4)
    chances = dict(ArmShare.objects.values_list("arm__position", "chance_best"))
    assert c == pytest.approx(0.05, abs=2e-3)
    assert (a, b) == pytest.approx((0.10 + 0.8 * chances[0], 0.05 + 0.8 * chances[1]))
    assert (chances[0], chances[1]) == pytest.approx((0.5, 0.5), abs=0.01)
    assert own.notes.first().facts["at_floor"] == [2]  # type: ignore[union-attr]


@pytest.mark.usefixtures("_shop")
def test_the_first_three_days_are_even_and_a_day_is_ticked_once(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    own = bandit()
    live_days(own, 3, (200, 20), (200, 60))
    for number in (2, 3):
        assert tick_bandits(night(number)) == 1
        assert shares(own, number) == [0.5, 0.5]
    with django_capture_on_commit_callbacks() as published:
        assert tick(own, now=night(4))
    assert len(published) == 1
    first = shares(own, 4)
    assert first[1] > 0.8
    crowd(arms_of(own)[0], START, 500, clicked=500)
    for later in (0, 3):
        assert not tick(own, now=night(4) + timedelta(hours=later))
    assert (shares(own, 4), ArmShare.objects.filter(arm__experiment=own).count()) == (first, 2 * 3)
    assert [note.at for note in own.notes.order_by("at")] == [night(2), night(4)]  # the second even day moved nothing


@pytest.mark.usefixtures("_shop")
def test_after_a_missed_night_the_last_shares_go_on_and_its_day_counts() -> None:
    """Ticked on day 4 and on day 6: the shares of day 6 are those of a twin that was ticked every night."""
    ticked, missed = bandit(), bandit()
    for own in (ticked, missed):
        live_days(own, 3, (200, 30), (200, 40))
        tick(own, now=night(4))
        for arm, clicked in zip(arms_of(own), (25, 45), strict=True):
            crowd(arm, START + 3 * DAY, 200, clicked=clicked)
            crowd(arm, START + 4 * DAY, 200, clicked=clicked)
    tick(ticked, now=night(5))
    assert not ArmShare.objects.filter(arm__experiment=missed, day=shop_day(night(5))).exists()
    for own in (ticked, missed):
        tick(own, now=night(6))
    assert shares(missed, 6) == pytest.approx(shares(ticked, 6))
    moves = missed.notes.get(at=night(6)).facts["moves"]
    assert moves[1]["before"] == pytest.approx(shares(missed, 4)[1])


@pytest.mark.usefixtures("_shop")
def test_serving_goes_on_with_the_last_shares_when_no_tick_came() -> None:
    own = bandit()
    live_days(own, 3, (200, 20), (200, 60))
    tick(own, now=night(4))
    (served,) = running_experiments({}, {})
    assert list(served.shares[None]) == pytest.approx(shares(own, 4))


@pytest.mark.usefixtures("_shop")
def test_a_pin_a_floor_and_what_is_out_hold_from_the_next_day() -> None:
    own = bandit(arms=4)
    arms = arms_of(own)
    live_days(own, 3, (200, 40), (200, 40), (200, 40), (200, 40))
    tick(own, now=night(4))
    before = shares(own, 4)
    pin(experiment=own, arm=arms[1], share=0.5, by=None, now=night(4))
    set_floor(experiment=own, arm=arms[2], share=0.2, by=None, now=night(4))
    assert shares(own, 4) == before
    tick(own, now=night(5))
    a, b, c, d = shares(own, 5)
    assert b == 0.5
    # .5 is left: floors .10, .20 and .05 of it, .15 by the chances, a third each
    assert (a, c, d) == pytest.approx((0.15, 0.25, 0.10), abs=1e-3)
    take_out(experiment=own, arm=arms[3], by=None, now=night(5))
    assert shares(own, 5) == pytest.approx([a / 0.9, b / 0.9, c / 0.9, 0], abs=1e-3)
    unpin(experiment=own, arm=arms[1], by=None, now=night(5))
    tick(own, now=night(6))
    assert shares(own, 6)[3] == 0
    assert sum(shares(own, 6)) == pytest.approx(1)
    codes = set(own.notes.values_list("code", flat=True))
    assert codes == {"shares_set", "arm_pinned", "floor_set", "arm_out", "arm_unpinned"}
    verbs = list(AuditEntry.objects.filter(object_type="experiment").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["pin", "set floor", "take out", "unpin"]


@pytest.mark.usefixtures("_shop")
def test_what_is_taken_out_gets_nobody_at_once_even_before_the_first_tick() -> None:
    own = bandit(arms=4)
    take_out(experiment=own, arm=arms_of(own)[2], by=None, now=NOW)
    (served,) = running_experiments({}, {})
    assert list(served.shares[None]) == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    with pytest.raises(ArmIsOutError):
        pin(experiment=own, arm=arms_of(own)[2], share=0.2, by=None, now=NOW)


@pytest.mark.usefixtures("_shop")
def test_the_ceiling_holds_whatever_is_believed() -> None:
    """Only floors that staff set to next to nothing leave room for more than .90."""
    own = bandit()
    for arm in arms_of(own):
        Arm.objects.filter(pk=arm.pk).update(floor=0.01)
    live_days(own, 3, (300, 20), (300, 150))
    tick(own, now=night(4))
    assert shares(own, 4) == pytest.approx([0.10, 0.90])


@pytest.mark.usefixtures("_shop")
def test_steps_that_leave_nothing_to_others_are_refused_by_field() -> None:
    own = bandit(arms=3)
    a, b, c = arms_of(own)
    for share in (0.0, 0.97, math.nan):
        with pytest.raises(ValidationError, match="Between 1% and 95%"):
            pin(experiment=own, arm=b, share=share, by=None, now=NOW)
    with pytest.raises(ValidationError, match="at most 85% is left") as refused:
        pin(experiment=own, arm=b, share=0.9, by=None, now=NOW)
    assert set(refused.value.message_dict) == {"pinned"}
    pin(experiment=own, arm=b, share=0.4, by=None, now=NOW)
    pin(experiment=own, arm=c, share=0.4, by=None, now=NOW)
    with pytest.raises(ValidationError, match="leave one free"):
        pin(experiment=own, arm=a, share=0.2, by=None, now=NOW)
    with pytest.raises(ValidationError, match="at most 20% is left"):
        set_floor(experiment=own, arm=a, share=0.3, by=None, now=NOW)
    for arm in (b, c):
        take_out(experiment=own, arm=arm, by=None, now=NOW)
    with pytest.raises(ValidationError, match="the last one"):
        take_out(experiment=own, arm=a, by=None, now=NOW)
    plain = experiment()
    with pytest.raises(NotInStateError):
        pin(experiment=plain, arm=arms_of(plain)[1], share=0.3, by=None, now=NOW)
    stop(experiment=own, by=None, now=NOW)
    with pytest.raises(NotInStateError):
        set_floor(experiment=own, arm=a, share=0.3, by=None, now=NOW)


@pytest.mark.usefixtures("_shop")
def test_an_arm_that_converts_worse_is_paused_for_good_and_says_by_how_much() -> None:
    own = bandit(arms=3)
    live_days(own, 4, (300, 60), (300, 60), (300, 60), bought=(30, 4, 30))
    tick(own, now=night(5))
    bad = arms_of(own)[1]
    assert bad.out_at == night(5)
    assert shares(own, 5)[1] == 0
    facts = own.notes.get(code="arm_harmed").facts
    # .1 and .0133 convert: −87 %; the interval is wholly below 0 and holds that
    assert (facts["arm"], facts["metric"]) == (1, Metric.CONVERTED)
    assert -1.3 < facts["low"] < 4 / 30 - 1 < facts["high"] < 0
    own.refresh_from_db()
    scale = own.scales[Metric.CONVERTED]
    for arm in arms_of(own):
        crowd(arm, START + 4 * DAY, 300, clicked=60, bought=30)
    tick(own, now=night(6))
    own.refresh_from_db()
    assert (own.scales[Metric.CONVERTED], shares(own, 6)[1]) == (scale, 0)
    assert own.notes.filter(code="arm_harmed").count() == 1


@pytest.mark.usefixtures("_shop")
def test_a_slow_arm_is_paused_where_the_time_to_answer_guards() -> None:
    own = bandit(guardrails={Metric.LATENCY: 0.2})
    live_days(own, 3, (200, 40), (200, 40), bought=(20, 20))
    slow = arms_of(own)[1]
    for position, arm in enumerate(arms_of(own)):
        scattered = 5_000 * (1 + position) + F("unit") % 7 * 100
        Slate.objects.filter(arms=[arm.pk]).update(latency_us=scattered)
    tick(own, now=night(4))
    slow.refresh_from_db()
    assert slow.out_at is not None
    assert own.notes.get(code="arm_harmed").facts["metric"] == Metric.LATENCY


@pytest.mark.usefixtures("_shop")
def test_paused_the_shares_freeze_and_people_go_on_by_them(settings: Any) -> None:
    own = bandit()
    live_days(own, 3, (200, 20), (200, 60))
    tick(own, now=night(4))
    assert pause(experiment=own, by=None, now=night(4)).status == ExperimentStatus.PAUSED
    assert not tick(own, now=night(5))
    assert tick_bandits(night(5)) == 0
    (served,) = running_experiments({}, {})
    assert list(served.shares[None]) == pytest.approx(shares(own, 4))
    resume(experiment=own, by=None, now=night(5))
    assert tick(own, now=night(6))
    assert own.notes.filter(code="shares_frozen").exists()


@pytest.mark.usefixtures("_shop")
def test_what_came_late_stands_in_the_log() -> None:
    own = bandit(primary=Metric.CONVERTED)
    live_days(own, 3, (300, 60), (300, 60), bought=(40, 40))
    tick(own, now=night(4))
    assert not own.notes.filter(code="late_change").exists()
    crowd(arms_of(own)[0], START, 60, clicked=60, bought=60)  # as if settled late
    tick(own, now=night(5))
    late = {note.facts["arm"]: note.facts["change"] for note in own.notes.filter(code="late_change")}
    assert late[0] > 0.02


@pytest.mark.usefixtures("_shop")
def test_of_money_few_buyers_count_and_not_how_much_the_first_spend() -> None:
    """One large basket under B: the shares of A and B are as if both were worth the same."""
    own = bandit(primary=Metric.ATTRIBUTED)
    live_days(own, 3, (200, 40), (200, 40), bought=(10, 10))
    crowd(arms_of(own)[0], START, 1, bought=1, amount=10)
    crowd(arms_of(own)[1], START, 1, bought=1, amount=5_000)
    tick(own, now=night(4))
    assert shares(own, 4) == pytest.approx([0.525, 0.475], abs=1e-3)


@pytest.mark.usefixtures("_shop")
def test_segments_have_shares_of_their_own_that_borrow() -> None:
    """In segment 1 B is better, 120 of 360 to 60 of 360, in 2 A: each leans its own way, all together to neither."""
    own = bandit(by_segment=True)
    live_days(own, 3, (400, 60), (400, 60))
    segments = [Segment.objects.create(number=number) for number in (1, 2)]
    for place, arm in enumerate(arms_of(own)):
        first = 60 if place == 0 else 120  # clickers of segment 1; the others of the 180 are of segment 2
        clicked, idle = _units(arm, clicked=True), _units(arm, clicked=False)
        parts = (clicked[:first] + idle[: 360 - first], clicked[first:] + idle[360 - first : 540])
        for segment, units in zip(segments, parts, strict=True):
            people = Customer.objects.bulk_create(
                Customer(pseudonym=unit.to_bytes(8, "big", signed=True) + bytes(24), kind=CustomerKind.ANONYMOUS)
                for unit in units
            )
            LiveProfile.objects.bulk_create(
                LiveProfile(segment=segment, customer=person, weight=1, shift=0) for person in people
            )
    tick(own, now=night(4))
    assert shares(own, 4) == pytest.approx([0.525, 0.475], abs=1e-6)
    assert shares(own, 4, segment=1)[1] > 0.8
    assert shares(own, 4, segment=2)[0] > 0.8
    row = ArmShare.objects.get(arm=arms_of(own)[1], segment=1)
    assert row.own_mean == pytest.approx(1 / 3)
    assert row.mean is not None
    assert 0.25 < row.mean < 1 / 3  # borrowed from the other segment, where B is worse than A


def _units(arm: Arm, *, clicked: bool) -> list[int]:
    """People under an arm who clicked, or did not, by their place in the day, so that a part of them has all days."""
    outcomes = SlateOutcome.objects.filter(clicked=[1] if clicked else [])
    slates = Slate.objects.filter(arms=[arm.pk], recommendation_id__in=outcomes.values("recommendation_id"))
    return sorted(slates.values_list("unit", flat=True), key=lambda unit: (unit % 1_000_000, unit))


def _tick_at_once(own: Experiment, start: Barrier, results: list[bool]) -> None:
    start.wait()
    results.append(tick(own, now=night(4)))
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_two_ticks_at_once_one_sets_the_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    furnish()
    own = bandit(placements=())
    live_days(own, 3, (50, 10), (50, 20))
    start, between = Barrier(2), Barrier(2, timeout=20)
    read = bandits.bandit_days

    def both_have_read(experiment: Experiment, *, until: date) -> Any:
        result = read(experiment, until=until)
        between.wait()  # neither has written yet
        return result

    monkeypatch.setattr(bandits, "bandit_days", both_have_read)
    results: list[bool] = []
    threads = [Thread(target=_tick_at_once, args=(own, start, results)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(results) == [False, True]
    assert (len(shares(own, 4)), own.notes.count()) == (2, 1)
