"""Which parts of a score to put into words: at most two reasons an item, of different kinds (``maths.md`` §5)."""

from collections.abc import Iterable, Sequence
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
    instances: Sequence[str], contributions: NDArray[np.float64], *, limit: int = ASKED
) -> list[tuple[str, float]]:
    """The instances to ask for evidence about one item, with their shares of the positive contributions, largest first.

    What speaks against the item is never a reason for it; with nothing in favour there is no one to ask.
    """
    favour = np.maximum(contributions, 0)
    total = float(favour.sum())
    order = np.argsort(-favour, kind="stable")[:limit]
    return [(instances[m], float(favour[m]) / total) for m in order if favour[m] > 0]


def reasons[T: Term](evidence: Iterable[tuple[float, Sequence[T]]], *, limit: int = SAID) -> list[Said[T]]:
    """The strongest term of each kind, strongest kinds first; ``evidence`` is (share of the instance, its terms)."""
    strongest: dict[Reason, Said[T]] = {}
    for instance_share, terms in evidence:
        for term in terms:
            said = Said(term, instance_share * term.share)
            if term.reason not in strongest or said.share > strongest[term.reason].share:
                strongest[term.reason] = said
    return sorted(strongest.values(), key=lambda said: -said.share)[:limit]
