"""Regression of each item on all others, exact on the full catalogue: what EASE is, whatever profile it is asked of."""

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, cython_lapack, solve_triangular

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Queries, Sparse, rest
from recommendations.engine.preprocess.blocks import (
    ITEMS_AT_ONCE,
    STORED_AT_ONCE,
    dense_product,
    silenced,
    strips,
    strongest,
)
from recommendations.engine.preprocess.sizes import MOST_PAIRS, longest_affordable
from recommendations.engine.preprocess.weighting import Transform, act_weights, transformed
from recommendations.engine.recommenders.protocol import WEIGHTS, Configured
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of

MIRRORED_AT_ONCE = 1024  # rows
EXPLAINED = 1_000  # items whose explanation is half remembered, 4 bytes a user each
OF_EACH = ("binary", "count", "log", "sqrt")  # transforms of a history that do not hang on those of others
_ONE_INVERSE = threading.Lock()  # at a time: with what is made of it it takes 12 bytes a pair of items
_NAME_OF_CAPSULE = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
_OF_CAPSULE = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
_POTRF = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5)  # triangle, order, array, its width, what LAPACK says
SMALLEST_DIAGONAL = 1e-9  # diag(P) is positive; rounding may not make it less


@dataclass(frozen=True, kw_only=True)
class RegressionConfig:
    transform: Transform = "sqrt"
    half_life: float | None = 120.0  # days
    ridge: float = 100.0  # λ
    profile_half_life: float | None = 90.0  # days: what the person liked lately counts more than what taught the model
    dual_users: int = 15_000  # up to so many users the users' Gram matrix is inverted, if there are no fewer items
    primal_items: int = 15_000  # otherwise the items' Gram matrix, of so many items at most
    most_pairs: int = MOST_PAIRS  # of items of one history, counted for it; longer histories keep their largest weights


def _sides(config: RegressionConfig, before: Arrays, part: Part) -> Arrays:
    """The side that is regressed, users or items, as rows and turned round, whose product is the Gram matrix."""
    taught = transformed(matrix_of(before, "weights"), config.transform)
    users = np.bincount(taught.indices, minlength=taught.shape[1])
    n_items = np.count_nonzero(users)
    fits_primal = n_items <= config.primal_items
    if taught.shape[0] <= config.dual_users and not (fits_primal and n_items < taught.shape[0]):
        by_item = taught.T.tocsr()
        return {
            **arrays_of("rows", taught),
            **arrays_of("turned", by_item),
            **arrays_of("by_item_", by_item),
            "known_": users > 0,
        }
    top = np.argsort(-users, kind="stable")[: config.primal_items]
    kept = np.sort(top[users[top] > 0]).astype(np.int32)
    known = np.zeros(len(users), np.bool_)
    known[kept] = True
    columns = taught[:, kept]
    columns = strongest(columns, longest_affordable(np.diff(columns.indptr), config.most_pairs))
    rows = columns.T.tocsr()
    return {**arrays_of("rows", rows), **arrays_of("turned", rows.T.tocsr()), "kept_": kept, "known_": known}


def _gram_rows(config: RegressionConfig, before: Arrays, part: Part) -> Arrays:
    """Rows of the Gram matrix."""
    return {"gram": _gram(part.cut(matrix_of(before, "rows")), matrix_of(before, "turned"))}


def _regression(config: RegressionConfig, before: Arrays, part: Part) -> Arrays:
    """The inverse of the Gram matrix, which is made of all of it, in its place."""
    with _ONE_INVERSE:
        return _regression_of(config, before)


def _regression_of(config: RegressionConfig, before: Arrays) -> Arrays:
    gram = before["gram"] if before["gram"].flags.writeable else before["gram"].copy()
    inverse = _inverse(gram, config.ridge)
    if "kept_" in before:
        weights = np.empty(inverse.shape, np.float32)
        np.divide(inverse, -np.diag(inverse), out=weights, casting="same_kind")
        np.fill_diagonal(weights, 0)
        return {"weights_": weights}
    diagonal = (1 - _quadratic_diagonal(matrix_of(before, "by_item_"), inverse)) / config.ridge
    scale = (1 / (config.ridge * np.maximum(diagonal, SMALLEST_DIAGONAL))).astype(np.float32)
    return {"kernel_": inverse.astype(np.float32), "scale_": scale}


