"""Whether intervals that may be looked at every day hold what is true of agent, rule and holdout, in made worlds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.bars import Figure, say
from bench.meter import Progress
from recommendations.engine.experiments.effects import mean_difference
from recommendations.engine.experiments.moments import Moments, theta
from recommendations.engine.experiments.sequences import half_width, mixture_scale
from recommendations.engine.push.agent.groups import PROOF
from recommendations.engine.rng import generator
from recommendations.engine.simulation.recipient_arms import AgentArm, RuleArm
from recommendations.engine.simulation.recipient_days import MONTH, RecipientDays
from recommendations.engine.simulation.recipients import RecipientKind, RecipientModel, made_recipients

type Values = NDArray[np.float64]
ALPHA = 0.05
FIRST_LOOK = 6
AGENT, RULE, HELD = 0, 1, 2
PAIRS = {"rule": RULE, "holdout": HELD}


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Daily looks at money a head [looks, pairs]: what is shown, half of its interval, and what is expected."""

    shown: Values
    half: Values
    expected: Values


def looks_of(kind: RecipientKind, people: int, *, seed: int) -> Looks:
    """Live through a world whose people are split 45 : 45 : 10, and look every day from the first week on."""
    made = made_recipients(RecipientModel(people=people, kind=kind), seed=seed)
    group = np.searchsorted([PROOF, 2 * PROOF], generator(seed, "groups").random(people), side="right")
    days = RecipientDays(
        recipients=made, arms=[AgentArm(made, seed=seed), RuleArm(made, seed=seed)], group=group, seed=seed
    )  # fmt: skip
    scales = [_scale(days, group, other) for other in PAIRS.values()]
    shown, half, expected = [], [], []
    for day in range(days.days):
        days.step()
        if day < FIRST_LOOK:
            continue
        sides = [Moments.of(days.spent[group == number], days.spent_before[group == number]) for number in range(3)]
        mean = [float(days.caused[group == number].mean()) for number in range(3)]
        effects = [
            mean_difference(sides[AGENT], sides[other], theta=theta([sides[AGENT], sides[other]]))
            for other in PAIRS.values()
        ]
        shown.append([each.value for each in effects])
        half.append([half_width(each.se, tau2, ALPHA) for each, tau2 in zip(effects, scales, strict=True)])
        expected.append([mean[AGENT] - mean[other] for other in PAIRS.values()])
    return Looks(shown=np.array(shown), half=np.array(half), expected=np.array(expected))


def _scale(days: RecipientDays, group: NDArray[np.int64], other: int) -> float:
    """τ² of a plan that knows what people spent in the 28 days before, and nothing of what comes."""
    sides = [days.spent_before[group == number] for number in (AGENT, other)]
    longer = days.days / MONTH
    return mixture_scale(float(np.sqrt(longer * sum(side.var() / len(side) for side in sides))), ALPHA)


def looks(runs: int, *, seed: int, tell: Progress) -> Iterator[Figure]:
    """How often intervals miss at some look, and how often "better" is said where nothing is caused."""
    say(f"\nagent beside rule and holdout, 2,500 people at 45 : 45 : 10, daily looks, {runs} runs")
    for kind in (RecipientKind.STRONG, RecipientKind.DEAD):
        every = [looks_of(kind, 2_500, seed=seed + run) for run in range(runs)]
        truth = np.mean([each.expected for each in every], axis=0)
        for place, name in enumerate(PAIRS):
            missed, better, half = _sums(every, truth, place)
            say(f"{kind:7} agent − {name:8} true {truth[-1, place]:6.2f} a head   half-width at the end {half:5.2f}")
            if kind is RecipientKind.STRONG:
                yield Figure(f"intervals that miss at some look, agent − {name}", missed, most=0.05)
            else:
                yield Figure(f"nothing caused: better than {name} at some look", better, most=0.05)
        tell(f"looks, {kind}")


def _sums(every: Sequence[Looks], truth: Values, place: int) -> tuple[float, float, float]:
    """Shares of runs that miss the truth, and that say *better*, at some look; half-width at the end."""
    off = [np.abs(each.shown[:, place] - truth[:, place]) > each.half[:, place] for each in every]
    better = [(each.shown[:, place] - each.half[:, place] > 0).any() for each in every]
    missed = float(np.mean([each.any() for each in off]))
    return missed, float(np.mean(better)), float(np.mean([each.half[-1, place] for each in every]))
