"""False alarms: how many of a real shop's events are set aside without an attack. ``make bench-attacks`` runs it.

There is no attack: in each draw a fifth of the demo's households are made young, once visitors who put into carts what
they bought in the last four weeks, once buyers who bought nothing before these weeks. All else is real.

The bar: at most .1 % of the events are set aside in any of 20 draws.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.shilling import ASIDE, Demo, tell
from bench.ranking.complete_journey import TEST_CUT
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.held import Held
from recommendations.engine.preprocess.levels import levels
from recommendations.engine.preprocess.suspects import suspicions
from recommendations.event_types import EventName
from recommendations.terms import Trust

SHARE, DAYS = 5, 27.0  # one of so many is young, and since when


def rejuvenated(past: pd.DataFrame, young: NDArray[np.int64], *, visitors: bool) -> pd.DataFrame:
    """The past, in which these households came first within four weeks; as visitors they bought nothing."""
    theirs = np.isin(past["user"].to_numpy(), young)
    kept = ~theirs | (past["at"].to_numpy() >= TEST_CUT - DAYS)
    past, theirs = past[kept], theirs[kept]
    if not visitors:
        return past
    name = np.where(theirs, EventName.ADD_TO_CART.value, past["name"].to_numpy(str))
    trust = np.where(theirs, Trust.PAGE, past["trust"].to_numpy())
    return past.assign(name=pd.Categorical(name), trust=trust.astype(np.int8))


def set_aside(events: pd.DataFrame) -> tuple[float, int]:
    """The share of the clean events that is set aside, and the cases."""
    people = levels([events])
    cleaned, _ = clean(events, until=TEST_CUT, people=people)
    found = suspicions([cleaned], people, until=TEST_CUT)
    held = Held.union(one.held for one in found).of(cleaned, people)
    return float(held.mean()), len(found)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--draws", type=int, default=20)
    options.add_argument("--seed", type=int, default=2026)
    given = options.parse_args()
    past = Demo(None, given.seed).past
    households, rng, worst = np.unique(past["user"].to_numpy()), np.random.default_rng(given.seed), 0.0
    for draw in range(given.draws):
        young = rng.choice(households, len(households) // SHARE, replace=False)
        told = []
        for kind in ("visitors", "buyers"):
            share, cases = set_aside(rejuvenated(past, young, visitors=kind == "visitors"))
            worst = max(worst, share)
            told.append(f"{kind} {share:.6f} ({cases} cases)")
        tell(f"draw {draw:2}: a fifth of the households young, as {', as '.join(told)}")
    tell(f"at most {worst:.6f} of the events set aside: {'kept' if worst <= ASIDE else 'NOT KEPT'}")
    return 0 if worst <= ASIDE else 1


if __name__ == "__main__":
    sys.exit(main())
