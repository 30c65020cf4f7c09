"""SampledVisits of a window: what known customers did first, and what they took in the same visit after that.

A visit is what one person did with less than half an hour between two acts. Of each customer one is drawn, and of that
the first item is known, or the first two: those that were looked at or taken first, in the order of time, and where
that says nothing (the lines of a receipt) in any.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from recommendations.engine.frames import IntArray, Sparse
from recommendations.engine.preprocess.clean import SESSION_GAP
from recommendations.engine.preprocess.matrix import EventWeights, TrainingSnapshot
from recommendations.engine.rng import generator

KNOWN = 2  # items of a visit that are known at most
MOST = 1_000  # visits


@dataclass(frozen=True, kw_only=True)
class SampledVisits:
    """One visit of each of these customers."""

    user: IntArray  # rows of the training set, ascending, each once
    seen: IntArray  # [visits, 2]: what is known, the newest first, −1 after the last
    spent: Sparse  # visits × items: money spent on what was taken afterwards; no row is empty

    def __len__(self) -> int:
        return len(self.user)


def visits_in(
    events: pd.DataFrame, snapshot: TrainingSnapshot, *, window: tuple[float, float], weights: EventWeights, seed: int
) -> SampledVisits:
    """Cut the visits of a window from clean events: of customers with a history, on items that have one."""
    draw = generator(seed, "visits")
    acts = _firsts(_acts(events, snapshot, window=window, weights=weights), draw)
    known = draw.integers(1, KNOWN + 1, int(acts["visit"].max()) + 1 if len(acts) else 0)
    acts = acts.assign(known=known[acts["visit"].to_numpy()])
    after = acts[acts["taken"] & (acts["place"] >= acts["known"])]
    asked = _drawn(after, draw)
    number = pd.Series(np.arange(len(asked)), index=asked["visit"])
    truth = after[after["visit"].isin(number.index)]
    first = acts[acts["visit"].isin(number.index) & (acts["place"] < acts["known"])]
    seen = np.full((len(asked), KNOWN), -1, np.int32)
    seen[number[first["visit"]], first["known"] - 1 - first["place"]] = first["item"]
    places = number[truth["visit"]].to_numpy(), truth["item"].to_numpy()
    shape = (len(asked), snapshot.training.n_items)
    spent = sparse.csr_matrix((truth["money"].to_numpy(np.float32), places), shape=shape)
    spent.sort_indices()
    return SampledVisits(user=asked["user"].to_numpy(np.int32), seen=seen, spent=spent)


def _acts(
    events: pd.DataFrame, snapshot: TrainingSnapshot, *, window: tuple[float, float], weights: EventWeights
) -> pd.DataFrame:
    """Acts of the window that speak for an item, with rows of the training set."""
    within = events[(events["at"] >= window[0]) & (events["at"] < window[1])]
    shares, taught = within["rating"].to_numpy(np.float64), snapshot.training.interactions
    acts = pd.DataFrame(
        {
            "user": snapshot.users.rows(within["user"].to_numpy()),
            "item": snapshot.items.rows(within["item"].to_numpy()),
            "at": within["at"].to_numpy(),
            "taken": weights.takes(within["name"], shares),
            "money": np.maximum(np.nan_to_num(within["amount"].to_numpy(np.float32)), 0),
        }
    )
    with_history = np.append(np.bincount(taught.item, minlength=taught.n_items) > 0, False)
    counts = (weights.relative(within["name"], shares) > 0) & (acts["user"] >= 0) & with_history[acts["item"]]
    counted: pd.DataFrame = acts[counts]
    return counted


def _firsts(acts: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A row for each item of each visit, in the order of visits and of first acts, with its ``place`` in the visit."""
    acts = acts.iloc[np.lexsort((draw.random(len(acts)), acts["at"], acts["user"]))]
    begins = (acts["user"].diff() != 0) | (acts["at"].diff() > SESSION_GAP)
    acts = acts.assign(visit=begins.cumsum().to_numpy() - 1)
    firsts = acts.groupby(["visit", "item"], sort=False, as_index=False).agg(
        user=("user", "first"), taken=("taken", "any"), money=("money", "sum")
    )
    return firsts.assign(place=firsts.groupby("visit").cumcount())


def _drawn(after: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A visit of each customer, and of some customers where there are many; by customer."""
    visits = after[["visit", "user"]].drop_duplicates("visit")
    visits = visits.iloc[draw.permutation(len(visits))].drop_duplicates("user")
    return visits.iloc[:MOST].sort_values("user")
