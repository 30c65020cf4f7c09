"""Noise: what invented acts, spread over real histories, cost the ranking. ``make bench-noise`` runs it.

To the demo's lines before the test window are added 1, 5 and 10 % of lines that nobody bought: each joins a basket that
is there, drawn evenly over the lines, and its item is that of another drawn line, so items come by their popularity.
All goes through what a run does with it. Home and discover, as they ship, are then judged on the real purchases of the
test window. Discover shows nothing that was bought before, so it is judged twice: on the truth of the run without
noise, where an item that only the noise says was bought is lost for good; and on what the noise does not say of, which
is what the noise does to the ranking: what it does say of is in neither list. Differences are paired by household, each
the mean of several draws.

The bar: with 5 % of noise NDCG@10 of the ranking, at home and at discover, loses at most 1 %.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.shilling import BLENDS, Demo, Learned, learn
from bench.bars import Figure, report, say
from bench.ranking.complete_journey import TEST_CUT, WINDOW
from recommendations.domains.goods import GOODS
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import Measure, differences, resamples
from recommendations.engine.evaluation.split import Truth, truths, without
from recommendations.engine.frames import IntArray, Sparse
from recommendations.terms import BlendName, Task

SHARES = (0.01, 0.05, 0.10)
K, JUDGED, LOSS = 10, 0.05, 1.0  # places; the share of noise that has a bar; its percents
HOME, DISCOVER, CLAIMED = "home", "discover, the ranking", "discover, with what is taken for bought"

type PerHousehold = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NoiseLoss:
    """NDCG@10 without noise, and what a share of noise takes of it, in percent of that."""

    words: str
    share: float
    before: float
    percent: Measure

    @property
    def line(self) -> str:
        value, low, high = self.percent
        return (
            f"{self.words:40} {self.share:4.0%}  NDCG@10 {self.before:.4f} without noise, "
            f"loss {value:+.2f} % [{low:+.2f}, {high:+.2f}]"
        )

    @property
    def figure(self) -> Figure:
        """The figure with its bar."""
        bar = LOSS if self.share == JUDGED and self.words != CLAIMED else None
        words = f"{self.words}: {self.share:.0%} of noise, loss in % of NDCG@10"
        return Figure(words, round(self.percent.value, 3), most=bar)


def main(argv: Sequence[str] | None = None) -> int:
    given = _options().parse_args(argv)
    demo = Demo(given.households, given.seed)
    losses = list(losses_of(demo, shares=given.shares, draws=given.draws, seed=given.seed))
    protocol = {
        "households": int(demo.past["user"].nunique()), "lines": len(demo.past), "draws": given.draws,
        "seed": given.seed, "losses": [[one.words, one.share, one.before, *one.percent] for one in losses],
    }  # fmt: skip
    return report([one.figure for one in losses], protocol=protocol, path=given.json)


def losses_of(demo: Demo, *, shares: Sequence[float], draws: int, seed: int) -> Iterator[NoiseLoss]:
    """Yield what each share of noise costs; every one is printed as it comes."""
    quiet = learn(demo, demo.past, defended=True)
    truth = truths(demo.events, quiet.made, window=(TEST_CUT, TEST_CUT + WINDOW))
    for share in shares:
        pairs: dict[str, list[tuple[PerHousehold, PerHousehold]]] = {HOME: [], DISCOVER: [], CLAIMED: []}
        for number in range(draws):
            events = with_noise(demo.past, share, np.random.default_rng([seed, number]))
            noisy = learn(demo, events, defended=True)
            bought = noisy.made.bought
            known = Truth(spent=without(truth[Task.DISCOVER].spent, bought))
            for words, task, judged_by, out in (
                (HOME, Task.HOME, truth[Task.HOME], None), (DISCOVER, Task.DISCOVER, known, bought),
                (CLAIMED, Task.DISCOVER, truth[Task.DISCOVER], None),
            ):  # fmt: skip
                before, after = (reached(one, judged_by, BLENDS[task], out=out) for one in (quiet, noisy))
                pairs[words].append((before, after))
        for words, of_draws in pairs.items():
            loss = _loss(words, share, np.array(of_draws), seed=seed)
            say(loss.line)
            yield loss


def with_noise(past: pd.DataFrame, share: float, draw: np.random.Generator) -> pd.DataFrame:
    """The lines with so many invented ones beside them, as a share of the real ones; in the order of time."""
    n = round(share * len(past))
    invented, other = (past.iloc[draw.integers(0, len(past), n)] for _ in range(2))
    one = np.ones(n, np.float32)
    price = other["price"].to_numpy()
    invented = invented.assign(item=other["item"].to_numpy(), quantity=one, price=price, amount=price)
    return pd.concat([past, invented], ignore_index=True).sort_values("at", kind="stable", ignore_index=True)


def reached(learned: Learned, truth: Truth, blend: BlendName, *, out: Sparse | None) -> PerHousehold:
    """NDCG@10 of every household, NaN of those without truth. Noise brings nobody and nothing new: rows stay.

    Lists are without the items (households × items) that are ``out``.
    """
    figures = np.full(truth.spent.shape[0], np.nan)
    records = learned.records[blend].of(truth.users)
    lists = records.ranked(GOODS.weights[blend], records.items.shape[1])
    if out is not None:
        lists = others_of(lists, out[truth.users])
    figures[truth.users] = ndcg(judge(lists[:, :K], truth.per_user), K)
    return figures


def others_of(lists: IntArray, out: Sparse) -> IntArray:
    """The lists without what is out of each (lists × items): what follows moves up, −1 after the last."""
    gone = sparse.csr_matrix(out[np.arange(len(lists))[:, None], np.maximum(lists, 0)]).toarray() > 0
    order = np.argsort(gone | (lists < 0), axis=1, kind="stable")
    return np.take_along_axis(np.where(gone, -1, lists), order, axis=1)


def _loss(words: str, share: float, of_draws: NDArray[np.float64], *, seed: int) -> NoiseLoss:
    """The loss from figures [draws, before and after, households], NaN where a household has no truth in a draw."""
    asked = ~np.isnan(of_draws).all(axis=(0, 1))
    before, after = np.nanmean(of_draws[:, :, asked], axis=0)
    [lost] = differences(before[:, None], after[:, None], resamples(len(before), seed=seed))
    base = float(before.mean())
    return NoiseLoss(words=words, share=share, before=base, percent=Measure(*(100 * part / base for part in lost)))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--households", type=int, help="only the first so many")
    options.add_argument("--shares", type=_shares, default=SHARES, metavar="0.01,0.05,0.1", help="of noise")
    options.add_argument("--draws", type=int, default=3, help="of the noise, for each share (3)")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return options


def _shares(text: str) -> Sequence[float]:
    return [float(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
