"""Hopeless cases, planted: what no log can tell has to be refused, and for the right reason."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.bars import Figure, say
from bench.policies.coverage import judged_log
from bench.policies.draws import CARDS, CUSTOMERS, SHUFFLED, WINS
from recommendations.engine.rng import generator
from recommendations.engine.simulation.choices import POOL, choice_world, draft_ranking


@dataclass(frozen=True, kw_only=True)
class HopelessCase:
    """A log and a draft that cannot be judged by it; ``part`` None turns the ranking upside down."""

    explores: tuple[float, float] = (SHUFFLED, CARDS)
    answers: int = 5_000
    part: float | None = 0.3
    cascade: bool = False


CASES = {
    "as ranked only": HopelessCase(explores=(0.0, 0.0)),
    "cards only": HopelessCase(explores=(0.0, 0.2)),
    "600 answers, large draft": HopelessCase(answers=600, part=0.6),
    "upside down": HopelessCase(part=None),
    "stops after a click, large draft": HopelessCase(cascade=True, part=0.6),
    "the same, 15,000 answers": HopelessCase(cascade=True, part=0.55, answers=15_000),
}


def hopeless(runs: int, *, seed: int) -> Iterator[Figure]:
    """Figures of so many logs of each case."""
    say(f"hopeless cases, {runs} logs each of 5,000 answers where no other number stands")
    refusals = 0
    for name, case in CASES.items():
        world = choice_world(generator(WINS, "world"), customers=CUSTOMERS, cascade=case.cascade)
        upside_down = np.tile(np.arange(POOL - 1, POOL - 1 - world.ranked, -1), (CUSTOMERS, 1))
        ranking = upside_down if case.part is None else draft_ranking(world, part=case.part)
        codes: Counter[str] = Counter()
        for run in range(runs):
            [judged] = judged_log(
                world, [ranking], [(0.0, 1.0)], answers=case.answers, explores=case.explores,
                draw=generator(seed, name, str(run)),
            )  # fmt: skip
            codes[judged.refusal.code if judged.refusal else "NOT REFUSED"] += 1
        refusals += runs - codes["NOT REFUSED"]
        say(f"{name:>34}: " + ", ".join(f"{code} {count}" for code, count in codes.most_common()))
    say()
    yield Figure("hopeless cases refused", refusals / (runs * len(CASES)), least=0.95)
