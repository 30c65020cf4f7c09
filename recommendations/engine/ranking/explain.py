"""Reasons for an item: the parts of its score to put into words, at most two of different kinds (``maths.md`` §5)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

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
    instances: Sequence[str], contributions: Sequence[float], *, limit: int = ASKED
) -> list[tuple[str, float]]:
    """The instances to ask for evidence about one item, with their shares of the positive contributions, largest first.

    What speaks against the item is never a reason for it; with nothing in favour there is no one to ask.
    """
    favour = [(name, value) for name, value in zip(instances, contributions, strict=True) if value > 0]
    total = sum(value for _, value in favour)
    favour.sort(key=lambda one: -one[1])
    return [(name, value / total) for name, value in favour[:limit]]


def reasons[T: Term](evidence: Iterable[tuple[float, Sequence[T]]], *, limit: int = SAID) -> list[Said[T]]:
    """The strongest term of each kind, strongest kinds first; ``evidence`` is (share of the instance, its terms)."""
    strongest: dict[Reason, Said[T]] = {}
    for instance_share, terms in evidence:
        for term in terms:
            reason = Said(term, instance_share * term.share)
            if term.reason not in strongest or reason.share > strongest[term.reason].share:
                strongest[term.reason] = reason
    return sorted(strongest.values(), key=lambda reason: -reason.share)[:limit]
