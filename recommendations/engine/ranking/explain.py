"""Reasons for an item: the parts of its score to put into words, at most two of different kinds (``maths.md`` §5)."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recommendations.terms import Reason

ASKED = 3
SAID = 2


class Term(Protocol):
    """One term of an instance's score: what kind of reason it is, and which part of that score it explains."""

    @property
    def reason(self) -> Reason: ...

    @property
    def share(self) -> float: ...


class Said[T: Term](NamedTuple):
    """A reason and the part of the whole positive score that it explains."""

    term: T
    share: float


def speakers(
    instances: Sequence[str], contributions: NDArray[np.floating], *, limit: int = ASKED
) -> list[list[tuple[str, float]]]:
    """The instances to ask for evidence about each item, with their shares of the positive contributions [items,
    instances], largest first.

    What speaks against an item is never a reason for it; with nothing in favour there is no one to ask.
    """
    favour = np.maximum(contributions, 0)
    order = np.argsort(-favour, axis=1, kind="stable")[:, :limit]
    totals = np.add.reduce(favour, axis=1, keepdims=True)
    shares = np.take_along_axis(favour, order, axis=1) / np.where(totals > 0, totals, 1)
    return [
        [(instances[at], share) for at, share in zip(places, own, strict=True) if share > 0]
        for places, own in zip(order.tolist(), shares.tolist(), strict=True)
    ]


def reasons[T: Term](evidence: Iterable[tuple[float, Sequence[T]]], *, limit: int = SAID) -> list[Said[T]]:
    """The strongest term of each kind, strongest kinds first; ``evidence`` is (share of the instance, its terms)."""
    strongest: dict[Reason, Said[T]] = {}
    for instance_share, terms in evidence:
        for term in terms:
            share, before = instance_share * term.share, strongest.get(term.reason)
            if before is None or share > before.share:
                strongest[term.reason] = Said(term, share)
    return sorted(strongest.values(), key=_share, reverse=True)[:limit]


_share = attrgetter("share")