class ItemRegression[C: RegressionConfig](Configured[C]):
    """score = p B with B = I − P / diag(P), P = (X'X + λI)⁻¹, for a profile p.

    Dual: with K = (XX' + λI)⁻¹, P = (I − X'KX) / λ, so that p B = p + (((p X') K) X − p) / (λ diag(P)). Only K, X and
    the diagonal are kept. Primal: B itself, on the items with the most users; other items cannot be known.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        WEIGHTS,
        Step(name="sides", over=Over.ONCE, work=_sides, spent=("weights",)),
        Step(name="gram", over=Over.ITEMS, work=_gram_rows, product=("rows", "turned"), spent=("rows", "turned")),
        Step(name="regression", over=Over.ONCE, work=_regression),
    )
    PEOPLE: ClassVar = {"by_item_": (1,), "kernel_": (0, 1)}
    EXACT_WITHOUT: ClassVar = True  # the dual form

    known_: BoolArray  # [items]
    by_item_: Sparse  # dual: X', items × users
    kernel_: FloatArray  # dual: K, users × users
    scale_: FloatArray  # dual: 1 / (λ diag(P)), [items]
    kept_: IntArray  # primal: rows of the items in B
    weights_: FloatArray  # primal: B, kept × kept

    @property
    def exact_without(self) -> bool:
        return not self.known_.any() or (hasattr(self, "kernel_") and self.config.transform in OF_EACH)

    def without(self, users: IntArray) -> Self:
        """The regression without these users. Dual: with K in parts of those who stay (s) and who go (g), what is left
        is K_ss − K_sg K_gg⁻¹ K_gs, and λ diag(P) grows by diag(X' K_g K_gg⁻¹ K_g' X). Primal: as it is.
        """
        other = super().without(users)
        if hasattr(self, "kernel_") and len(users):
            influence = _influence(self.kernel_, np.unique(users))
            _subtract_square(other.kernel_, influence[:, rest(len(self.kernel_), users)])
            diagonal = 1 / self.scale_.astype(np.float64) + _squares(self.by_item_, influence)  # λ diag(P)
            other.scale_ = (1 / diagonal).astype(np.float32)
            other.known_ = np.diff(other.by_item_.indptr) > 0
        return other

    def score(self, queries: Queries) -> FloatArray:
        profile = self.profile(queries)
        if not hasattr(self, "kernel_"):
            scores = np.zeros((len(queries), len(self.known_)), np.float32)
            scores[:, self.kept_] = profile[:, self.kept_] @ self.weights_
            return silenced(scores, profile=profile, known=self.known_)
        like_users = (profile @ self.by_item_).toarray() @ self.kernel_
        scores = dense_product(like_users, self.by_item_)
        scores *= self.scale_
        rows = np.repeat(np.arange(len(queries)), np.diff(profile.indptr))
        scores[rows, profile.indices] += profile.data * (1 - self.scale_[profile.indices])
        return silenced(scores, profile=profile, known=self.known_)

    def profile(self, queries: Queries) -> Sparse:
        """What the queries are about, queries × items."""
        weights = act_weights(queries.histories, half_life=self.config.profile_half_life)
        return transformed(weights, self.config.transform)

    def column(self, query: Queries, sources: IntArray, item: int) -> FloatArray:
        """B[sources, item] for the sources of this query; 0 for an item that is not known."""
        if not hasattr(self, "kernel_"):
            place = np.full(len(self.known_), -1)
            place[self.kept_] = np.arange(len(self.kept_))
            column = self.weights_[place[sources], place[item]]
            return np.where(place[sources] >= 0, column, 0).astype(np.float32)
        users_of = query.once((self, "users of sources"), lambda: self.by_item_[sources])
        column = users_of @ self._like_buyers(item) * self.scale_[item]
        return np.where(sources == item, 0, column).astype(np.float32)

    @cached_property
    def _like_buyers(self) -> Callable[[int], FloatArray]:
        """Item → how alike each user is to its buyers: the same for every customer, and megabytes to read."""

        def like(item: int) -> FloatArray:
            target = self.by_item_[item]
            alike: FloatArray = target.data @ self.kernel_[target.indices]  # K is symmetric; rows are read faster
            return alike

        return lru_cache(EXPLAINED)(like)


def _gram(rows: Sparse, turned: Sparse, *, stored: int = STORED_AT_ONCE) -> NDArray[np.float64]:
    """rows @ turned as an array."""
    gram = np.empty((rows.shape[0], turned.shape[1]))
    for strip in strips(rows, turned, stored=stored):
        gram[strip] = (rows[strip] @ turned).toarray()
    return gram


def _inverse(gram: NDArray[np.float64], ridge: float, *, mirrored: int = MIRRORED_AT_ONCE) -> NDArray[np.float64]:
    """(gram + ridge · I)⁻¹ in place of ``gram``, by Cholesky; both are symmetric."""
    if not len(gram):
        return gram
    gram = np.ascontiguousarray(gram)
    gram[np.diag_indices_from(gram)] += ridge
    if _lapack("dpotrf", gram) or _lapack("dpotri", gram):
        raise np.linalg.LinAlgError("the ridge is too small for these data")
    inverse = gram.T  # in Fortran's order
    for start in range(0, len(inverse), mirrored):  # LAPACK fills the lower triangle
        strip = slice(start, start + mirrored)
        square = inverse[strip, strip]
        inverse[strip, strip] = np.tril(square) + np.tril(square, -1).T
        inverse[strip, strip.stop :] = inverse[strip.stop :, strip].T
    return np.asarray(inverse.T)


def _lapack(name: Literal["dpotrf", "dpotri"], symmetric: NDArray[np.float64]) -> int:
    """Call LAPACK on the lower triangle, in Fortran's order, of an array in C's; 0 where it could do it.

    By its address: through SciPy's wrappers no other thread of the process runs meanwhile, a minute with 15,000 items.
    """
    capsule = cython_lapack.__pyx_capi__[name]
    address = _OF_CAPSULE(capsule, _NAME_OF_CAPSULE(capsule))
    triangle, order, told = ctypes.c_char(b"L"), ctypes.c_int(len(symmetric)), ctypes.c_int()
    width = ctypes.byref(order)
    _POTRF(address)(ctypes.byref(triangle), width, symmetric.ctypes.data, width, ctypes.byref(told))
    return told.value


def _influence(kernel: FloatArray, gone: IntArray) -> NDArray[np.float64]:
    """K_gg^−½ K_g, [gone, users]: what a kernel says because of some users."""
    rows = kernel[gone].astype(np.float64)
    return np.asarray(solve_triangular(cholesky(rows[:, gone], lower=True), rows, lower=True))


def _subtract_square(kernel: FloatArray, rows: NDArray[np.float64], *, at_once: int = MIRRORED_AT_ONCE) -> None:
    """kernel − rows' rows in place, a strip at a time."""
    for start in range(0, len(kernel), at_once):
        strip = slice(start, start + at_once)
        kernel[strip] = kernel[strip] - rows[:, strip].T @ rows


def _squares(by_item: Sparse, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared lengths of by_item @ rows', [items], a strip of items at a time."""
    strips_of = (by_item[start : start + ITEMS_AT_ONCE] for start in range(0, by_item.shape[0], ITEMS_AT_ONCE))
    return np.concatenate([np.square(strip @ rows.T).sum(axis=1) for strip in strips_of])


def _quadratic_diagonal(by_item: Sparse, kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """diag(X' K X), [items], a strip of items at a time."""
    diagonal = np.empty(by_item.shape[0])
    for start in range(0, by_item.shape[0], ITEMS_AT_ONCE):
        strip = by_item[start : start + ITEMS_AT_ONCE]
        row = np.repeat(np.arange(strip.shape[0]), np.diff(strip.indptr))
        terms = strip.data * (strip @ kernel)[row, strip.indices]
        diagonal[start : start + ITEMS_AT_ONCE] = np.bincount(row, terms, minlength=strip.shape[0])
    return diagonal
