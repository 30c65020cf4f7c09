"""What a log of exploring tells of the agent before it acts, and whether poor records are refused."""

from collections.abc import Iterator

import numpy as np

from bench.bars import Figure, say
from bench.meter import Progress
from recommendations.engine.push.agent.caused import NOTHING_KNOWN
from recommendations.engine.push.agent.off_policy import agent_minus_rule, cross_fit, difference_of
from recommendations.engine.push.agent.readiness import (
    AgentRecord,
    AgentRefusalCode,
    acting_refusal,
    caused_refusal,
    off_policy_refusal,
)
from recommendations.engine.rng import generator
from recommendations.engine.simulation.recipient_arms import AgentArm, RuleArm
from recommendations.engine.simulation.recipient_days import DAYS, RecipientDays
from recommendations.engine.simulation.recipient_log import decision_log, true_difference
from recommendations.engine.simulation.recipients import SCALES, RecipientModel, made_recipients

EXPLORED_DAYS = 28
ENOUGH, FEW = 10_000, 2_500  # people, whose answers of 28 days are enough or too few
EVERY_THOUSAND = 1_000


def explored(people: int, *, days: int, seed: int, held: float = 0.1, exploring: bool = True) -> RecipientDays:
    """Days of the rule, of whose decisions half were even, or none."""
    made = made_recipients(RecipientModel(people=people), seed=seed)
    group = (generator(seed, "groups").random(people) >= 1 - held).astype(np.int64)
    return RecipientDays(
        recipients=made, arms=[RuleArm(made, seed=seed)], group=group, seed=seed, days=days,
        exploring=days if exploring else 0, keeps_log=True,
    ).run()  # fmt: skip


def off_policy(runs: int, *, seed: int, tell: Progress) -> Iterator[Figure]:
    """Coverage of what is not refused."""
    told, inside, halves, truths, better = 0, 0, [], [], 0
    for run in range(seed, seed + runs):
        days = explored(ENOUGH, days=EXPLORED_DAYS, seed=run)
        log = decision_log(days)
        fit = cross_fit(log, rate=SCALES.rate, seed=run)
        estimate = difference_of(log, fit)
        if estimate is None or off_policy_refusal(estimate):
            continue
        truth = true_difference(days, log, fit)
        told += 1
        inside += estimate.low <= truth <= estimate.high
        better += estimate.low > 0
        halves.append((estimate.high - estimate.low) / 2)
        truths.append(truth)
    tell(f"off-policy: {runs} runs")
    if told:
        true, half = EVERY_THOUSAND * np.mean(truths), EVERY_THOUSAND * np.mean(halves)
        say(
            f"\noff-policy, {ENOUGH:,} people explore for {EXPLORED_DAYS} days: {told} of {runs} told, others refused;"
            f" true {true:+.0f} ± {half:.0f} a thousand decisions, says better in {better / told:.0%}"
        )
    yield Figure("off-policy: told", told, least=1)
    yield Figure("off-policy: intervals that hold the truth, of those told", inside / max(told, 1), least=0.92)


def refusals(runs: int, *, seed: int, tell: Progress) -> Iterator[Figure]:
    """Shares of planted poor cases that are refused, each by its own name."""
    codes = AgentRefusalCode
    counts = dict.fromkeys(("no holdout", "150 answers", "no chances", "390 logged answers", "few held out"), 0)
    for run in range(seed, seed + runs):
        everybody = record(_acted(1_500, seed=run, held=0.0))
        counts["no holdout"] += _code(everybody) is codes.NO_HOLDOUT
        counts["150 answers"] += _code(record(_acted(450, seed=run, held=0.1))) is codes.TOO_FEW_ANSWERS
        plain = decision_log(explored(FEW, days=14, seed=run, exploring=False))
        refusal = off_policy_refusal(agent_minus_rule(plain, rate=SCALES.rate, seed=run))
        counts["no chances"] += refusal is not None and refusal.code is codes.NO_CHANCES
        few = decision_log(explored(FEW, days=EXPLORED_DAYS, seed=run))
        refusal = off_policy_refusal(agent_minus_rule(few, rate=SCALES.rate, seed=run))
        counts["390 logged answers"] += refusal is not None and refusal.code is codes.TOO_FEW_LOGGED
        small = _acted(450, seed=run, held=0.1).arms[0]
        caused = small.caused if isinstance(small, AgentArm) else NOTHING_KNOWN
        counts["few held out"] += all(caused_refusal(caused, band) is not None for band in range(3))
    tell(f"refusals: {runs} runs")
    for name, count in counts.items():
        yield Figure(f"refused: {name}", count / runs, least=1)


def record(days: RecipientDays) -> AgentRecord:
    """What stands of an agent after made days."""
    return AgentRecord(
        answers=int(days.answers.sum()), held_out=int(days.sizes[-1]), split_is_even=True, guardrail_fired=False,
        decisions=1, without_outcome=0, version_age=1.0, levers=5,
    )  # fmt: skip


def _acted(people: int, *, seed: int, held: float) -> RecipientDays:
    made = made_recipients(RecipientModel(people=people), seed=seed)
    group = (generator(seed, "groups").random(people) >= 1 - held).astype(np.int64)
    return RecipientDays(recipients=made, arms=[AgentArm(made, seed=seed)], group=group, seed=seed, days=DAYS).run()


def _code(stands: AgentRecord) -> AgentRefusalCode | None:
    refusal = acting_refusal(stands)
    return refusal.code if refusal else None
