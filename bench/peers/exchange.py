"""The files between the bench and a peer, and what a peer may ask of them; needs NumPy and SciPy only.

A folder holds ``train.npz`` (one row per basket and item), ``task.json`` (what is asked) and, when the peer is done,
``ranked.npz``. Users and items are dense rows, the same on both sides.
"""

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

type Rows = NDArray[np.int32]
type Sparse = sparse.csr_matrix[np.float32]

STATUS = Path("/proc/self/status")

WEIGHTS: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "binary": np.sign,
    "count": lambda total: total,
    "sqrt": np.sqrt,
    "log": np.log1p,
}
"""What becomes of a customer's total on an item, Σ over the baskets of 2^(−age / half-life)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Purchases:
    """One row per basket and item. ``day`` counts from 1970-01-01 and is before ``until``."""

    user: Rows
    item: Rows
    basket: Rows
    day: NDArray[np.float64]
    quantity: NDArray[np.float32]
    until: float

    def where(self, keep: NDArray[np.bool_]) -> "Purchases":
        return Purchases(
            user=self.user[keep],
            item=self.item[keep],
            basket=self.basket[keep],
            day=self.day[keep],
            quantity=self.quantity[keep],
            until=self.until,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Matrix:
    """Matrix of users × the items that the peer sees, numbered anew."""

    profiles: Sparse  # everything ever bought of these items is stored, with 0 where it has no weight
    items: Rows  # row of the shop's item per column

    @cached_property
    def weights(self) -> Sparse:
        """Weights: ``profiles`` without the zeros, what a model learns from."""
        matrix = self.profiles.copy()
        matrix.eliminate_zeros()
        return matrix

    def named(self, columns: NDArray[np.integer]) -> Rows:
        """The shop's items of these columns; −1 stays −1."""
        return np.where(columns >= 0, self.items[columns], -1).astype(np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """Rank ``k`` items for each of ``users``, from purchases alone.

    ``settings`` has two parts: ``model`` goes to the library as it is, ``data`` says what of the purchases it sees:
    ``weight`` (a name in ``WEIGHTS``), ``half_life`` and ``days`` (only the newest), both in days, and ``top_items``
    (the best sellers).
    """

    purchases: Purchases
    task: str
    users: NDArray[np.int64]
    k: int
    exclude_seen: bool
    n_users: int
    n_items: int
    model: str
    settings: Mapping[str, Mapping[str, Any]]
    seed: int

    @property
    def model_settings(self) -> dict[str, Any]:
        return dict(self.settings.get("model", {}))

    @property
    def data_settings(self) -> dict[str, Any]:
        return dict(self.settings.get("data", {}))

    @cached_property
    def items(self) -> Rows:
        """Items that the peer sees, ascending."""
        n_rows = np.bincount(self.purchases.item, minlength=self.n_items)
        top = self.data_settings.get("top_items") or self.n_items
        best = np.argsort(-n_rows, kind="stable")[:top]
        return np.sort(best[n_rows[best] > 0]).astype(np.int32)

    @cached_property
    def visible(self) -> Purchases:
        """The purchases that the peer may learn from."""
        keep = np.isin(self.purchases.item, self.items)
        days = self.data_settings.get("days")
        if days is not None:
            keep &= self.purchases.day >= self.purchases.until - days
        return self.purchases.where(keep)

    def matrix(self) -> Matrix:
        rows = self.purchases.where(np.isin(self.purchases.item, self.items))
        age = self.purchases.until - rows.day
        half_life, days = self.data_settings.get("half_life"), self.data_settings.get("days")
        value = np.ones(len(age)) if half_life is None else np.exp2(-age / half_life)
        if days is not None:
            value[age > days] = 0
        columns = np.searchsorted(self.items, rows.item)
        total = sparse.csr_matrix((value, (rows.user, columns)), shape=(self.n_users, len(self.items)))
        weight = WEIGHTS[self.data_settings.get("weight", "binary")]
        data = weight(total.data).astype(np.float32)
        return Matrix(
            profiles=sparse.csr_matrix((data, total.indices, total.indptr), shape=total.shape), items=self.items
        )

    def seen(self) -> Sparse:
        """Matrix users × all items: what each has ever bought."""
        ones = np.ones(len(self.purchases.user), np.float32)
        return sparse.csr_matrix((ones, (self.purchases.user, self.purchases.item)), shape=(self.n_users, self.n_items))

    def kept(self, ranked: Iterator[tuple[int, Rows]]) -> Rows:
        """Lists [users, k] from longer ones of the shop's items, best first; what may not be shown is left out.

        A list is a pair of a user's row and items; a user without one gets −1 everywhere.
        """
        lists = np.full((len(self.users), self.k), -1, np.int32)
        place = {int(user): row for row, user in enumerate(self.users)}
        seen = self.seen() if self.exclude_seen else None
        for user, items in ranked:
            allowed = items[items >= 0]
            if seen is not None:
                allowed = allowed[~np.isin(allowed, seen.indices[seen.indptr[user] : seen.indptr[user + 1]])]
            lists[place[user], : min(self.k, len(allowed))] = allowed[: self.k]
        return lists

    def best(self, scores: Iterator[tuple[int, NDArray[np.floating]]], items: Rows) -> Rows:
        """Lists [users, k] from one score per item of ``items`` (−∞: not to be shown); ties go to the first."""
        seen = self.seen()
        most = int(np.diff(seen.indptr)[self.users].max(initial=0)) if self.exclude_seen else 0
        return self.kept((user, items[largest(row, self.k + most)]) for user, row in scores)


def largest(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Places of the k largest finite scores, best first, ties by place."""
    finite = np.flatnonzero(np.isfinite(scores))
    if len(finite) > k:
        worst = np.partition(scores[finite], len(finite) - k)[len(finite) - k]
        finite = finite[scores[finite] >= worst]
    order = np.argsort(-scores[finite], kind="stable")
    chosen: NDArray[np.int64] = finite[order[:k]]
    return chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """Lists that a peer gives back: shop items [users, k], best first, −1 where there is none."""

    ranked: Rows
    fit_s: float
    score_s: float
    peak_mb: float


def write_question(folder: Path, question: Question) -> None:
    rows = question.purchases
    np.savez(
        folder / "train.npz", user=rows.user, item=rows.item, basket=rows.basket, day=rows.day, quantity=rows.quantity
    )
    task = {
        "task": question.task,
        "users": question.users.tolist(),
        "k": question.k,
        "exclude_seen": question.exclude_seen,
        "n_users": question.n_users,
        "n_items": question.n_items,
        "until": rows.until,
        "model": question.model,
        "settings": question.settings,
        "seed": question.seed,
    }
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")


def read_question(folder: Path) -> Question:
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    until, users = task.pop("until"), np.asarray(task.pop("users"), np.int64)
    with np.load(folder / "train.npz") as train:
        purchases = Purchases(**{name: train[name] for name in train.files}, until=until)
    return Question(purchases=purchases, users=users, **task)


def write_answer(folder: Path, answer: Answer) -> None:
    np.savez(
        folder / "ranked.npz",
        ranked=answer.ranked,
        fit_s=answer.fit_s,
        score_s=answer.score_s,
        peak_mb=answer.peak_mb,
    )


def read_answer(folder: Path) -> Answer:
    with np.load(folder / "ranked.npz") as arrays:
        numbers = {name: float(arrays[name]) for name in ("fit_s", "score_s", "peak_mb")}
        return Answer(ranked=arrays["ranked"], **numbers)


def answer(fit: Callable[[Question], Callable[[], Rows]]) -> None:
    """Run a peer's whole program: ``fit`` learns and returns what ranks. The folder is the only argument."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    question = read_question(folder)
    started = perf_counter()
    rank = fit(question)
    fitted = perf_counter()
    ranked = rank()
    write_answer(
        folder,
        Answer(
            ranked=ranked,
            fit_s=fitted - started,
            score_s=perf_counter() - fitted,
            peak_mb=peak_mb(),
        ),
    )


def peak_mb() -> float:
    """The largest resident size of this program, MB of 10⁶ bytes.

    Read from the process's own status where there is one: the usual counter starts with what the parent had.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
