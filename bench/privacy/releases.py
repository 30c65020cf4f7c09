"""What a release is worth, and does it know it? ``make bench-privacy-releases``.

Purchases of the demo's households up to the test cut are counted within the bound and told with OpenDP's noise (the
extra ``releases``), as the product does it, so often. Gain: what the first values told are bought, by rank, of what the
true first ones are. Share: how many of the true first ones are told, and of the first ones within the bound, beside
what the noisy numbers themselves let expect of these (``expected_share``), by which a release is refused below one
half: what the bound leaves out no noisy number tells. The error of the numbers is by the ratio of all to counted
purchases, which no release tells. A shop ten times as large: every period of a household is another one.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.bars import Figure, report, say
from bench.meter import Progress
from bench.ranking.complete_journey import TEST_CUT, shop
from recommendations.engine.privacy.bounds import bounded_counts
from recommendations.engine.privacy.noise_law import expected_share
from recommendations.privacy_terms import BOUNDS, ReleaseDomain
from recommendations.store.releases.noise import REMEDY, is_installed, noisy_counts

TOP = 100
EPSILONS = (Decimal("0.5"), Decimal(1), Decimal(3))
AROUND = 0.1  # of the share that is found: how far the expected one may be from it
HALF = 0.5


class Purchases(NamedTuple):
    """Who bought which item how many days before the cut, and the type of each item, by numbers from 0."""

    people: NDArray[np.int64]
    items: NDArray[np.int64]
    ages: NDArray[np.float64]
    types: NDArray[np.int64]


class Kind(NamedTuple):
    """A kind of release, of a shop so many times as large."""

    words: str
    domain: ReleaseDomain
    weeks: int
    times: int = 1


class Told(NamedTuple):
    """What one draw told, against the truth."""

    gain: float
    share: float  # of the true first values
    within: float  # of the first values of the counts within the bound, which is what can be expected
    expected: float
    error: float


KINDS = (
    Kind("types of four weeks", ReleaseDomain.TYPES, 4),
    Kind("types of a week", ReleaseDomain.TYPES, 1),
    Kind("items of four weeks", ReleaseDomain.ITEMS, 4),
    Kind("items of a week", ReleaseDomain.ITEMS, 1),
    Kind("items of a week, ten times the shop", ReleaseDomain.ITEMS, 1, times=10),
)
LEAST = {("types of four weeks", Decimal(1)): 0.85, ("types of four weeks", Decimal(3)): 0.95}
"""Gains that are promised."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seed", type=int, default=5, help="of the draws within the bound; noise has none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write protocol and figures there")
    options = parser.parse_args(argv)
    if not is_installed():
        say(REMEDY)
        if options.json:
            options.json.write_text(json.dumps({"skipped": REMEDY}), encoding="utf-8")
        return 0
    tell, rng = Progress(), np.random.default_rng(options.seed)
    bought = purchases()
    figures, gaps = list[Figure](), list[float]()
    for kind in KINDS:
        people, values, domain = acts_of(kind, bought)
        tell(f"{kind.words}: {len(np.unique(people)):,} people, {domain:,} values")
        for epsilon in EPSILONS:
            drawn = [draw(kind, people, values, domain, epsilon=epsilon, rng=rng) for _ in range(options.draws)]
            figures += judged(kind, epsilon, drawn)
            means = Told(*np.mean(drawn, axis=0))
            gaps.append(abs(means.expected - means.within))
    figures.append(Figure("expected share, furthest from what is found", round(float(max(gaps)), 3), most=AROUND))
    protocol = {"draws": options.draws, "seed": options.seed, "top": TOP}
    return report(figures, protocol=protocol, path=options.json)


def purchases() -> Purchases:
    data = shop()
    events = data.events[data.events["at"].to_numpy() < TEST_CUT]
    return Purchases(
        people=events["user"].to_numpy(np.int64),
        items=events["item"].to_numpy(np.int64),
        ages=TEST_CUT - events["at"].to_numpy(),
        types=np.unique(data.paths, return_inverse=True)[1].astype(np.int64),
    )


def acts_of(kind: Kind, bought: Purchases) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """People and values of the purchases of the last period, or periods, and how many values there are."""
    days = 7 * kind.weeks
    inside = bought.ages <= days * kind.times
    period = np.minimum(bought.ages[inside] // days, kind.times - 1).astype(np.int64)
    items = bought.items[inside]
    values = items if kind.domain is ReleaseDomain.ITEMS else bought.types[items]
    domain = len(bought.types) if kind.domain is ReleaseDomain.ITEMS else int(bought.types.max()) + 1
    return bought.people[inside] * kind.times + period, values, domain


def draw(
    kind: Kind, people: NDArray[np.int64], values: NDArray[np.int64], domain: int, *, epsilon: Decimal,
    rng: np.random.Generator,
) -> Told:  # fmt: skip
    """Tell it once, and compare."""
    bound = BOUNDS[kind.domain][kind.weeks]
    truth = np.bincount(np.unique(np.column_stack([people, values]), axis=0)[:, 1], minlength=domain)
    best, discount = np.argsort(-truth, kind="stable")[:TOP], 1 / np.log2(2 + np.arange(TOP))
    counts = bounded_counts(people, values, domain=domain, bound=bound, rng=rng)
    noisy = noisy_counts(counts, bound=bound, epsilon=epsilon)
    told = np.argsort(-noisy, kind="stable")[:TOP]
    scaled = noisy[told] * (truth.sum() / counts.sum())
    return Told(
        gain=float(truth[told] @ discount / (truth[best] @ discount)),
        share=len(np.intersect1d(best, told)) / TOP,
        within=len(np.intersect1d(np.argsort(-counts, kind="stable")[:TOP], told)) / TOP,
        expected=expected_share(noisy, scale=bound / float(epsilon), top=TOP),
        error=float(np.median(np.abs(scaled - truth[told]) / np.maximum(truth[told], 1))),
    )


def judged(kind: Kind, epsilon: Decimal, drawn: Sequence[Told]) -> Iterator[Figure]:
    words, means = f"{kind.words}, ε {epsilon}", Told(*np.mean(drawn, axis=0))
    yield Figure(f"{words}: gain", round(float(means.gain), 3), least=LEAST.get((kind.words, epsilon)))
    yield Figure(f"{words}: share of the true first {TOP}", round(float(means.share), 3))
    yield Figure(f"{words}: share of the first {TOP} within the bound", round(float(means.within), 3))
    yield Figure(f"{words}: expected share", round(float(means.expected), 3))
    yield Figure(f"{words}: refused of {len(drawn)}", sum(each.expected < HALF for each in drawn))
    yield Figure(f"{words}: median error", round(float(means.error), 3))


if __name__ == "__main__":
    sys.exit(main())
