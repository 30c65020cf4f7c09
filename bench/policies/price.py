"""What exploring costs in clicks, and what it buys: how many answers an estimate takes, and what it never sees."""

from collections.abc import Iterator

import numpy as np

from bench.bars import Figure, say
from bench.policies.coverage import PARTS
from bench.policies.draws import CUSTOMERS, LOSES, WINS
from recommendations.engine.experiments.attention import Attention
from recommendations.engine.experiments.details import details
from recommendations.engine.experiments.off_policy import NORMAL, Rankings, pbm_dr
from recommendations.engine.ranking.exploration import chances
from recommendations.engine.rng import generator
from recommendations.engine.simulation.choices import (
    ChoiceWorld,
    choice_world,
    click,
    draft_ranking,
    give_answers,
    log_answers,
)

WAYS = ((0.0, 0.05), (0.0, 0.2), (0.1, 0.0), (0.1, 0.05), (0.2, 0.1))
"""Shares shuffled, and cards."""

WANTED = 0.05  # half-width, of the clicks
MOST_PRICE = 0.01


def price(answers: int, *, seed: int) -> Iterator[Figure]:
    """Figures of each way of exploring in two worlds; attention is taken as known, so that only the draw counts."""
    for number in (LOSES, WINS):
        yield from _table(choice_world(generator(number, "world"), customers=CUSTOMERS), answers, seed=seed)


def _table(world: ChoiceWorld, answers: int, *, seed: int) -> Iterator[Figure]:
    ranked = world.relevance[:, : world.ranked]
    best = float((ranked[:, : world.slots] @ world.attention).mean())
    say(f"exploring, {answers:,} answers: answers for ± {WANTED:.0%} of {best:.2f} clicks · never seen (slot by slot)")
    say(f"{'shuffled':>9} {'cards':>6} {'price':>7}" + "".join(f"{name:>26}" for name, _ in PARTS))
    for shuffled, cards in WAYS:
        table = chances(world.slots, shuffled=shuffled, cards=cards, ranked=world.ranked)
        cost = 1 - float((ranked @ (table @ world.attention)).mean()) / best
        cells = [_needed(world, part, (shuffled, cards), answers, best, seed=seed) for _, part in PARTS]
        say(f"{shuffled:9} {cards:6} {cost:7.2%}" + "".join(f"{cell:>26}" for cell in cells))
        if (shuffled, cards) == (0.1, 0.05):
            yield Figure(f"price of σ .10 and ε .05, of {best:.2f} clicks", cost, most=MOST_PRICE)
    say(f"{'a live test':>23}" + "".join(f"{_live_test(world, best, seed=seed):>26}" for _ in PARTS))
    say()


def _needed(
    world: ChoiceWorld, part: float, explores: tuple[float, float], answers: int, best: float, *, seed: int
) -> str:
    draw, ranking = generator(seed, "price", *map(str, explores)), draft_ranking(world, part=part)
    given = give_answers(world, answers, shuffled=explores[0], cards=explores[1], draw=draw)
    clicks = click(world, given.customers, given.places, draw=draw)
    logged, rankings = log_answers(world, given, clicks), Rankings(draft=ranking[given.customers])
    known = Attention(q=world.attention, shifts=np.zeros((0, world.slots)), eta=0.6, se=0.0)
    estimate, by_slot = pbm_dr(logged, rankings, known), details(logged, rankings, known)["iips"]
    error = clicks.sum(axis=1).std() / estimate.worth**0.5
    needed = answers * (NORMAL * error / (WANTED * best)) ** 2
    return f"{needed:,.0f} · {estimate.never_shown:.0%} ({by_slot.never_shown:.0%})"


def _live_test(world: ChoiceWorld, best: float, *, seed: int) -> str:
    draw = generator(seed, "live test")
    given = give_answers(world, 20_000, shuffled=0.0, cards=0.0, draw=draw)
    scatter = click(world, given.customers, given.places, draw=draw).sum(axis=1).std()
    return f"{4 * (NORMAL * scatter / (WANTED * best)) ** 2:,.0f}"
