"""A second stage: trees over the features of the candidates, whose score is one more plane of the record.

Two models of the same trees, one of the chance that a candidate is bought (log loss) and one of the order of the
candidates (LambdaRank, Burges 2010), each standardised over the record and averaged (``maths.md`` §4). LightGBM comes
with the extra ``second-stage``; nothing else needs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IdArray
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.features import Features
from recommendations.engine.ranking.scores import CONSTANT, top
from recommendations.engine.rng import generator

NAME = "second_stage"
"""Name of the plane among the instances of a record, and of its weight."""

ROWS_AT_ONCE = 50_000

OBJECTIVES: tuple[Mapping[str, Any], ...] = (
    {"objective": "binary"},
    {"objective": "lambdarank", "lambdarank_truncation_level": 30},
)


class SecondStageUnavailableError(RuntimeError):
    """LightGBM is not installed, or cannot be loaded."""

    def __init__(self) -> None:
        super().__init__(
            "The second stage needs LightGBM: install the extra second-stage (lightgbm 4.6 or later), "
            "and on Linux the system library libgomp1."
        )


class NothingToLearnError(ValueError):
    """No candidate of the lessons was bought, or all were."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings that did best on windows before the test window of the demo data."""

    rounds: int = 150
    learning_rate: float = 0.06
    leaves: int = 15
    rows_per_leaf: int = 300
    ridge: float = 20.0
    columns_per_tree: float = 0.4
    rows_per_tree: float = 0.7
    bins: int = 63
    threads: int = 2


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Candidates of one cut, and whether each was bought in the window after it."""

    features: Features
    relevant: BoolArray  # [rows]


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Scores of a record's candidates by the second stage."""

    z: NDArray[np.float16]  # [queries, candidates]; NaN where there is no candidate
    scale: FloatArray  # [queries, 2]: what one unit of each model's margin is worth in z


@dataclass(frozen=True, kw_only=True)
class Terms:
    """z as a sum: the base and one term for each group of features."""

    groups: tuple[str, ...]
    values: NDArray[np.float64]  # [rows, groups]
    base: NDArray[np.float64]  # [rows]: what is expected of any candidate, less the record's mean, and the rounding


