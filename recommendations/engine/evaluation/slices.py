"""Slices of an evaluation: the same lists, measured on parts of the customers and on parts of what they bought.

By *activity* and by *segment* customers are told apart, and each keeps all of the truth. By *department* and for *new
items* the truth is told apart: a slice has everybody who bought something of it in the window, its metrics take only
that part for relevant, and the list stays as it was shown. Recall@10 of a department is then the share of what people
bought there that their ten places show, and NDCG@10 has the ideal over min(10, purchases there); as the ten places also
serve the other departments, such figures compare recommenders within a slice, not slices with one another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import discount, labels
from recommendations.engine.evaluation.backtest import TableRow
from recommendations.engine.evaluation.intervals import Measure, measures
from recommendations.engine.evaluation.measures import PER_USER
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, FloatArray, IntArray, TrainingSet
from recommendations.terms import Activity, SliceKind

K = 10
SHOWN: Sequence[str] = ("ndcg@10", "recall@10", "hit_rate@10")
FEWEST_USERS = 20
"""A slice of fewer customers is left out: its interval would say nothing."""

COLD_BASKETS = 5
HEAVY = 0.75
NEW_DAYS = 28.0
NEW = "new"

type Table = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One recommender's figures on one part."""

    kind: SliceKind
    key: str
    users: int
    metrics: Mapping[str, Measure]  # of SHOWN


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Groups of the truth's users and of the items; −1 is in no group."""

    activity: IntArray  # [users of the truth]: place in ``Activity``
    segment: IntArray  # [users of the truth]: lasting number
    department: IntArray  # [items]: place in ``departments``
    departments: Sequence[str]
    new: BoolArray  # [items]


def activity(training: TrainingSet, users: NDArray[np.int64]) -> IntArray:
    """Activity of users: cold below 5 baskets before the cut, heavy with more than ¾ of the others have, else warm."""
    acts = training.interactions
    baskets = acts.where(acts.bought).n_baskets[users]
    others = baskets[baskets >= COLD_BASKETS]
    bound = np.quantile(others, HEAVY) if len(others) else 0
    names = list(Activity)
    levels = np.full(len(users), names.index(Activity.WARM), np.int32)
    levels[baskets > bound] = names.index(Activity.HEAVY)
    levels[baskets < COLD_BASKETS] = names.index(Activity.COLD)
    return levels


def new_items(training: TrainingSet) -> BoolArray:
    """Items first sold in the 28 days before the cut, whoever bought them."""
    acts = training.interactions
    first = np.full(training.n_items, -1, np.float32)
    np.maximum.at(first, acts.item[acts.bought], acts.age[acts.bought])
    return np.asarray((first >= 0) & (first <= NEW_DAYS))


def slices(rows: Sequence[TableRow], truth: Truth, *, groups: Groups, drawn: FloatArray) -> list[list[Slice]]:
    """The slices of each row, in the order of the rows; ``drawn`` are resamples of the truth's users."""
    per_row: list[list[Slice]] = [[] for _ in rows]
    for kind, key, members, tables in _parts(rows, truth, groups):
        if len(members) < FEWEST_USERS:
            continue
        figures = measures(tables, drawn[:, members])
        for number in range(len(rows)):
            own = figures[number * len(SHOWN) : (number + 1) * len(SHOWN)]
            metrics = dict(zip(SHOWN, own, strict=True))
            per_row[number].append(Slice(kind=kind, key=key, users=len(members), metrics=metrics))
    return per_row


type _Part = tuple[SliceKind, str, NDArray[np.int64], Table]


def _parts(rows: Sequence[TableRow], truth: Truth, groups: Groups) -> Iterator[_Part]:
    """Yield kind, key, members (places among the truth's users), and their figures [members, rows × SHOWN]."""
    columns = [list(PER_USER).index(name) for name in SHOWN]
    whole = np.concatenate([row.per_user[:, columns] for row in rows], axis=1)
    for place, name in enumerate(Activity):
        members = np.flatnonzero(groups.activity == place)
        yield SliceKind.ACTIVITY, name.value, members, whole[members]
    for number in np.unique(groups.segment[groups.segment >= 0]).tolist():
        members = np.flatnonzero(groups.segment == number)
        yield SliceKind.SEGMENT, str(number), members, whole[members]
    hits = [labels(row.ranked[:, :K], truth.per_user)[0] for row in rows]
    yield from _of_truth(SliceKind.DEPARTMENT, groups.departments, groups.department, rows, hits=hits, truth=truth)
    yield from _of_truth(
        SliceKind.NEW_ITEMS, [NEW], np.where(groups.new, 0, -1).astype(np.int32), rows, hits=hits, truth=truth
    )


def _of_truth(
    kind: SliceKind,
    keys: Sequence[str],
    group_of: IntArray,
    rows: Sequence[TableRow],
    *,
    hits: Sequence[BoolArray],
    truth: Truth,
) -> Iterator[_Part]:
    """Yield the parts of the truth by the group of its items."""
    n_users, n_groups = len(truth.users), len(keys)
    user = np.repeat(np.arange(n_users), np.diff(truth.per_user.indptr))
    relevant = _by_count(user, group_of[truth.per_user.indices], shape=(n_users, n_groups))
    best = np.cumsum(discount(K))[np.minimum(relevant.astype(np.int64), K) - 1]  # of no purchases: never looked at
    gain, caught = [], []
    for row, hit in zip(rows, hits, strict=True):
        who, place = np.nonzero(hit)
        group = group_of[row.ranked[who, place]]
        gain.append(_by_count(who, group, shape=relevant.shape, weights=discount(K)[place]))
        caught.append(_by_count(who, group, shape=relevant.shape))
    for column, key in enumerate(keys):
        members = np.flatnonzero(relevant[:, column])
        tables = []
        for gains, hits_there in zip(gain, caught, strict=True):
            there = hits_there[members, column]
            tables += [gains[members, column] / best[members, column], there / relevant[members, column], there > 0]
        yield kind, key, members, np.stack(tables, axis=1).astype(np.float64)


def _by_count(
    user: NDArray[np.int64], group: IntArray, *, shape: tuple[int, int], weights: NDArray[np.float64] | None = None
) -> Table:
    """Count how often (or sum with what weight) each user meets each group."""
    in_group = group >= 0
    flat = user[in_group] * shape[1] + group[in_group]
    values = np.ones(len(flat)) if weights is None else weights[in_group]
    return np.bincount(flat, values, minlength=shape[0] * shape[1]).reshape(shape)
