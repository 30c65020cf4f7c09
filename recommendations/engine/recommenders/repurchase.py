"""Repurchase model: the chance that the user buys each known item again, learned from how earlier weeks went on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, Interactions, Queries
from recommendations.engine.preprocess.popularity import (
    oldest_act,
    recent_buyers,
    recent_demand,
    relative,
    trend_of,
    weekly_demand,
)
from recommendations.engine.preprocess.rhythm import rhythm
from recommendations.engine.preprocess.sizes import MOST_ROWS, thinned
from recommendations.engine.preprocess.weighting import decay
from recommendations.engine.recommenders.protocol import Configured, Evidence
from recommendations.engine.rng import generator
from recommendations.engine.steps import Arrays, Join, Over, Part, Step, added
from recommendations.terms import Reason

HALF_LIVES = (7.0, 20.0, 45.0, 75.0, 180.0)  # days
PLAIN = 3
"""Place of the half-life that decides alone where nothing can be learned."""

FLOOR = 0.05  # added before a logarithm: an act that has faded away
MOST_LESSONS = 400_000
SAME = 1e-9  # standard deviation of a feature that tells nothing apart


@dataclass(frozen=True, kw_only=True)
class Config:
    window: float = 28.0  # days: how far "about to" reaches
    windows: int = 2  # before the cut, that teach
    shrinkage: float = 10.0  # expected purchases that an item's own habit must have to be believed by half
    ridge: float = 0.1  # of the coefficients, on standardised features
    most_rows: int = MOST_ROWS  # that teach; of more, those of every k-th user
    prior: float = 0.15  # what the most popular item is worth to who never bought it, against a certain purchase
    explained: float = 28.0  # days that the explanation of a popular item speaks of


class _Owned(NamedTuple):
    """Every user with every item that they ever bought, by user and item."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    features: NDArray[np.float64]


class _Lesson(NamedTuple):
    """The pairs of a moment in the past, and which of them were bought again in the days that followed."""

    past: Interactions
    pairs: _Owned
    again: NDArray[np.bool_]


def _lesson(acts: Interactions, *, since: float, days: float) -> _Lesson:
    """Make the lesson of the moment ``since + days`` before the cut."""
    before = acts.where(acts.age >= since + days)
    past = replace(before, age=before.age + np.float32(-(since + days)))
    then = acts.where(acts.bought & (acts.age >= since) & (acts.age < since + days))
    pairs = _pairs(past)
    keys = pairs.user * acts.n_items + pairs.item
    return _Lesson(past, pairs, np.isin(keys, then.user.astype(np.int64) * acts.n_items + then.item))


def _pairs(acts: Interactions) -> _Owned:
    """Make the pairs. What is taken back takes from the counts; who only took back has no pair."""
    traded = acts.bought | (acts.strength < 0)
    key = acts.user[traded].astype(np.int64) * acts.n_items + acts.item[traded]
    bought, age = acts.bought[traded], acts.age[traded]
    keys, place = np.unique(key, return_inverse=True)
    times = np.bincount(place, bought, minlength=len(keys))
    newest, oldest = np.full(len(keys), np.inf), np.zeros(len(keys))
    np.minimum.at(newest, place[bought], age[bought])
    np.maximum.at(oldest, place[bought], age[bought])
    faded = [
        np.bincount(place, acts.strength[traded] * decay(age, half_life), minlength=len(keys))
        for half_life in HALF_LIVES
    ]
    owned = times > 0
    features = np.stack([*faded, times, newest, oldest], axis=1)[owned]
    return _Owned(keys[owned] // acts.n_items, keys[owned] % acts.n_items, _rhythm_features(features))


def _rhythm_features(told: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features from the faded counts, the count, and the days since the newest and oldest purchase of each pair."""
    faded, (times, newest, oldest) = told[:, : len(HALF_LIVES)], told[:, len(HALF_LIVES) :].T
    logs = np.log(np.maximum(faded, 0) + FLOOR)
    gap = (oldest - newest) / np.maximum(times - 1, 1)  # 0 where bought once
    due = np.where(times > 1, newest / np.maximum(gap, 1), 0)
    since, overdue = np.log1p(newest), np.log1p(due)
    rhythms = [np.log(times), times == 1, since, since**2, np.log1p(gap), overdue, overdue**2, logs[:, PLAIN] ** 2]
    return np.column_stack([logs, *rhythms])


def _demand_sums(acts: Interactions) -> NDArray[np.float64]:
    """What ``_demand`` is made of, [4, items]; that of other people can be added to it."""
    popularity = [recent_demand(acts, half_life=half_life) for half_life in (7.0, 28.0)]
    return np.stack([*popularity, *weekly_demand(acts)])


def _demand(sums: NDArray[np.float64], *, oldest: float) -> NDArray[np.float64]:
    """Present demand for each item, [items, 3]: log popularity over two half-lives, and log trend."""
    lately, longer = sums[:2].astype(np.float32)
    trend = trend_of(sums[2], sums[3], oldest=oldest)
    return np.stack([np.log1p(lately), np.log1p(longer), np.log(trend)], axis=1).astype(np.float64)


def _learned(
    features: NDArray[np.float64], again: NDArray[np.bool_], *, ridge: float, seed: int
) -> NDArray[np.float64]:
    """Coefficients and intercept of the logistic regression; the faded count alone where all went on alike."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to load

    if len(again) > MOST_LESSONS:
        sample = np.sort(generator(seed, "repurchase").choice(len(again), MOST_LESSONS, replace=False))
        features, again = features[sample], again[sample]
    coefficients = np.zeros(features.shape[1] + 1)
    if again.all() or not again.any():
        coefficients[PLAIN] = 1
        return coefficients
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread < SAME] = np.inf
    model = LogisticRegression(C=1 / ridge, solver="newton-cholesky").fit((features - mean) / spread, again)
    coefficients[:-1] = model.coef_[0] / spread
    coefficients[-1] = model.intercept_[0] - coefficients[:-1] @ mean
    return coefficients


def _logit(features: NDArray[np.float64], coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(features @ coefficients[:-1] + coefficients[-1])


def _chance(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logit)))


