"""Hours: the best of those that are allowed, one of ten at random, with the chance that it was that one."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from recommendations.engine.push.activity import WEEK
from recommendations.engine.push.hours import AT_RANDOM, DrawnHour, drawn_hour
from recommendations.engine.push.timing import QuietHours
from recommendations.push_terms import Verdict
from tests.engine.push.test_decision import NIGHT, NOW, case, decided, one, person, terms

SHOP, TOKYO = ZoneInfo("UTC"), ZoneInfo("Asia/Tokyo")
NONE = QuietHours(time(0), time(0))
MONDAY = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)


def peak(*hours: int) -> NDArray[np.float64]:
    chances = np.full(WEEK, 0.001)
    chances[list(hours)] = 0.1
    return chances


def drawn(
    chances: NDArray[np.float64],
    *,
    within: int = 24,
    share: float = 0.5,
    quiet: QuietHours = NONE,
    zone: ZoneInfo = SHOP,
) -> DrawnHour:
    return drawn_hour(
        chances, after=MONDAY, until=MONDAY + timedelta(hours=within), shop=SHOP, zone=zone, quiet=quiet, share=share
    )


def test_it_leaves_as_the_three_best_hours_begin() -> None:
    assert drawn(peak(18, 19, 20)).at == MONDAY.replace(hour=18, minute=0)
    assert drawn(peak(24 + 7, 24 + 8, 24 + 9)).at == datetime(2026, 9, 8, 7, tzinfo=UTC)
    assert drawn(peak(9, 10, 11)).at == MONDAY  # they have begun


def test_hours_beyond_the_wait_do_not_count() -> None:
    assert drawn(peak(18, 19, 20), within=4).at < MONDAY + timedelta(hours=4)


def test_quiet_hours_of_the_customer_are_left_out() -> None:
    night = QuietHours(time(21), time(8))
    at = drawn(peak(15, 16, 17), zone=TOKYO, quiet=night).at  # 0:00 to 3:00 there
    assert not night.hold(at.astimezone(TOKYO).time())


def test_it_leaves_at_once_when_the_wait_is_over_and_nothing_was_drawn() -> None:
    late = drawn_hour(
        peak(18), after=MONDAY, until=MONDAY - timedelta(hours=1), shop=SHOP, zone=SHOP, quiet=NONE, share=0.5
    )
    assert late == (MONDAY, None)


def test_a_tenth_gets_any_hour_alike_and_the_propensity_is_how_often_it_comes() -> None:
    chances, times = peak(18, 19, 20), Counter[datetime]()
    shares = (np.arange(20_000) + 0.5) / 20_000
    said = {}
    for share in shares.tolist():
        at, propensity = drawn(chances, within=10, share=share)
        times[at] += 1
        said[at] = propensity
    assert len(times) == 11
    for at, count in times.items():
        assert count / len(shares) == pytest.approx(said[at], abs=1e-3)
    assert max(said.values()) == pytest.approx(1 - AT_RANDOM + AT_RANDOM / 11)


class TestDecision:
    def test_a_message_waits_for_the_best_hour_and_says_how_likely_it_was(self) -> None:
        who = person(hours=peak(24 * NOW.weekday() + 18))
        outcome = one(who, terms(best_within=timedelta(hours=24)))
        assert outcome.verdict is Verdict.LATER
        assert outcome.hour_propensity is not None
        assert one(who, terms()).hour_propensity is None

    def test_without_hours_it_leaves_as_ever(self) -> None:
        outcome = one(person(), terms(best_within=timedelta(hours=24)))
        assert (outcome.due_at, outcome.hour_propensity) == (NOW, None)

    def test_it_is_the_same_at_every_look_and_never_in_the_night(self) -> None:
        people = [person(number, hours=peak(24 * NOW.weekday() + 2), zone=TOKYO) for number in range(1, 200)]
        cases = [case(each.customer) for each in people]
        what = terms(best_within=timedelta(hours=48), salt=b"c")
        first, again = (decided(cases, people, [what]) for _ in range(2))
        assert first == again
        assert all(each.due_at and not NIGHT.hold(each.due_at.astimezone(TOKYO).time()) for each in first)
        assert len({each.due_at for each in first}) > 5  # some at random

    def test_a_later_look_goes_on_with_what_is_left_of_the_wait(self) -> None:
        who = person(hours=peak(24 * NOW.weekday() + 18), most_a_week=None)
        late = NOW + timedelta(hours=30)
        outcome = one(who, terms(best_within=timedelta(hours=24)), now=late, wanted_at=NOW)
        assert outcome.due_at == late
