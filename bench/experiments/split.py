"""The split check, hourly for four weeks, beside a chi-square; and the A/A of a plan on past visitors."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from bench.bars import Figure, say
from bench.experiments.looks import cap_of, capped
from bench.experiments.power import SHOP
from recommendations.engine.experiments.mismatch import ALARM, log_evidence
from recommendations.engine.experiments.planning import MOST_FALSE, SALTS, false_alarms, past_visitors
from recommendations.engine.rng import generator
from recommendations.engine.simulation.visitors import visitors

type Counts = NDArray[np.int64]
LOOKS, EACH = 24 * 28, 30  # hours, and new visitors in each
TRUE = (0.5, 0.505, 0.51, 0.52, 0.55)
FAR = 3.5  # standard deviations, nearer than which no evidence reaches 1,000: it is at most exp(z²/2)
RIGHT = 20  # times as many runs of the right split, of which one in 1,000 may be called broken
EVERY = 4  # the evidence is looked at every fourth hour: it changes too little between


def split(runs: int, *, seed: int) -> Iterator[Figure]:
    """Figures of so many runs for each true share of the second arm."""
    say(f"split check, {LOOKS} hours, {LOOKS * EACH:,} visitors, {runs:,} runs, {RIGHT * runs:,} of the right split")
    say(f"{'true share of B':>16} {'chi-square':>11} {'evidence':>9} {'half of the runs by':>20}")
    for share in TRUE:
        blocks = [
            _block(share, runs, draw=generator(seed, "split", str(share), str(block)))
            for block in range(RIGHT if share == TRUE[0] else 1)
        ]
        naive = float(np.mean([by_square for by_square, _ in blocks]))
        when = np.concatenate([hours for _, hours in blocks])
        alarm = float(np.isfinite(when).mean())
        say(f"{share:16.3f} {naive:11.4f} {alarm:9.4f} {np.median(when):20,.0f}")
        if share == TRUE[0]:
            yield Figure("false alarms of the split check", alarm, most=0.001)
            yield Figure("the same by a chi-square", naive)
        elif math.isclose(share, 0.52):
            yield Figure("52 : 48 seen by 20,160 visitors", alarm, least=0.90)
    say()


def _block(share: float, runs: int, *, draw: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """Share of runs with an alarm by a chi-square, and the visitors until that of the evidence, of each run."""
    total = EACH * np.arange(1, LOOKS + 1)
    second = draw.binomial(EACH, share, (runs, LOOKS)).cumsum(axis=1)
    square = (second - total / 2) ** 2 / (total / 4)
    naive = float((chi2.sf(square, 1) < 0.001).any(axis=1).mean())
    return naive, np.array([_alarm(row, total) for row in second])


def _alarm(second: Counts, total: Counts) -> float:
    """Visitors until the evidence is 1,000; infinite where it never is."""
    for hour in range(EVERY - 1, LOOKS, EVERY):
        counts = (float(total[hour] - second[hour]), float(second[hour]))
        far = abs(counts[0] - counts[1]) > FAR * math.sqrt(total[hour])
        if far and log_evidence(counts, (0.5, 0.5)) >= math.log(ALARM):
            return float(total[hour])
    return math.inf


def own_data(*, seed: int) -> Iterator[Figure]:
    """The A/A of a plan: past visitors split by 500 other salts, each looked at on every day."""
    month = visitors(SHOP, draw=generator(seed, "own data"))
    values, before = capped(month), np.minimum(month.past, cap_of(month.past))
    plan = past_visitors(values, month.present, before=before)
    salts = generator(seed, "salts").integers(0, 2**63, SALTS).astype(np.uint64)
    share = false_alarms(values, month.present, month.key, salts=salts, se=plan.error_after(28))
    yield Figure(f"A/A of {len(values):,} past visitors by {SALTS} salts", share, most=MOST_FALSE)
