"""Chances of exploration beside as many draws, and the steepness of attention beside the truth."""

from collections.abc import Iterator

import numpy as np

from bench.bars import Figure, say
from recommendations.engine.experiments.attention import SlotCounts, attention_of, free_attention, steepness
from recommendations.engine.ranking.exploration import chances, explored
from recommendations.engine.rng import generator
from recommendations.engine.simulation.choices import ChoiceWorld, choice_world, click, give_answers, slot_counts

CUSTOMERS = 500
SHUFFLED, CARDS = 0.10, 0.05  # what the demo explores
FORMS = ((10, 30, ()), (10, 30, (0, 4, 9)), (6, 8, (2,)), (1, 21, ()))
"""Slots, length of the ranking, slots that rules hold."""

MOST_Z = 4.5
TRUE = 0.6
LOSES, WINS, SCARCE = 5, 2, 0
"""Seeds of worlds in which drafts lose, or win, and one with half as many clicks, in which they win much."""


def draws(count: int, *, seed: int) -> Iterator[Figure]:
    """Figures of so many draws of each form: the largest z over all places and slots."""
    say(f"chances of exploration against {count:,} draws, σ = {SHUFFLED}, ε = {CARDS}")
    say(f"{'slots':>6} {'ranked':>7} {'held':>12} {'cells':>6} {'largest |z|':>12}")
    worst = 0.0
    for number, (n, ranked, held) in enumerate(FORMS):
        fixed = np.isin(np.arange(ranked), held)
        table = chances(n, held, shuffled=SHUFFLED, cards=CARDS, ranked=ranked)
        seen, slots = np.zeros(table.shape), np.arange(min(n, ranked))
        draw = generator(seed, "draws", str(number))
        for _ in range(count):
            seen[explored(fixed, n=n, shuffled=SHUFFLED, cards=CARDS, draw=draw).chosen, slots] += 1
        spread = np.sqrt(table * (1 - table) / count)
        certain = spread < 1e-9
        exact = np.abs(seen / count - table)[certain].max(initial=0) < 1e-9
        z = float((np.abs(seen / count - table)[~certain] / spread[~certain]).max()) if exact else np.inf
        worst = max(worst, z)
        say(f"{n:6} {ranked:7} {held!s:>12} {np.count_nonzero(~certain):6} {z:12.2f}")
    say()
    yield Figure("chances of exploration: largest |z|", worst, most=MOST_Z)


def attention(runs: int, *, sizes: tuple[int, ...], seed: int) -> Iterator[Figure]:
    """Figures of the steepness from logs of these sizes, and from cards alone."""
    world = choice_world(generator(LOSES, "world"), customers=CUSTOMERS, eta=TRUE)
    say(f"steepness of attention, {runs} logs, true {TRUE}; largest error of a slot of the free form, median")
    say(f"{'explores':>28} {'answers':>8} {'η':>6} {'scatter':>8} {'said':>6} {'within 2 se':>12} {'free form':>10}")
    for answers in sizes:
        etas, errors, free = [], [], []
        for run in range(runs):
            counts = _counts(world, answers, seed=seed, run=run, shuffled=SHUFFLED, cards=CARDS)
            eta, se = steepness(counts)
            etas.append(eta)
            errors.append(se)
            free.append(float(np.abs(free_attention(counts) / world.attention - 1).max()))
        inside = float(np.mean(np.abs(np.array(etas) - TRUE) < 2 * np.array(errors)))
        say(
            f"{f'shuffled {SHUFFLED}, cards {CARDS}':>28} {answers:8,} {np.mean(etas):6.2f} {np.std(etas):8.3f}"
            f" {np.mean(errors):6.3f} {inside:12.0%} {np.median(free):10.0%}"
        )
        yield Figure(f"η within 2 standard errors, {answers:,} answers", inside, least=0.85)
        yield Figure(f"η, mean of {answers:,} answers", float(np.mean(etas)), least=TRUE - 0.03, most=TRUE + 0.03)
    only_cards = attention_of(_counts(world, sizes[0], seed=seed, run=0, shuffled=0.0, cards=0.2))
    say(f"{'cards 0.2 alone':>28} {sizes[0]:8,} {'assumed' if only_cards.assumed else 'NOT ASSUMED'}")
    say()
    yield Figure("cards alone: attention is assumed", float(only_cards.assumed), least=1)


def _counts(world: ChoiceWorld, answers: int, *, seed: int, run: int, shuffled: float, cards: float) -> SlotCounts:
    draw = generator(seed, "attention", str(answers), str(run))
    given = give_answers(world, answers, shuffled=shuffled, cards=cards, draw=draw)
    return slot_counts(given, click(world, given.customers, given.places, draw=draw))
