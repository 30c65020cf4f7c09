"""What a night and a morning of the agent cost with many people."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.bars import Figure
from bench.meter import Progress, metered
from recommendations.engine.push.agent.caused import CausedRecord
from recommendations.engine.push.agent.choice import AgentPolicy, chances, pick
from recommendations.engine.simulation.recipient_arms import AgentArm, ClosedDay, DecisionDay
from recommendations.engine.simulation.recipient_days import RecipientDays
from recommendations.engine.simulation.recipients import MENU, RecipientModel, Rows, Values, made_recipients

LIVED_DAYS = 14  # the last of which also tells what is caused
NIGHT, MORNING, MEMORY = 60.0, 10.0, 1_000.0  # seconds of CPU; MB


@dataclass
class MeteredArm(AgentArm):
    """The agent with the CPU seconds of each night and of each morning."""

    nights_cpu: list[float] = field(default_factory=list)
    mornings_cpu: list[float] = field(default_factory=list)
    decided: int = 0

    def decide(self, today: DecisionDay, draw: np.random.Generator) -> tuple[Rows, Values]:
        begin = time.process_time()
        outcome = super().decide(today, draw)
        self.mornings_cpu.append(time.process_time() - begin)
        self.decided = max(self.decided, len(today.rows))
        return outcome

    def learn(self, closed: ClosedDay) -> None:
        begin = time.process_time()
        super().learn(closed)
        self.nights_cpu.append(time.process_time() - begin)

    def learn_caused(self, record: CausedRecord) -> None:
        begin = time.process_time()
        super().learn_caused(record)
        self.nights_cpu.append(self.nights_cpu.pop() + time.process_time() - begin)


def cost(people: int, *, seed: int, tell: Progress) -> Iterator[Figure]:
    """Figures of a crowd that lives for two weeks, and of one morning on which everybody may be sent something."""
    with metered() as lived:
        made = made_recipients(RecipientModel(people=people), seed=seed)
        arm = MeteredArm(made, seed=seed)
        group = (np.arange(people) % 10 == 0).astype(np.int64)
        days = RecipientDays(recipients=made, arms=[arm], group=group, seed=seed, days=LIVED_DAYS).run()
    with metered() as whole:
        begin = time.process_time()
        _everybody(days, arm, seed=seed)
        morning = time.process_time() - begin
    tell(f"cost: {people:,} people, of whom {arm.decided:,} were decided on the fullest day")
    yield Figure("people", people)
    yield Figure("night, CPU s at most", max(arm.nights_cpu), most=NIGHT)
    yield Figure("morning, CPU s at most", max(arm.mornings_cpu), most=MORNING)
    yield Figure("morning on which everything is allowed to everybody, CPU s", morning, most=MORNING)
    yield Figure("peak of the process, made people included, MB", max(lived.peak_mb, whole.peak_mb), most=MEMORY)


def _everybody(days: RecipientDays, arm: AgentArm, *, seed: int) -> None:
    people = days.recipients.model.people
    features = days.features(np.zeros(people), np.zeros(people))
    today = DecisionDay(
        day=LIVED_DAYS, rows=np.arange(people), features=features, allowed=np.ones((people, len(MENU.options)), bool),
        week=np.zeros(people), due=np.zeros(people), leaving=0.003 * days.recipients.lost,
        worth=days.recipients.worth, band=days.recipients.band,
    )  # fmt: skip
    draws = arm.belief.mean + np.random.default_rng(seed).normal(0, 0.1, (32, len(MENU.terms)))
    policy = AgentPolicy(menu=MENU, mean=arm.belief.mean, draws=draws)
    outcome = chances(policy, features, today.allowed, arm.stakes(today))
    pick(outcome.chances, np.random.default_rng(seed).random(people))
