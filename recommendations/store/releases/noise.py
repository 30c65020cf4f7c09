"""Noise of releases: discrete Laplace by the sampler of OpenDP, the extra ``releases``, whose proofs are published.

It is imported when noise is drawn, which a worker does: its library has 263 MB. Noise of NumPy's generators could be
guessed, and floating numbers give away what stands behind them (Mironov 2012).
"""

from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from recommendations.engine.frames import IdArray

PACKAGE = "opendp"
REMEDY = "OpenDP is not installed where releases are made: pip install --require-hashes -r requirements/releases.txt"

type Draw = Callable[..., IdArray]
"""``noisy_counts``, or something of its form."""


class NoiseUnavailableError(Exception):
    """There is nothing that noise could be drawn with; the message has the remedy."""


def is_installed() -> bool:
    """Whether noise can be drawn in this environment; nothing is imported for it."""
    return find_spec(PACKAGE) is not None


def noisy_counts(counts: IdArray, *, bound: int, epsilon: Decimal) -> IdArray:
    """Each count with noise of its own, of scale bound / ε: ε-private where a person changes ``bound`` of them by 1.

    Raises NoiseUnavailableError.
    """
    if not is_installed():
        raise NoiseUnavailableError(REMEDY)
    dp: Any = import_module(f"{PACKAGE}.prelude")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l1_distance(T=dp.i64)
    scale = bound / float(epsilon)
    while (mechanism := dp.m.make_laplace(*space, scale=scale)).map(d_in=bound) > float(epsilon):
        scale = float(np.nextafter(scale, np.inf))  # what OpenDP proves is ε at most, to the last bit
    return np.array(mechanism(counts.tolist()), np.int64)
