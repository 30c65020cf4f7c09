import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommendations.engine.evaluation.alarms import (
    BY_DAY,
    ENOUGH,
    NO_EVIDENCE,
    REFERENCE,
    THRESHOLD,
    WEEK,
    AlarmDirection,
    Detection,
    RunningEvidence,
    detect,
    is_usual_again,
    residuals,
    scatter_of_days,
    usual,
    watch,
)

NAN = float("nan")
HOURS = st.lists(st.one_of(st.floats(-6, 6), st.just(NAN)), max_size=60)


def even(hours: int, *, counts: int = 50, tries: int = 1000) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.full(hours, counts), np.full(hours, tries)


def test_the_residual_of_an_hour_by_hand() -> None:
    """40 of 1,000 against 50 of 1,000 in each of four weeks: 240 of 5,000 in all.

    p = .048, variance .048 · .952 · (1/1,000 + 1/4,000) + (.05 · .048)² = 5.712e-5 + 5.76e-6, z = −.01 / .00793.
    """
    counts, tries = even(REFERENCE + 2)
    counts[-1] = 40
    z = residuals(counts, tries)
    assert np.isnan(z[:REFERENCE]).all()
    assert z[REFERENCE:] == pytest.approx([0, -0.01 / math.sqrt(6.288e-5)])


def test_an_hour_is_held_against_the_same_hour_of_four_weeks() -> None:
    """Weeks of 10 of 1,000, 20 of 1,000, 30 of 1,000 and 40 of 2,000 at one hour, 50 of 1,000 at all others."""
    counts, tries = even(REFERENCE + 3)
    counts[2:REFERENCE:WEEK], tries[2 + 3 * WEEK] = [10, 20, 30, 40], 2000
    assert usual(counts, tries)[REFERENCE:] == pytest.approx([0.05, 0.05, 0.02])


@pytest.mark.parametrize(("tries", "rate"), [(360, 0.005), (18, 0.05)])
def test_hours_with_few_counts_do_not_look_like_a_change(tries: int, rate: float) -> None:
    """With the rate of the four weeks alone in the variance, z is a tenth too high on average."""
    draw = np.random.default_rng(0)
    hours = [np.full(12 * WEEK, tries)] * 25
    assert sum(watch(draw.binomial(each, rate), each).alarm is not None for each in hours) <= 3
    z = np.concatenate([residuals(draw.binomial(each, rate), each) for each in hours])
    assert np.nanmean(z) == pytest.approx(0, abs=0.03)


def test_an_hour_that_cannot_differ_is_unknown() -> None:
    """Without a count in five weeks nothing is to be seen, nor where every try counts; the first count is."""
    counts, tries = even(REFERENCE + 2, counts=0)
    counts[-1] = 1
    z = residuals(counts, tries)
    assert math.isnan(z[-2])
    assert z[-1] > 1
    assert np.isnan(residuals(tries, tries)).all()


def test_hours_without_tries_are_unknown() -> None:
    counts, tries = even(REFERENCE + 4)
    for hours in (slice(0, REFERENCE, WEEK), slice(REFERENCE + 1, REFERENCE + 2)):
        counts[hours] = tries[hours] = 0
    assert np.isnan(residuals(counts, tries)[REFERENCE:]).tolist() == [True, True, False, False]
    for hours in (0, 100, 600, REFERENCE):
        assert np.isnan(residuals(*even(hours))).all()


def test_more_counts_than_tries_are_refused() -> None:
    with pytest.raises(ValueError, match="more counts"):
        residuals(np.array([3]), np.array([2]))


def test_evidence_by_hand() -> None:
    """z = 1 adds .3 − .045 = .255; −2 takes .645, and e is 1 again."""
    one = NO_EVIDENCE.after(1.0)
    assert (one.log, one.steps) == (pytest.approx(0.255), 1)
    assert (one.after(1.0).log, one.after(1.0).steps) == (pytest.approx(0.51), 2)
    assert one.after(-2.0) == NO_EVIDENCE
    assert one.after(NAN) == RunningEvidence(one.log, 2)


def test_an_alarm_names_its_hour_its_onset_and_its_direction() -> None:
    """ln 17,520 = 9.771; an hour of z = 2 gives .555, so the 18th is the first above."""
    assert THRESHOLD == 17_520
    for sign, direction in ((1, AlarmDirection.RISE), (-1, AlarmDirection.FALL)):
        z = sign * np.concatenate([[1.0, -3.0, NAN], np.full(30, 2.0)])
        seen = detect(z)
        assert (seen.direction, seen.onset, seen.alarm) == (direction, 3, 3 + 17)
        assert (seen.rise, seen.fall) == (NO_EVIDENCE, NO_EVIDENCE)
    assert detect(np.full(17, 2.0)).alarm is None


