"""Prediction of the next click of a session, from nothing but the clicks before it: ``python bench/clicks.py``.

Without ``--clicks`` the acts are the ratings of MovieLens-100k, which have no better claim to be clicks than that they
were given one after the other. Sessions are split in time: the last tenth is asked about, the tenth before it is what
settings and weights are chosen on, and who clicked is nowhere used.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.files.acts import Acts, Meaning, Vocabulary, acts_of, baskets, clock_of
from bench.files.parts import Part, pairs_of, part, undescribed
from bench.files.tables import InputError, read_acts
from bench.meter import Progress
from bench.movielens import fetched, read_ratings
from bench.ranking.choice import Chosen, Search
from bench.ranking.contest import Field, entered, entries, weighed
from bench.ranking.judging import Judge
from bench.ranking.picking import sorted_weights
from bench.ranking.readings import ReadConfig, Reading
from bench.ranking.report import TaskResult, as_json, table, write_json
from bench.ranking.trials import Grid, Setting
from recommendations.engine.frames import Interactions, Queries, TrainingSet
from recommendations.engine.preprocess.clean import SESSION_GAP
from recommendations.engine.recommenders import (
    also_bought,
    item_knn,
    next_item,
    popularity,
    sequence,
    session_knn,
    spectral,
)
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.rng import generator
from recommendations.terms import Task

HELD = 0.1  # of the sessions, by time: the last ones are asked about, those before them are what is chosen on
MOST = 5000  # questions
LONGEST = 20  # clicks before the one that is asked for
KS = (10, 20)
TASK = Task.DISCOVER  # what was clicked in this session is no answer
VIEWS = (1.0, 0.8, 0.6, 0.4)
PEOPLE: list[object] = [1, 5]
"""How many must carry a pair. A shop asks for five, so as to tell nobody's habits; what is published may tell."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=Path, metavar="FILE", help="user_id,item_id,timestamp[,session_id,event]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    tell = Progress()
    try:
        acts = read_clicks(arguments.clicks) if arguments.clicks else sessions_of(read_ratings(fetched()))
    except InputError as error:
        sys.stderr.write(f"clicks: {error}\n")
        return 2
    protocol, result = run(acts, seed=arguments.seed, tell=tell)
    sys.stdout.write(table(result) + "\n")
    if arguments.json:
        write_json(arguments.json, as_json(protocol, [result]))
    return 0


def read_clicks(path: Path) -> Acts:
    """Read clicks as acts of one kind, whatever their events. Raises InputError."""
    rows = read_acts(path)
    users, items = Vocabulary(), Vocabulary()
    return acts_of(
        rows, user=users.add(rows.user), item=items.add(rows.item), clock=clock_of(rows), meaning=Meaning.of(rows)
    )


def sessions_of(acts: Acts) -> Acts:
    """Split acts into sessions: a user's acts until 30 minutes pass are one."""
    cut = baskets(acts.user, acts.at, acts.bought, session=None, gap=SESSION_GAP)
    return Acts(**(vars(acts) | {"basket": cut}))


def run(acts: Acts, *, seed: int, tell: Progress) -> tuple[dict[str, object], TaskResult]:
    """Run the bench: (protocol, result) of the last sessions."""
    end = np.full(int(acts.basket.max()) + 1, -np.inf)
    np.maximum.at(end, acts.basket, acts.at)
    first, last = np.quantile(end, [1 - 2 * HELD, 1 - HELD])
    choosing = question(acts, end, known=first, until=last, seed=seed)
    test = question(acts, end, known=last, until=np.inf, seed=seed)
    tell(f"{len(acts):,} acts in {len(end):,} sessions; asked of {len(test.queries):,} clicks")
    search = Search(part=choosing, task=TASK, trend=None, seed=seed, budget=120, most=40)
    chosen = [search.best(grid) for grid in grids()]
    for one in chosen:
        tell(f"{one.name} {one.ndcg:.4f} on validation: {one.setting.read.config} {one.setting.read.reading}")
    weighing = [one for one in chosen if one.name != "successor"]
    field = Field(part=choosing, task=TASK, entrants=entered(choosing, weighing, seed=seed, tell=tell), trend=None)
    tuned = weighed(field, seed=seed)
    tell(f"session blend {tuned.ndcg:.4f} on validation: {sorted_weights(tuned.weights)}")
    judge = Judge(truth=test.truths[TASK], ks=KS, n_items=test.training.n_items, seed=seed)
    field = Field(part=test, task=TASK, entrants=entered(test, chosen, seed=seed, tell=tell), trend=None)
    lines = [judge.line(entry) for entry in entries(field, tuned.weights, k=max(KS))]
    protocol: dict[str, object] = {
        "use": "next click of a session",
        "split": "sessions by their end: the last tenth is asked about, the tenth before chooses",
        "sessions": len(end),
        "clicks": len(acts),
        "questions_choosing": len(choosing.queries),
        "weights": dict(sorted_weights(tuned.weights)),
        "settings": {one.name: described(one) for one in chosen},
    }
    return protocol, TaskResult(task="next click", judge=judge, lines=lines)


def described(one: Chosen) -> dict[str, object]:
    return {"config": vars(one.setting.read.config), "view": one.setting.read.reading.view, "ndcg@10": one.ndcg}