def _asked(config: Config, before: Arrays, part: Part) -> Arrays:
    """What everybody asks for at present, and how many acts there are."""
    return {
        "rows": np.asarray([len(part.own)]),
        "popularity": recent_demand(part.own, half_life=HALF_LIVES[0]),
        "buyers_": recent_buyers(part.own, days=config.explained),
    }


def _lessons(config: Config, before: Arrays, part: Part) -> Arrays:
    """The lessons of those who teach, and the demand at each of their moments, the last of which is the cut."""
    acts = thinned(part.own, config.most_rows, of=int(before["rows"][0]), start=part.start)
    lessons = [_lesson(acts, since=config.window * number, days=config.window) for number in range(config.windows)]
    moments = [*(lesson.past for lesson in lessons), acts]
    arrays: dict[str, NDArray[Any]] = {
        "demand": np.stack([_demand_sums(moment) for moment in moments]),
        "oldest": np.asarray([oldest_act(moment) for moment in moments]),
    }
    for number, (_, pairs, again) in enumerate(lessons):
        arrays |= {f"item{number}": pairs.item, f"features{number}": pairs.features, f"again{number}": again}
    return arrays


def _regression(config: Config, before: Arrays, part: Part) -> Arrays:
    demand = [_demand(sums, oldest=float(at)) for sums, at in zip(before["demand"], before["oldest"], strict=True)]
    item, again = (
        np.concatenate([before[f"{name}{number}"] for number in range(config.windows)]) for name in ("item", "again")
    )
    features = np.concatenate(
        [np.hstack([before[f"features{n}"], demand[n][before[f"item{n}"]]]) for n in range(config.windows)]
    )
    coefficients = _learned(features, again, ridge=config.ridge, seed=part.seed)
    n_items = part.catalogue.n_items
    expected = np.bincount(item, _chance(_logit(features, coefficients)), minlength=n_items)
    observed = np.bincount(item, again, minlength=n_items)
    popularity = relative(before["popularity"].astype(np.float32))
    return {
        "coefficients_": coefficients,
        "habit_": np.log((observed + config.shrinkage) / (expected + config.shrinkage)).astype(np.float32),
        "demand_": demand[-1],
        "prior_": (config.prior * np.sqrt(popularity)).astype(np.float32),
    }


class Repurchase(Configured[Config]):
    """score_ij = √p_ij of what i has bought, else g · √pop_j; silent for who never bought.

    logit p_ij = b · x_ij + log e_j. x: how often, how lately and in which rhythm i bought j, and how j is asked for at
    present. e_j: how often j was bought again in the weeks that teach, over what b · x alone expected there.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="asked", over=Over.CUSTOMERS, work=_asked, join=added),
        Step(name="lessons", over=Over.CUSTOMERS, work=_lessons, join=Join(sums=("demand",), highest=("oldest",))),
        Step(name="regression", over=Over.ONCE, work=_regression),
    )

    coefficients_: NDArray[np.float64]  # b, of the features as they are; the last is the intercept
    habit_: FloatArray  # log e, [items]
    demand_: NDArray[np.float64]  # [items, 3]
    prior_: FloatArray  # g · √pop, [items]
    buyers_: FloatArray

    def score(self, queries: Queries) -> FloatArray:
        pairs = _pairs(queries.histories)
        logit = _logit(np.hstack([pairs.features, self.demand_[pairs.item]]), self.coefficients_)
        scores = np.repeat(self.prior_[None, :], len(queries), axis=0)
        scores[pairs.user, pairs.item] = np.sqrt(_chance(logit + self.habit_[pairs.item]))
        scores[np.bincount(pairs.user, minlength=len(queries)) == 0] = np.nan
        return scores

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        histories = query.histories
        facts = rhythm(histories, item)
        if facts:
            return [Evidence(reason=Reason.BOUGHT_BEFORE, share=1.0, item=item, facts=facts)]
        if not histories.bought.any() or self.prior_[item] <= 0:
            return []
        facts = {"buyers": float(self.buyers_[item]), "days": self.config.explained}
        return [Evidence(reason=Reason.POPULAR, share=1.0, facts=facts)]