@given(HOURS, HOURS)
def test_to_watch_on_is_to_watch_all_at_once(before: list[float], after: list[float]) -> None:
    first = detect(np.array(before))
    whole = detect(np.array(before + after))
    if first.alarm is not None:
        assert whole == first
        return
    second = detect(np.array(after), first.rise, first.fall)
    assert (second.rise, second.fall, second.direction) == (whole.rise, whole.fall, whole.direction)
    if second.alarm is not None and second.onset is not None:
        assert (second.alarm + len(before), second.onset + len(before)) == (whole.alarm, whole.onset)


@given(HOURS)
def test_a_rise_upside_down_is_a_fall(z: list[float]) -> None:
    seen, other = detect(np.array(z)), detect(-np.array(z))
    assert (seen.alarm, seen.onset, seen.rise, seen.fall) == (other.alarm, other.onset, other.fall, other.rise)


def test_under_five_weeks_nothing_is_watched() -> None:
    counts, tries = even(ENOUGH + 40)
    counts[REFERENCE:] = 200
    assert watch(counts, tries).direction is AlarmDirection.RISE
    assert watch(counts[: ENOUGH - 1], tries[: ENOUGH - 1]) == Detection(silent=True)
    assert not watch(counts[:ENOUGH], tries[:ENOUGH]).silent
    tries[:41] = counts[:41] = 0  # the shop opens 41 hours later: an hour short of five weeks
    assert watch(counts, tries).silent
    assert watch(*even(0)).silent
    evidence = RunningEvidence(3.0, 7)
    assert watch(*even(ENOUGH - 1), rise=evidence).rise == evidence


def test_a_fall_is_told_by_its_hours_and_its_size() -> None:
    counts, tries = even(10 * WEEK)
    counts[9 * WEEK :] = 40
    seen = watch(counts, tries)
    assert (seen.direction, seen.onset) == (AlarmDirection.FALL, 9 * WEEK)
    assert seen.change == pytest.approx(-0.2, abs=1e-4)
    later = watch(counts, tries, since=9 * WEEK + 2, fall=watch(counts[: 9 * WEEK + 2], tries[: 9 * WEEK + 2]).fall)
    assert later == seen


def test_the_detector_seldom_alarms_in_a_year_without_a_change() -> None:
    """Theory: at most one alarm a year of independent hours; here 60 years, of which one in fifty has one."""
    draw = np.random.default_rng(0)
    alarms = sum(detect(draw.normal(size=365 * 24)).alarm is not None for _ in range(60))
    assert alarms <= 8


def test_a_mean_by_hand() -> None:
    """An hour of 30 in sales from 1,000 lists against 50 in each of four weeks, each sale of 10: mean square 230/500.

    p = .046, mean square .46, scatter .457884, variance .457884 · .00125 + (.05 · .046)², z = −.02 / .02404.
    """
    sums, tries = even(REFERENCE + 1)
    sums[-1] = 30
    z = residuals(sums, tries, squares=10.0 * sums)
    assert z[-1] == pytest.approx(-0.02 / math.sqrt(0.457884 * 0.00125 + 0.0023**2))


def test_days_have_weeks_of_seven_and_another_bar() -> None:
    """35 days of 50 of 1,000, then 20 of 1,000 a day: z = −.03 / √(.044 · .956 · .00125 + .0022²) = −3.96 a day.

    Each day adds .8 · 3.96 − .32 = 2.85 to ln e, and ln 730 = 6.59: the third one raises the alarm.
    """
    counts, tries = even(38)
    counts[35:] = 20
    seen = watch(counts, tries, cadence=BY_DAY)
    assert (seen.direction, seen.onset, seen.alarm) == (AlarmDirection.FALL, 35, 37)
    assert seen.change == pytest.approx(-0.6)
    assert watch(counts[:34], tries[:34], cadence=BY_DAY).silent


def test_a_rate_is_usual_again_after_a_day_of_less_than_half_the_change() -> None:
    counts, tries = even(ENOUGH + 60)
    counts[ENOUGH : ENOUGH + 36] = 40  # −20 %
    assert not is_usual_again(counts[:-24], tries[:-24], since=ENOUGH, change=-0.2)
    assert is_usual_again(counts, tries, since=ENOUGH + 36, change=-0.2)
    assert not is_usual_again(counts, tries, since=ENOUGH + 37, change=-0.2)  # fewer than 24 hours
    counts[-24:] = 44  # −12 %
    assert not is_usual_again(counts, tries, since=ENOUGH, change=-0.2)
    assert is_usual_again(counts, tries, since=ENOUGH, change=0.2)


def test_the_scatter_of_days_by_hand() -> None:
    """Weeks of 80, 100, 100, 120 each day: mean 100, sum of squares 7 · 800, / 21 = 266.7, a deviation of 16.3 %."""
    days = np.repeat([80, 100, 100, 120], 7)
    assert scatter_of_days(np.append(np.full(9, 5000), days)) == pytest.approx(math.sqrt(800 / 3) / 100)
    assert scatter_of_days(np.full(28, 10)) == scatter_of_days(np.zeros(28)) == pytest.approx(0.05)
