"""What the agent earns beside the rule in made worlds, fortnight by fortnight, paired by world."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.bars import Figure, say
from bench.meter import Progress
from bench.push.fitted_q import FittedQArm, FittedQDays
from recommendations.engine.rng import generator
from recommendations.engine.simulation.recipient_arms import AgentArm, PushArm, RuleArm
from recommendations.engine.simulation.recipient_days import RecipientDays
from recommendations.engine.simulation.recipients import RecipientKind, RecipientModel, Recipients, made_recipients

type Values = NDArray[np.float64]
ACTS = 0.9  # share of the people whom the arm decides for; the others are held out
FORTNIGHT, WEEKS = 14, 8
Z = 1.96
ARMS: Mapping[str, Callable[[Recipients, int], PushArm]] = {
    "rule": lambda people, seed: RuleArm(people, seed=seed),
    "rule + both prices": lambda people, seed: RuleArm(people, seed=seed, prices=True),
    "agent": lambda people, seed: AgentArm(people, seed=seed),
    "agent, answers count whole": lambda people, seed: AgentArm(people, seed=seed, counts_caused=False),
    "agent, fitted Q": lambda people, seed: FittedQArm(people, seed=seed),
}
USUAL = ("rule", "rule + both prices", "agent")


@dataclass(frozen=True, kw_only=True)
class WorldRuns:
    """Runs of an arm in worlds of one kind."""

    net: Values  # [runs, fortnights]: money a head
    leavers: float  # a week and 1,000 people
    messages: float  # the same
    answers: float  # a run


def live(name: str, model: RecipientModel, *, seed: int) -> RecipientDays:
    """Live through 56 days of one world with one arm."""
    people = made_recipients(model, seed=seed)
    group = (generator(seed, "groups").random(model.people) >= ACTS).astype(np.int64)
    days = FittedQDays if name.endswith("fitted Q") else RecipientDays
    return days(recipients=people, arms=[ARMS[name](people, seed)], group=group, seed=seed).run()


def runs_of(name: str, model: RecipientModel, *, runs: int, seed: int) -> WorldRuns:
    every = [live(name, model, seed=seed + run) for run in range(runs)]
    heads = np.array([each.sizes[0] for each in every])
    net = np.array([each.net[:, 0].reshape(-1, FORTNIGHT).sum(axis=1) for each in every]) / heads[:, None]
    weekly = 1_000 / heads / WEEKS
    return WorldRuns(
        net=net, leavers=float(np.mean([each.left[0] for each in every] * weekly)),
        messages=float(np.mean([each.messages[0] for each in every] * weekly)),
        answers=float(np.mean([each.answers.sum() for each in every])),
    )  # fmt: skip


def gain(arm: Values, beside: Values) -> tuple[float, float]:
    """How much more [runs] an arm has, per cent of the mean of what it stands beside, and half of the interval."""
    percent = (arm - beside) / abs(beside.mean()) * 100
    half = Z * percent.std(ddof=1) / np.sqrt(len(percent)) if len(percent) > 1 else float("nan")
    return float(percent.mean()), float(half)


def world(
    kind: RecipientKind, people: int, *, runs: int, seed: int, tell: Progress, arms: Sequence[str] = USUAL
) -> dict[str, WorldRuns]:
    """Runs of each arm in the same worlds, told as they come."""
    model, every = RecipientModel(people=people, kind=kind), {}
    for name in arms:
        every[name] = one = runs_of(name, model, runs=runs, seed=seed)
        total, half = gain(one.net.sum(axis=1), every[arms[0]].net.sum(axis=1))
        parts = [gain(one.net[:, part], every[arms[0]].net[:, part])[0] for part in range(one.net.shape[1])]
        by = " ".join(f"{part:+4.0f}" for part in parts)
        say(
            f"{kind:7}{people:8,} {name:27}{total:+7.1f} % ± {half:4.1f}   by fortnight {by}   leave {one.leavers:5.2f}"
            f"   messages {one.messages:6.0f}   answers {one.answers:7.0f}"
        )
    tell(f"{kind}, {people:,} people: {runs} runs")
    return every


def worlds(runs: int, *, seed: int, quick: bool, tell: Progress) -> Iterator[Figure]:
    """Figures of all worlds."""
    say(f"net worth beside the rule's, 56 days, {runs} runs a world; leavers and messages a week and 1,000 people")
    every = {
        kind: world(kind, 2_500, runs=runs, seed=seed, tell=tell)
        for kind in (RecipientKind.STRONG, RecipientKind.ALIKE, RecipientKind.TURNS, RecipientKind.MAIN)
    }
    every_sum = {kind: {name: one.net.sum(axis=1) for name, one in arms.items()} for kind, arms in every.items()}
    strong, alike = every_sum[RecipientKind.STRONG], every_sum[RecipientKind.ALIKE]
    yield Figure("strong: over the rule, %", gain(strong["agent"], strong["rule"])[0], least=15)
    yield Figure(
        "strong: over rule and both prices, %", gain(strong["agent"], strong["rule + both prices"])[0], least=6
    )
    yield Figure(
        "alike: over rule and both prices, %", gain(alike["agent"], alike["rule + both prices"])[0], least=-3, most=3
    )
    turns = every[RecipientKind.TURNS]
    yield Figure(
        "turns: over the rule in the last fortnight, %",
        gain(turns["agent"].net[:, -1], turns["rule"].net[:, -1])[0], least=15,
    )  # fmt: skip
    for kind, arms in every.items():
        yield Figure(f"{kind}: leavers of the rule's", arms["agent"].leavers / arms["rule"].leavers, most=1)
    small = world(RecipientKind.STRONG, 700, runs=max(runs * 5 // 3, 2), seed=seed, tell=tell, arms=("rule", "agent"))
    third = gain(small["agent"].net[:, 2], small["rule"].net[:, 2])
    yield Figure("700 people: over the rule in the third fortnight, %", third[0], least=0)
    if not quick:
        yield from large(seed=seed, tell=tell)


def large(*, seed: int, tell: Progress) -> Iterator[Figure]:
    """Figures of 25,000 people, where fitted Q has enough to learn from."""
    arms = (*USUAL, "agent, answers count whole", "agent, fitted Q")
    many = {name: one.net.sum(axis=1) for name, one in world(
        RecipientKind.STRONG, 25_000, runs=6, seed=seed, tell=tell, arms=arms
    ).items()}  # fmt: skip
    agent = gain(many["agent"], many["rule"])[0]
    yield Figure("strong, 25,000: over the rule, %", agent, least=24)
    yield Figure(
        "strong, 25,000: fitted Q better by, points", gain(many["agent, fitted Q"], many["rule"])[0] - agent, most=2
    )
    yield Figure(
        "strong, 25,000: answers counted whole worse by, points",
        agent - gain(many["agent, answers count whole"], many["rule"])[0], least=0,
    )  # fmt: skip
