"""An arm that converts less: on which day it is at its floor, in how many runs it is paused, and whom else it hits."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.bars import Figure, say
from recommendations.engine.experiments.bandit import FLOOR, among, daily_chances, floors_of
from recommendations.engine.experiments.guardrail import harmed, planned_scale
from recommendations.engine.rng import generator
from recommendations.engine.simulation.days import ArmDays, DayModel

DAYS, ARMS = 56, 4
HARM = (0.0, -0.2, -0.4, -0.8)
FIRST = 3  # days before the guardrail speaks
AT_FLOOR = 0.07
BAD = ARMS - 1


@dataclass(frozen=True)
class GuardedRun:
    """Day on which the bad arm was at its floor and paused (infinite: never), and whether a harmless one was paused."""

    floor: float
    paused: float
    harmless: bool


def guarded(lift: float, *, draw: np.random.Generator, rate: bool) -> GuardedRun:
    """Live through 56 days under guardrails; shares follow revenue, or conversions too where ``rate``."""
    model, lifts = DayModel(), (0.0, 0.0, 0.0, lift)
    days, share, tau2 = ArmDays(model, arms=ARMS, rate=rate), np.full(ARMS, 1 / ARMS), None
    running, paused, floor = list(range(ARMS)), {}, np.inf
    for day in range(1, DAYS + 1):
        days.add(share, lifts, draw=draw)
        record = days.record()
        if day >= FIRST:
            tau2 = tau2 or planned_scale(record)
            for arm in harmed(record, tau2) if tau2 else ():
                if arm in running:
                    running.remove(arm)
                    paused[arm] = day
        share = among(daily_chances(record), running, floors_of(ARMS))
        if share[BAD] <= max(AT_FLOOR, FLOOR) and not np.isfinite(floor):
            floor = day
    harmless = [arm for arm in paused if arm != BAD or not lift]
    return GuardedRun(floor=floor, paused=paused.get(BAD, np.inf), harmless=bool(harmless))


def guardrails(runs: int, *, seed: int) -> Iterator[Figure]:
    """Figures of so many runs for each size of harm, guarded by conversions; beside them, by revenue."""
    say(f"guardrails, {ARMS} arms, {DAYS} days of 2,000 units, {runs} runs; medians of days")
    say(f"{'guarded by':14}{'the last arm':>13}{'at its floor':>14}{'paused':>8}{'on day':>8}{'harmless paused':>17}")
    worst = 0.0
    for rate in (True, False):
        for lift in HARM:
            lives = [guarded(lift, draw=generator(seed, "guardrail", str(run)), rate=rate) for run in range(runs)]
            gone = np.array([each.paused for each in lives])
            floor = float(np.median([each.floor for each in lives]))
            share, wrong = float(np.isfinite(gone).mean()), float(np.mean([each.harmless for each in lives]))
            words, day = (
                ("conversions" if rate else "revenue"),
                np.median(gone[np.isfinite(gone)]) if np.isfinite(gone).any() else np.nan,
            )
            say(f"{words:14}{lift:>+13.0%}{floor:>14.0f}{share:>8.0%}{day:>8.0f}{wrong:>17.1%}")
            worst = max(worst, wrong) if rate else worst
            if rate and lift == HARM[-1]:
                yield Figure("−80 %: median day at its floor", floor, most=7)
                yield Figure("−80 %: runs in which it is paused", share, least=0.95)
    yield Figure("runs in which a harmless arm is paused, at most", worst, most=0.05)
    say()
