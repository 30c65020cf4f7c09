"""What links say of people without a history: ``python -m bench.social_links DIR``, on HetRec Last.fm of 2011.

DIR has ``user_artists.dat`` and ``user_friends.dat``, which are not ours to pass on. A fifth of the people are cold:
of all their artists but so many, drawn, nothing is known. NDCG@10 over the artists that are not known of them, with
95 % intervals by resampling people, beside what everybody hears and what the regression says without links. Of the warm
a fifth of the artists is held back. Who follows fewer than three is lent nothing.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from bench.meter import metered
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import differences, measures, resamples
from recommendations.engine.frames import Catalogue, FloatArray, IntArray, Interactions, Sparse, TrainingSet
from recommendations.engine.preprocess.links import FEWEST
from recommendations.engine.ranking.scores import top
from recommendations.engine.recommenders import ease, popularity, social
from recommendations.engine.rng import generator

K = 10
COLD, LATER = 0.2, 0.2
KNOWN = (0, 1, 3, 5)  # artists of a cold person
SETTINGS: dict[str, Any] = {
    "transform": "log", "half_life": None, "profile_half_life": None, "ridge": 200.0, "primal_items": 18_000
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(argv)
    plays, links = read(options.folder)
    figures = {}
    with metered() as cost:
        for known in KNOWN:
            figures[f"{known} artists known"] = cold(plays, links, known=known, seed=options.seed)
        figures["a fifth of the artists held back"] = warm(plays, links, seed=options.seed)
    sys.stdout.write(f"{cost.seconds:.0f} s, {cost.peak_mb:,.0f} MB\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def read(folder: Path) -> tuple[Sparse, Sparse]:
    """Plays, people × artists, and links, people × people."""
    plays = pd.read_csv(folder / "user_artists.dat", sep="\t", skiprows=1, names=["person", "artist", "plays"])
    links = pd.read_csv(folder / "user_friends.dat", sep="\t", skiprows=1, names=["person", "friend"])
    people, person = np.unique(plays["person"], return_inverse=True)
    artists, artist = np.unique(plays["artist"], return_inverse=True)
    of = {key: row for row, key in enumerate(people.tolist())}
    pairs = [(of[a], of[b]) for a, b in links.itertuples(index=False) if a in of and b in of]
    shape = (len(people), len(people))
    linked = sparse.csr_matrix((np.ones(len(pairs), np.float32), tuple(np.array(pairs).T)), shape=shape)
    enough = (np.diff(linked.indptr) >= FEWEST).astype(np.float32)
    linked = sparse.csr_matrix(sparse.diags_array(enough) @ linked)
    linked.eliminate_zeros()
    heard = plays["plays"].to_numpy(np.float32)
    return sparse.csr_matrix((heard, (person, artist)), shape=(len(people), len(artists))), linked


def cold(plays: Sparse, links: Sparse, *, known: int, seed: int) -> dict[str, Any]:
    draw = generator(seed, "cold")
    asked = np.sort(draw.permutation(plays.shape[0])[: int(COLD * plays.shape[0])])
    asked = asked[np.diff(plays.indptr)[asked] > known]
    order = draw.random(plays.nnz)
    row = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    place = _places(row, order)
    held = np.isin(row, asked) & (place >= known)
    return _measured(f"{known} artists known", plays, links, held, asked, seed=seed)


def warm(plays: Sparse, links: Sparse, *, seed: int) -> dict[str, Any]:
    draw = generator(seed, "warm")
    held = draw.random(plays.nnz) < LATER
    row = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    return _measured("a fifth of the artists held back", plays, links, held, np.unique(row[held]), seed=seed)


def _measured(
    name: str, plays: Sparse, links: Sparse, held: np.ndarray, asked: np.ndarray, *, seed: int
) -> dict[str, Any]:
    """Figures of everybody who is asked: what is held is the truth, the rest is known."""
    row = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    truth = sparse.csr_matrix((plays.data[held], (row[held], plays.indices[held])), shape=plays.shape)[asked]
    training = _training(plays, links, row, ~held)
    queries = training.queries(asked)
    known = queries.histories.matrix()
    tables, scores = {}, np.full((len(asked), plays.shape[1]), np.nan, np.float32)
    for label, recommender in (
        ("popular", popularity.Popularity(popularity.Config(half_life=None))),
        ("own history alone", ease.Ease(ease.Config(**SETTINGS))),
        ("with those whom they follow", social.Social(social.Config(**SETTINGS))),
    ):
        own = recommender.fit(training, seed=seed).score(queries)
        scores = np.where(
            np.isnan(own).all(axis=1, keepdims=True), scores, own
        )  # who is silent says what was said before
        tables[label] = ndcg(judge(_best(scores, known), truth), K)[:, None]
    return _told(name, tables, seed=seed)


def _training(plays: Sparse, links: Sparse, row: np.ndarray, kept: np.ndarray) -> TrainingSet:
    count, n_items = int(kept.sum()), plays.shape[1]
    ones = np.ones(count, np.float32)
    acts = Interactions(
        user=row[kept].astype(np.int32), item=plays.indices[kept].astype(np.int32),
        basket=np.arange(count, dtype=np.int32),
        age=ones, quantity=plays.data[kept], strength=ones, amount=ones, bought=np.ones(count, np.bool_),
        n_users=plays.shape[0], n_items=n_items,
    )  # fmt: skip
    nothing = sparse.csr_matrix((n_items, 1), dtype=np.float32)
    unknown = np.full(n_items, np.nan, np.float32)
    return TrainingSet(
        interactions=acts, catalogue=Catalogue(categories=nothing, terms=nothing, price=unknown, listed_age=unknown),
        links=links,
    )  # fmt: skip


def _best(scores: FloatArray, known: Sparse) -> IntArray:
    """The ten best artists that are not known of each person."""
    scores = np.where(np.isnan(scores), -np.inf, scores)
    scores[known.nonzero()] = -np.inf
    return top(scores.astype(np.float32), K).astype(np.int32)


def _places(row: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Place of each entry among those of its row, by ``order``."""
    sorted_ = np.lexsort((order, row))
    starts = np.searchsorted(row[sorted_], row[sorted_])
    place = np.empty(len(row), np.int64)
    place[sorted_] = np.arange(len(row)) - starts
    return place


def _told(name: str, tables: dict[str, np.ndarray], *, seed: int) -> dict[str, Any]:
    people = len(next(iter(tables.values())))
    drawn, ours, figures = resamples(people, seed=seed), [*tables.values()][-1], {}
    sys.stdout.write(f"{name}: {people:,} people\n")
    for label, table in tables.items():
        value, low, high = measures(table, drawn)[0]
        ahead = differences(ours, table, drawn)[0]
        figures[label] = {"ndcg@10": [value, low, high], "ahead by": list(ahead)}
        sys.stdout.write(
            f"  {label:<30}{value:.4f} [{low:.4f}, {high:.4f}]   links are ahead by {ahead.value:+.4f} "
            f"[{ahead.low:+.4f}, {ahead.high:+.4f}]\n"
        )
    return figures


if __name__ == "__main__":
    sys.exit(main())
