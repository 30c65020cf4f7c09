"""What a holdout shows, on real purchases that no message made: ``make bench-push-lift``. Nothing is written.

1,000 other salts hold out the same people's purchases of the demo: nobody sent anything, so every interval should hold
0 (an A/A). Then each person who is not held out buys one more of their own baskets with a chance of a tenth: the
interval should hold that. People come into a campaign on the days of four weeks, their own seven days count, and it
is looked at every day: an effect is claimed where the interval of all looks leaves 0 out. Ends with 1 where a bar is
not kept.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import django
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from bench.bars import Figure, report  # noqa: E402
from recommendations.engine.experiments.assignment import share_of  # noqa: E402
from recommendations.engine.experiments.moments import Moments  # noqa: E402
from recommendations.engine.push.lift import PushLift, lift_of  # noqa: E402
from recommendations.event_types import EventName  # noqa: E402
from recommendations.store.temp_tables import rows  # noqa: E402

BEFORE, DAYS, COMING = 84, 7, 28  # days: before, of the goal, and over which people come in
LEAST_HELD = 50
PLANTED = 0.1  # of the people buy one more of their own baskets
_BASKETS = f"""
SELECT customer_id, extract(epoch FROM min(occurred_at)) / 86400, sum(amount)::float8
FROM recommendations_event WHERE name = '{EventName.PURCHASE}' AND source IN ('demo', 'replay')
GROUP BY customer_id, transaction_id
"""  # noqa: S608 - a word of our own

type Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class People:
    """What each spent in their own days (``y``), in the 84 days before (``x``), a basket of theirs, and the day on
    which their days are over; in the order of that day.
    """

    key: NDArray[np.int64]
    y: Floats
    x: Floats
    basket: Floats
    over: NDArray[np.int64]


def people(seed: int) -> People:
    stored = rows(_BASKETS)
    customers, days, amounts = (np.array(column) for column in zip(*stored, strict=True))
    days, amounts = days.astype(np.float64), amounts.astype(np.float64)
    keys, who = np.unique(customers.astype(np.int64), return_inverse=True)
    start = np.random.default_rng(seed).integers(0, COMING, len(keys))
    first = np.floor(days.max()) - DAYS - COMING
    since = days - (first + start[who])

    def spent(low: int, high: int) -> Floats:
        inside = (since > low) & (since <= high)
        return np.bincount(who[inside], amounts[inside], len(keys))

    order = np.argsort(start, kind="stable")
    basket = np.bincount(who, amounts, len(keys)) / np.bincount(who, minlength=len(keys))
    return People(
        key=keys[order], y=spent(0, DAYS)[order], x=spent(-BEFORE, 0)[order], basket=basket[order],
        over=(start + DAYS)[order],
    )  # fmt: skip


def looks(one: People, y: Floats, held: NDArray[np.bool_], *, typical: float) -> list[PushLift]:
    """The lift on each day on which enough people of both sides are over, the last day last."""
    every = []
    for day in range(DAYS, DAYS + COMING):
        n = int(np.searchsorted(one.over, day, side="right"))
        sides = [Moments.of(y[:n][side], one.x[:n][side]) for side in (~held[:n], held[:n])]
        if min(side.n for side in sides) >= LEAST_HELD and (lift := lift_of(*sides, typical=typical)):
            every.append(lift)
    return every


def measure(one: People, *, runs: int, holdout: float, planted: float, seed: int) -> dict[str, float]:
    """Shares of the runs in which intervals hold the truth, and in which an effect is claimed at some look."""
    typical = float(one.x.mean()) * DAYS / BEFORE
    rng, truth = np.random.default_rng(seed), planted * float(one.basket.mean())
    holds = always = claimed = at_end = 0
    half: list[float] = []
    smallest: list[float] = []
    for run in range(runs):
        salt = f"lift:{seed}:{run}".encode()
        held = np.array([share_of(salt, int(key)) < holdout for key in one.key])
        bought = (rng.random(len(one.key)) < planted) & ~held
        lifts = looks(one, one.y + bought * one.basket, held, typical=typical)
        last = lifts[-1]
        holds += last.low <= truth <= last.high
        always += all(each.always_low <= truth <= each.always_high for each in lifts)
        claimed += any(each.is_shown for each in lifts)
        at_end += last.low > 0
        half.append((last.high - last.low) / 2)
        smallest.append(last.relative_smallest)
    return {
        "holds": holds / runs, "always": always / runs, "claimed": claimed / runs, "at_end": at_end / runs,
        "half": float(np.mean(half)), "smallest": float(np.mean(smallest)), "truth": truth,
    }  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.push.lift", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--holdout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args(argv)
    one = people(given.seed)
    nothing, lift = (
        measure(one, runs=given.runs, holdout=given.holdout, planted=planted, seed=given.seed)
        for planted in (0.0, PLANTED)
    )
    figures = [
        Figure("people", len(one.key)),
        Figure("nothing planted: the last interval holds 0", nothing["holds"], least=0.93, most=0.97),
        Figure("nothing planted: an effect is claimed at some look", nothing["claimed"], most=0.05),
        Figure("planted, money a person", lift["truth"]),
        Figure("planted: the last interval holds it", lift["holds"], least=0.93, most=0.97),
        Figure("planted: the intervals of all looks hold it", lift["always"], least=0.95),
        Figure("planted: claimed at some look", lift["claimed"]),
        Figure("half of the last interval, money a person", lift["half"]),
        Figure("smallest visible effect, share of what the held out spend", nothing["smallest"]),
    ]
    return report(figures, protocol=vars(given) | {"json": str(given.json)}, path=given.json)


if __name__ == "__main__":
    sys.exit(main())
