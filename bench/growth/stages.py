"""Stages of ``scale.py``. Each runs in a process of its own, so that its peak of memory is its own, and finds what
the stages before it left as .npy files that are mapped into memory.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from bench.growth import synthetic
from bench.meter import peak_mb
from recommendations.domains.goods import GOODS
from recommendations.engine.evaluation.backtest import backtest, baselines
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.panel import panel
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import tuned
from recommendations.engine.frames import Catalogue, Interactions, Sparse, TrainingSet
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.preprocess.weighting import act_weights
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.protocol import learned, restored
from recommendations.engine.recommenders.registry import INSTANCES, Instance, instances_of
from recommendations.engine.rng import generator
from recommendations.terms import BlendName

SEED = 0
SAMPLE = 10_000
"""Customers who are scored, tuned and evaluated on, of those who bought something after the cut."""

type Figures = dict[str, float]


def once() -> list[Instance]:
    """Instances that have to be fitted: of those that differ by their trend only, the first."""
    firsts: list[Instance] = []
    for one in INSTANCES:
        if not any(one.kind is other.kind and one.config == other.config for other in firsts):
            firsts.append(one)
    return firsts


def run(stage: str, folder: Path, *, rows: int) -> Figures:
    """Run a stage (``generate``, ``fit <instance>``, or one of ``STAGES``): seconds, peak MB, and what it found."""
    name, _, instance = stage.partition(" ")
    wall, cpu = time.perf_counter(), time.process_time()
    if name == "generate":
        figures = _generate(folder, rows)
    else:
        figures = _fit(folder, instance) if instance else STAGES[name](folder)
    return {
        "wall_seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": round(peak_mb(), 1),
        **figures,
    }


def _generate(folder: Path, rows: int) -> Figures:
    shop = synthetic.shop(rows, seed=SEED)
    acts, catalogue = shop.training.interactions, shop.training.catalogue
    arrays = {f"acts.{name}": np.asarray(value) for name, value in vars(acts).items()}
    arrays |= {"catalogue.price": catalogue.price, "catalogue.listed_age": catalogue.listed_age}
    for name, matrix in (("categories", catalogue.categories), ("terms", catalogue.terms), ("spent", shop.spent)):
        arrays |= _parts(name, matrix)
    _save(folder / "shop", arrays)
    buyers = np.intersect1d(np.flatnonzero(np.diff(shop.spent.indptr)), acts.user)
    sample = generator(SEED, "sample").choice(buyers, min(SAMPLE, len(buyers)), replace=False)
    _save(folder / "sample", {"users": np.sort(sample)})
    return {"rows": len(acts), "users": acts.n_users, "items": acts.n_items}


def _matrices(folder: Path) -> Figures:
    acts = _training(folder).interactions
    weights = act_weights(acts, half_life=90.0)
    return {"pairs": weights.nnz, "baskets": int(acts.n_baskets.sum()), "trend": float(trend(acts).max())}


def _fit(folder: Path, name: str) -> Figures:
    instance = next(one for one in INSTANCES if one.name == name)
    with threadpool_limits(1, user_api="blas"):  # as in a run
        fitted = instance.build().fit(_training(folder), seed=SEED)
    arrays = learned(fitted)
    _save(folder / name, arrays)
    return {"learned_mb": round(sum(array.nbytes for array in arrays.values()) / 1e6, 1)}


def _score(folder: Path) -> Figures:
    training, users = _training(folder), _users(folder)
    fitted = {one.name: restored(one.kind, one.config, _load(folder / one.name)) for one in once()}
    first = {one.name: _first_alike(one) for one in INSTANCES}
    queries = training.queries(users)
    bought = queries.histories.where(queries.histories.bought).matrix()
    plans = {
        str(blend): BlendPlan(
            weights=GOODS.weights[blend],
            instances=tuple(one.name for one in instances_of(blend)),
            excluded=bought if blend is BlendName.DISCOVER else None,
        )
        for blend in (BlendName.HOME, BlendName.DISCOVER)
    }
    parts = [
        FittedInstance(name=one.name, recommender=fitted[first[one.name]], trend_exponent=one.trend)
        for one in INSTANCES
    ]
    factor = trend(training.interactions)
    cpu = time.process_time()
    records = candidates(parts, queries, plans=plans, trend=factor)
    cpu = time.process_time() - cpu
    for blend, record in records.items():
        _save(folder / f"records {blend}", {"items": record.items, "z": record.z, "own": record.own})
    return {"customers": len(users), "customers_per_cpu_second": round(len(users) / cpu, 1)}


def _tuning(folder: Path) -> Figures:
    training, records, truth = _training(folder), _records(folder, BlendName.HOME), _truth(folder)
    likeness = Likeness(traits=np.full((training.n_items, 1), -1, np.int32))
    seen = panel(records, truth, shop=assortment(training), likeness=likeness)
    best = tuned(seen, seed=SEED, starts=[GOODS.weights[BlendName.HOME]])
    return {"ndcg": best.ndcg, "best_single_ndcg": best.best_single_ndcg, "evaluations": best.evaluations}


def _evaluation(folder: Path) -> Figures:
    training, users, truth = _training(folder), _users(folder), _truth(folder)
    lines = backtest(
        _records(folder, BlendName.HOME),
        truth,
        hybrids={"preset": GOODS.weights[BlendName.HOME]},
        baselines=baselines(training, users, excluded=None),
        shop=assortment(training),
        drawn=resamples(len(truth.users), seed=SEED),
    )
    return {f"ndcg {line.name}": round(line.metrics["ndcg@10"].value, 4) for line in lines}


STAGES: Mapping[str, Callable[[Path], Figures]] = {
    "matrices": _matrices,
    "score": _score,
    "tuning": _tuning,
    "evaluation": _evaluation,
}


def _first_alike(instance: Instance) -> str:
    return next(one.name for one in once() if one.kind is instance.kind and one.config == instance.config)


def _users(folder: Path) -> NDArray[np.int64]:
    return np.asarray(_load(folder / "sample")["users"], np.int64)


def _truth(folder: Path) -> Truth:
    return Truth(spent=_matrix(_load(folder / "shop"), "spent")[_users(folder)])


def _records(folder: Path, blend: BlendName) -> Candidates:
    names = tuple(one.name for one in instances_of(blend))
    return Candidates(instances=names, asked=None, **_load(folder / f"records {blend}"))


def _training(folder: Path) -> TrainingSet:
    arrays = _load(folder / "shop")
    values: dict[str, Any] = {one.name: arrays[f"acts.{one.name}"] for one in fields(Interactions)}
    values |= {name: int(values[name]) for name in ("n_users", "n_items")}
    catalogue = Catalogue(
        categories=_matrix(arrays, "categories"),
        terms=_matrix(arrays, "terms"),
        price=arrays["catalogue.price"],
        listed_age=arrays["catalogue.listed_age"],
    )
    return TrainingSet(interactions=Interactions(**values), catalogue=catalogue)


def _parts(name: str, matrix: Sparse) -> dict[str, NDArray[Any]]:
    parts = {f"{name}.{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
    return {**parts, f"{name}.shape": np.asarray(matrix.shape)}


def _matrix(arrays: Mapping[str, NDArray[Any]], name: str) -> Sparse:
    data, indices, indptr, (height, width) = (
        arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr", "shape")
    )
    return sparse.csr_matrix((data, indices, indptr), shape=(int(height), int(width)), copy=False)


def _save(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def _load(folder: Path) -> dict[str, NDArray[Any]]:
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