def question(acts: Acts, end: NDArray[np.float64], *, known: float, until: float, seed: int) -> Part:
    """Part taught by the sessions that end before ``known``, and asked for each new item of the sessions from there on.

    Of the clicks before it the newest 20 count, each item once. What training does not know counts and cannot be hit.
    """
    n_items = int(acts.item.max()) + 1
    taught = acts.where((end < known)[acts.basket])
    user = np.unique(taught.basket, return_inverse=True)[1].astype(np.int32)
    order = np.argsort(user, kind="stable")  # within a session the newest first, as before
    taught = Acts(**{name: column[order] for name, column in (vars(taught) | {"user": user}).items()})
    training = TrainingSet(
        interactions=taught.interactions(cut=known, n_users=int(user.max()) + 1, n_items=n_items),
        catalogue=undescribed(n_items),
    )
    later = acts.where(((end >= known) & (end < until))[acts.basket])
    prefixes = _prefixes(later)
    if len(prefixes) > MOST:
        rows = np.sort(generator(seed, "clicks").choice(len(prefixes), MOST, replace=False))
        prefixes = [prefixes[row] for row in rows.tolist()]
    queries = Queries(
        histories=_histories([before for before, _ in prefixes], n_items=n_items),
        training_rows=np.full(len(prefixes), -1, np.int32),
    )
    truth = np.array([item for _, item in prefixes], np.int32)
    pairs = pairs_of(np.arange(len(prefixes)), truth, shape=(len(prefixes), n_items))
    return part(training, queries, pairs, tasks=(TASK,), repeats=False)


def _prefixes(acts: Acts) -> list[tuple[list[int], int]]:
    """Prefixes of every click on an item that is new in its session: (the items before it, the newest first, it)."""
    order = np.lexsort((-np.arange(len(acts)), acts.at, acts.basket))
    prefixes: list[tuple[list[int], int]] = []
    session, before = -1, dict[int, None]()
    for basket, item in zip(acts.basket[order].tolist(), acts.item[order].tolist(), strict=True):
        if basket != session:
            session, before = basket, {}
        if before and item not in before:
            prefixes.append((list(before)[: -LONGEST - 1 : -1], item))
        before.pop(item, None)
        before[item] = None
    return prefixes


def _histories(items: Sequence[Sequence[int]], *, n_items: int) -> Interactions:
    """Histories of the questions: one session each, its items a minute apart."""
    lengths = [len(each) for each in items]
    user = np.repeat(np.arange(len(items), dtype=np.int32), lengths)
    age = np.concatenate([np.arange(length) for length in lengths]) / 1440
    ones = np.ones(len(user), np.float32)
    return Interactions(
        user=user, item=np.array([item for each in items for item in each], np.int32), basket=user.copy(),
        age=age.astype(np.float32), quantity=ones, strength=ones, amount=np.zeros_like(ones), bought=ones > 0,
        n_users=len(items), n_items=n_items,
    )  # fmt: skip


def grids() -> list[Grid]:
    """Grids of the recommenders of a visit, and of what most often came after the last click."""
    by_act = Reading(basket="act", view=0.8)
    transitions = sequence.Config(profile="context", target_power=0.0, min_together=1, people=1)
    return [
        _grid(
            "session_knn", session_knn.SessionKnn, session_knn.Config(),
            {"target_power": [0.05, 0.2, 0.3, 0.5]}, {"length_power": [0.0, 0.3, 0.5, 0.8]},
            {"neighbours": [100, 500, 2000]}, {"rarity": [0.0, 1.0, 2.0]},
        ),
        _grid(
            "sequence", sequence.Transitions, transitions,
            {"target_power": [0.0, 0.2, 0.4, 0.6]}, {"min_together": [1, 2, 3]}, {"people": PEOPLE}, reading=by_act,
        ),
        _grid(
            "next_item", next_item.NextItem, next_item.Config(profile="context", people=1),
            {"target_power": [0.2, 0.35, 0.5, 0.7]}, {"fading": [0.3, 0.6, 0.9]}, {"back": [0.0, 0.25, 0.5, 1.0]},
            {"source_power": [0.3, 0.5, 0.8]}, {"window": [3, 7, 15]}, {"people": PEOPLE},
        ),
        _grid(
            "item_knn", item_knn.ItemKnn, item_knn.Config(profile="context"),
            {"transform": ["bm25", "tfidf", "binary"]}, {"target_power": [0.2, 0.4, 0.6]},
            {"source_power": [0.2, 0.4, 0.6]}, {"neighbours": [50, 200]}, {"shrinkage": [0.0, 5.0]},
        ),
        _grid("also_bought", also_bought.AlsoBought, also_bought.Config(people=1), {"min_together": [1, 2, 3]}),
        _grid(
            "spectral", spectral.Spectral, spectral.Config(profile="context"),
            {"smooth": [0.1, 0.3, 1.0, 3.0]}, {"factors": [64, 256, 640]}, {"power": [0.3, 0.5, 0.7]},
        ),
        Grid(name="popular", start=_setting(popularity.Popularity, popularity.Config(half_life=None)), axes=[
            [{"half_life": None}, {"half_life": 7.0}, {"half_life": 28.0}]
        ]),
        Grid(name="successor", start=_setting(
            sequence.Transitions, transitions, reading=Reading(basket="act", view=0.0)
        ), axes=[]),
    ]  # fmt: skip


def _grid(
    name: str, kind: type[Recommender], config: object, *axes: dict[str, list[object]], reading: Reading | None = None
) -> Grid:
    changes = [[{field: value} for value in axis[field]] for axis in axes for field in axis]
    views = [{"view": fading} for fading in VIEWS]
    return Grid(name=name, start=_setting(kind, config, reading=reading), axes=[views, *changes])


def _setting(kind: type[Recommender], config: object, *, reading: Reading | None = None) -> Setting:
    return Setting(read=ReadConfig(kind=kind, config=config, reading=reading or Reading(view=0.8)))


if __name__ == "__main__":
    sys.exit(main())
