"""A look every day at experiments without any effect: how often "different" is said, and how wide intervals must be."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.bars import Figure, say
from bench.experiments.looks import METRICS, Looks
from recommendations.engine.evaluation.intervals import NORMAL
from recommendations.engine.experiments.decision import FEWEST, WHOLE_DAYS
from recommendations.engine.experiments.sequences import half_width, mixture_scale
from recommendations.engine.rng import generator
from recommendations.engine.simulation.visitors import VisitorModel, visitors

ALPHA = 0.05
PLANNED = 10  # made months before, from which the errors of the plan come


def planned(model: VisitorModel, *, seed: int) -> dict[str, float]:
    """τ² of each metric, by the mean standard error of months that are over before the start."""
    months = [visitors(model, draw=generator(seed, "plan", str(month))) for month in range(PLANNED)]
    errors = {name: [looks(month).effects[-1].se for month in months] for name, looks in METRICS.items()}
    return {name: mixture_scale(float(np.mean(values)), ALPHA) for name, values in errors.items()}


def alarms(looks: Looks, tau2: float) -> tuple[bool, bool, bool, bool]:
    """Whether a run says "different": by t at the end, by t on some day, always valid on some day, as it is decided."""
    z = [abs(effect.value) / effect.se for effect in looks.effects]
    beyond = [abs(effect.value) > half_width(effect.se, tau2, ALPHA) for effect in looks.effects]
    decided = [
        hit and day >= WHOLE_DAYS and came >= FEWEST
        for day, (hit, came) in enumerate(zip(beyond, looks.successes, strict=True), start=1)
    ]
    daily = any(value > NORMAL for value in z if math.isfinite(value))
    return z[-1] > NORMAL, daily, any(beyond), any(decided)


def peeking(runs: int, *, seed: int, refunds: float, people: int = 7_000) -> Iterator[Figure]:
    """Figures of so many runs of 28 days, each looked at every day."""
    model = replace(VisitorModel(people=people), refunds=refunds)
    scales = planned(model, seed=seed)
    rows: dict[str, list[tuple[bool, bool, bool, bool]]] = {name: [] for name in METRICS}
    for run in range(runs):
        days = visitors(model, draw=generator(seed, "peeking", str(run)))
        for name, looks in METRICS.items():
            rows[name].append(alarms(looks(days), scales[name]))
    say(f"nothing differs, {people:,} people, {runs:,} runs, {refunds:.0%} refunds: share that says “different”")
    say(f"{'':16} {'t once':>7} {'t daily':>8} {'always valid':>13} {'as decided':>11}")
    for name, said in rows.items():
        once, daily, valid, decided = np.mean(said, axis=0)
        say(f"{name:16} {once:7.3f} {daily:8.3f} {valid:13.3f} {decided:11.3f}")
        words = f"{name}, {refunds:.0%} refunds"
        yield Figure(f"false alarms, {words}", float(valid), most=0.05)
        yield Figure(f"the same by t, {words}", float(daily), least=0.20)
        yield Figure(f"coverage at the end, {words}", float(1 - once), least=0.93, most=0.97)
    say()