class SecondStage:
    """Both tree models. Parameters are data (``config``); learned arrays have a trailing underscore and are saved."""

    names_: NDArray[np.str_]
    groups_: NDArray[np.str_]
    binary_: NDArray[np.uint8]  # LightGBM's own text form
    order_: NDArray[np.uint8]

    def __init__(self, config: Config) -> None:
        self.config = config

    def fit(self, lessons: Sequence[Lesson], *, seed: int) -> Self:
        """Learn from lessons of one or more cuts with the same columns; the same seed gives the same trees."""
        names, groups = lessons[0].features.names, lessons[0].features.groups
        if any(lesson.features.names != names for lesson in lessons):
            raise ValueError("lessons of different columns")
        relevant = np.concatenate([lesson.relevant for lesson in lessons]).astype(np.int8)
        if not relevant.any() or relevant.all():
            raise NothingToLearnError
        values = np.concatenate([lesson.features.values for lesson in lessons]).astype(np.float32)
        counts = np.concatenate([lesson.features.counts for lesson in lessons])
        lightgbm = load_lightgbm()
        texts = []
        for objective in OBJECTIVES:
            table = lightgbm.Dataset(values, relevant, group=counts[counts > 0], params={"max_bin": self.config.bins})
            booster = lightgbm.train({**self._parameters(seed), **objective}, table, self.config.rounds)
            texts.append(np.frombuffer(booster.model_to_string().encode(), np.uint8))
        self.names_, self.groups_ = np.array(names), np.array(groups)
        self.binary_, self.order_ = texts
        self.__dict__.pop("boosters", None)
        return self

    def _parameters(self, seed: int) -> dict[str, Any]:
        return {
            "learning_rate": self.config.learning_rate,
            "num_leaves": self.config.leaves,
            "min_data_in_leaf": self.config.rows_per_leaf,
            "lambda_l2": self.config.ridge,
            "feature_fraction": self.config.columns_per_tree,
            "bagging_fraction": self.config.rows_per_tree,
            "bagging_freq": 1,
            "max_bin": self.config.bins,
            "num_threads": self.config.threads,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,  # what is quicker may not depend on how busy the machine is
            "verbose": -1,
        }

    @cached_property
    def boosters(self) -> tuple[Any, Any]:
        """Both models, read from their text."""
        lightgbm = load_lightgbm()
        first, second = (lightgbm.Booster(model_str=text.tobytes().decode()) for text in (self.binary_, self.order_))
        return first, second

    def own(self, features: Features) -> Features:
        """The columns that the trees know: those of an older release know fewer.

        Raises ValueError where one of theirs is not there.
        """
        names = tuple(str(name) for name in self.names_)
        try:
            return features if features.names == names else features.columns(names)
        except KeyError as error:
            raise ValueError("the second stage was trained on other columns") from error

    def margins(self, values: NDArray[np.float16]) -> NDArray[np.float64]:
        """Raw scores of both models, shape [2, rows]."""
        scores = np.zeros((len(OBJECTIVES), len(values)))
        for start in range(0, len(values), ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            table = values[block].astype(np.float32)
            for m, booster in enumerate(self.boosters):
                scores[m, block] = booster.predict(table, raw_score=True, num_threads=self.config.threads)
        return scores

    def plane(self, features: Features, candidates: Candidates) -> Plane:
        """z of every candidate of the records that the features were made of."""
        query, place = np.nonzero(candidates.items >= 0)
        mean, scale = _standard(self.margins(self.own(features).values), query, n_queries=len(candidates))
        z = np.full(candidates.items.shape, np.nan, np.float16)
        z[query, place] = mean.astype(np.float16)
        return Plane(z=z, scale=scale)

    def terms(self, values: NDArray[np.float16], *, z: NDArray[np.float16], scale: FloatArray) -> Terms:
        """Explain the z of these candidates of one query: TreeSHAP (Lundberg 2020) of both models by group.

        ``values`` [rows, columns] are their features, ``scale`` [2] that of the query; groups in the order of the
        columns.
        """
        groups = tuple(dict.fromkeys(str(group) for group in self.groups_))
        place = np.array([groups.index(str(group)) for group in self.groups_], np.int64)
        membership = (place[:, None] == np.arange(len(groups))).astype(np.float64)
        table = values.astype(np.float32)
        summed = np.zeros((len(values), len(groups)))
        for booster, unit in zip(self.boosters, scale, strict=True):
            shares = booster.predict(table, pred_contrib=True, num_threads=self.config.threads)
            summed += float(unit) * (shares[:, :-1] @ membership)
        return Terms(groups=groups, values=summed, base=z.astype(np.float64) - summed.sum(axis=1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Learned arrays by name."""
        return {name: getattr(self, f"{name}_") for name in ("names", "groups", "binary", "order")}

    @classmethod
    def restored(cls, config: Config, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The second stage that ``arrays`` was taken from."""
        stage = cls(config)
        for name, values in arrays.items():
            setattr(stage, f"{name}_", values)
        return stage


def lesson(
    features: Features, candidates: Candidates, relevant: BoolArray, *, weights: Mapping[str, float], best: int = 100
) -> Lesson:
    """The ``best`` candidates of each query by a blend, to learn from: what stands far below is easily told apart.

    ``relevant`` [queries, candidates] is the truth of the window.
    """
    positions = top(candidates.blended(weights), best)
    taken = np.zeros(candidates.items.shape, np.bool_)
    rows, columns = np.nonzero(positions >= 0)
    taken[rows, positions[rows, columns]] = True
    there = candidates.items >= 0
    return Lesson(
        features=features.where(taken[there], counts=np.count_nonzero(taken, axis=1)), relevant=relevant[there & taken]
    )


def cross_fitted(
    config: Config,
    lessons: Lesson,
    features: Features,
    candidates: Candidates,
    *,
    learners: IdArray,
    folds: int = 2,
    seed: int,
) -> Plane:
    """A plane for the very cut that the lessons are of: each customer is scored by trees that never saw them.

    ``lessons`` has one query for each of ``learners``, which are queries of the record.
    """
    fits = CrossFits.fit(config, lessons, n_queries=len(candidates), learners=learners, folds=folds, seed=seed)
    return fits.plane(features, candidates, queries=np.arange(len(candidates)))


@dataclass(frozen=True, kw_only=True)
class CrossFits:
    """Trees by fold, each of which never saw the customers of its fold."""

    fold: IdArray  # [queries]
    stages: tuple[SecondStage, ...]

    @classmethod
    def fit(
        cls, config: Config, lessons: Lesson, *, n_queries: int, learners: IdArray, folds: int = 2, seed: int
    ) -> Self:
        """Learn for each fold from the lessons of the others; ``lessons`` has one query for each of ``learners``."""
        fold = generator(seed, NAME).permutation(n_queries) % folds
        taught = [part_of(lessons, np.flatnonzero(fold[learners] != number)) for number in range(folds)]
        return cls(fold=fold, stages=tuple(SecondStage(config).fit([one], seed=seed) for one in taught))

    def plane(self, features: Features, candidates: Candidates, *, queries: IdArray) -> Plane:
        """z of the records and features of these queries, which are some of all."""
        z = np.full(candidates.items.shape, np.nan, np.float16)
        scale = np.zeros((len(candidates), len(OBJECTIVES)), np.float32)
        for number, stage in enumerate(self.stages):
            own = np.flatnonzero(self.fold[queries] == number)
            plane = stage.plane(features.of(own), candidates.of(own))
            z[own], scale[own] = plane.z, plane.scale
        return Plane(z=z, scale=scale)


def part_of(lessons: Lesson, queries: IdArray) -> Lesson:
    """The lessons of these queries."""
    return Lesson(features=lessons.features.of(queries), relevant=lessons.relevant[lessons.features.rows(queries)])


def joined(parts: Sequence[Lesson]) -> Lesson:
    """The lessons of consecutive blocks of queries as one."""
    first = parts[0].features
    return Lesson(
        features=replace(
            first,
            values=np.concatenate([part.features.values for part in parts]),
            counts=np.concatenate([part.features.counts for part in parts]),
        ),
        relevant=np.concatenate([part.relevant for part in parts]),
    )


def _standard(
    margins: NDArray[np.float64], query: IdArray, *, n_queries: int
) -> tuple[NDArray[np.float64], FloatArray]:
    """The mean of both standardised margins, standardised again over each query, and what a unit of each is worth."""
    scale = np.zeros((n_queries, len(margins)))
    mean = np.zeros(margins.shape[1])
    for m, values in enumerate(margins):
        unit, centred = _unit(values, query, n_queries=n_queries)
        scale[:, m] = unit / len(margins)
        mean += centred * scale[query, m]
    unit, centred = _unit(mean, query, n_queries=n_queries)
    return centred * unit[query], (scale * unit[:, None]).astype(np.float32)


def _unit(
    values: NDArray[np.float64], query: IdArray, *, n_queries: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1 / standard deviation per query, 0 where the values are one constant, and the values less their mean."""
    count = np.maximum(np.bincount(query, minlength=n_queries), 1)
    centred = values - (np.bincount(query, values, minlength=n_queries) / count)[query]
    deviation = np.sqrt(np.bincount(query, centred * centred, minlength=n_queries) / count)
    largest = np.zeros(n_queries)
    np.maximum.at(largest, query, np.abs(values))
    varied = deviation > CONSTANT * largest
    return np.where(varied, 1 / np.where(varied, deviation, 1), 0), centred


def load_lightgbm() -> Any:
    """Load LightGBM where it is needed, since it is heavy and optional. Raises SecondStageUnavailableError."""
    try:
        return import_module("lightgbm")
    except (ImportError, OSError) as error:  # OSError: the wheel is there, but the system has no OpenMP library
        raise SecondStageUnavailableError from error
