"""Estimates beside the truth: how often the interval holds it, how far off the estimate is, how often it is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.bars import Figure, say
from bench.policies.draws import CARDS, CUSTOMERS, LOSES, SCARCE, SHUFFLED, WINS
from recommendations.engine.experiments.attention import attention_of
from recommendations.engine.experiments.off_policy import Estimate, Rankings, pbm_dr
from recommendations.engine.experiments.refusal import EstimateRefusal, LogFacts, refused
from recommendations.engine.rng import generator
from recommendations.engine.simulation.choices import (
    ChoiceWorld,
    Rows,
    choice_world,
    click,
    draft_ranking,
    give_answers,
    log_answers,
    slot_counts,
    true_difference,
)
from recommendations.terms import Way

TRUTH = 100_000


@dataclass(frozen=True, kw_only=True)
class KnownWorld:
    """A world by its seed; ``dense`` where answers are clicked as often as the bar of the error is meant for."""

    words: str
    seed: int
    eta: float = 0.6
    cascade: bool = False
    rarity: float = 4.2
    dense: bool = True


WORLDS = (
    KnownWorld(words="drafts lose", seed=LOSES),
    KnownWorld(words="drafts win", seed=WINS),
    KnownWorld(words="η .9", seed=LOSES, eta=0.9),
    KnownWorld(words="few clicks", seed=SCARCE, dense=False),
    KnownWorld(words="hardly a click", seed=LOSES, rarity=7.0, dense=False),
    KnownWorld(words="stops after a click", seed=LOSES, cascade=True),
    KnownWorld(words="stops, drafts win", seed=WINS, cascade=True),
)
PARTS = (("small", 0.1), ("middling", 0.3), ("large", 0.6))
SMALL_LOG = 5_000
A_DAY = 2_000


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An estimate of a draft, the truth, and whether a shop would have been shown it."""

    estimate: Estimate
    refusal: EstimateRefusal | None
    truth: float
    live: float

    @property
    def inside(self) -> bool:
        return self.estimate.low <= self.truth <= self.estimate.high

    @property
    def error(self) -> float:
        return abs(self.estimate.value - self.truth) / self.live

    @property
    def sign_is_right(self) -> bool | None:
        """None where the interval holds 0."""
        if self.estimate.low <= 0 <= self.estimate.high:
            return None
        return (self.estimate.value > 0) == (self.truth > 0)


def judged_log(
    world: ChoiceWorld,
    rankings: Sequence[Rows],
    truths: Sequence[tuple[float, float]],
    *,
    answers: int,
    draw: np.random.Generator,
    explores: tuple[float, float] = (SHUFFLED, CARDS),
) -> list[Judged]:
    """Estimate each draft from one log."""
    given = give_answers(world, answers, shuffled=explores[0], cards=explores[1], draw=draw)
    clicks = click(world, given.customers, given.places, draw=draw)
    logged, attention = log_answers(world, given, clicks), attention_of(slot_counts(given, clicks))
    facts = LogFacts(
        answers=answers, shuffled=int(np.count_nonzero(given.ways == Way.SHUFFLED)), unmakeable=0, recent=answers,
        answers_a_day=A_DAY,
    )  # fmt: skip
    judged = []
    for ranking, (truth, live) in zip(rankings, truths, strict=True):
        estimate = pbm_dr(logged, Rankings(draft=ranking[given.customers]), attention)
        judged.append(Judged(estimate=estimate, refusal=refused(estimate, facts), truth=truth, live=live))
    return judged


def coverage(runs: int, *, sizes: tuple[int, ...], seed: int) -> Iterator[Figure]:
    """Figures of so many logs of each world and size, each asked about three drafts."""
    say(f"estimates of three drafts, {runs} logs each, σ = {SHUFFLED}, ε = {CARDS}; in per cent of the clicks")
    say(
        f"{'world':>20} {'clicks':>7} {'answers':>8} {'draft':>9} {'true':>7} {'holds':>6} {'error':>6} {'± half':>7}"
        f" {'worth':>7} {'unseen':>7} {'heaviest':>9} {'co':>5} {'refused':>8}"
    )
    everything: list[tuple[KnownWorld, int, Judged]] = []
    for known in WORLDS:
        world = choice_world(
            generator(known.seed, "world"), customers=CUSTOMERS, eta=known.eta, rarity=known.rarity,
            cascade=known.cascade,
        )  # fmt: skip
        rankings = [draft_ranking(world, part=part) for _, part in PARTS]
        many = give_answers(world, TRUTH, shuffled=SHUFFLED, cards=CARDS, draw=generator(seed, "truth"))
        truths = [true_difference(world, ranking, many) for ranking in rankings]
        for answers in sizes:
            logs = [
                judged_log(world, rankings, truths, answers=answers, draw=draw)
                for draw in (generator(seed, known.words, str(answers), str(run)) for run in range(runs))
            ]
            for (draft, _), judged in zip(PARTS, zip(*logs, strict=True), strict=True):
                say(_row(known.words, answers, draft, judged))
                everything += [(known, answers, one) for one in judged]
    say()
    yield from _figures(everything)


def _row(world: str, answers: int, draft: str, judged: Sequence[Judged]) -> str:
    estimates, live = [one.estimate for one in judged], judged[0].live
    half = np.median([one.high - one.value for one in estimates]) / live
    worth = np.median([one.worth for one in estimates])
    heaviest = np.median([one.heaviest for one in estimates])
    unseen = np.mean([one.never_shown for one in estimates])
    together = np.mean([one.together for one in estimates])
    refusals = np.mean([one.refusal is not None for one in judged])
    return (
        f"{world:>20} {live:7.2f} {answers:8,} {draft:>9} {judged[0].truth / live:+7.1%} {_holds(judged):6.0%}"
        f" {np.median([one.error for one in judged]):6.2%} {half:7.2%} {worth:7,.0f} {unseen:7.1%} {heaviest:9.2f}"
        f" {together:5.2f} {refusals:8.0%}"
    )


def _holds(judged: Sequence[Judged]) -> float:
    return float(np.mean([one.inside for one in judged])) if judged else 1.0


def _figures(everything: Sequence[tuple[KnownWorld, int, Judged]]) -> Iterator[Figure]:
    given = [(known, answers, one) for known, answers, one in everything if one.refusal is None]
    yield Figure("estimates that are not refused", len(given))
    for known in WORLDS:
        held = [one for world, _, one in given if world is known]
        yield Figure(f"holds the truth, {known.words} ({len(held)} given)", _holds(held), least=0.93)
    errors = [one.error for known, answers, one in given if answers == SMALL_LOG and known.dense and not known.cascade]
    yield Figure(f"median error of the clicks, {SMALL_LOG:,} answers", float(np.median(errors)), most=0.02)
    signs = [one.sign_is_right for _, _, one in given if one.sign_is_right is not None]
    yield Figure("intervals without 0", len(signs))
    yield Figure("sign right where the interval excludes 0", float(np.mean(signs)) if signs else 1.0, least=0.97)
