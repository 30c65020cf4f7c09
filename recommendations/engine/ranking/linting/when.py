"""When a rule applies, as a set of answers: two of them meet, or one covers the other."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommendations.engine.frames import BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class When:
    """Conditions of a rule; None does not ask. ``segment`` and ``audiences`` are those of the customer where a
    rule is for one, and its own beside them.
    """

    placement: str | None = None
    segment: int | None = None
    audiences: frozenset[int] = frozenset()  # it is for those who are in all of them; no two are known to lie apart
    customer: int | None = None
    context: BoolArray | None = None  # by item: one of them has to be in view
    starts: float = -np.inf
    ends: float = np.inf

    def meets(self, other: "When") -> bool:
        """Whether there is an answer to which both apply."""
        return self.both(other) is not None

    def both(self, other: "When") -> "When | None":
        """Conditions under which both apply; None where there are none."""
        starts, ends = max(self.starts, other.starts), min(self.ends, other.ends)
        apart = (
            starts >= ends
            or _differ(self.placement, other.placement)
            or _differ(self.segment, other.segment)
            or _differ(self.customer, other.customer)
            or _left_out(self, other)
            or _left_out(other, self)
        )
        if apart:
            return None
        context = _common(self.context, other.context)
        if context is not None and not context.any():
            return None
        return When(
            placement=self.placement or other.placement,
            segment=other.segment if self.segment is None else self.segment,
            audiences=self.audiences | other.audiences,
            customer=other.customer if self.customer is None else self.customer,
            context=context,
            starts=starts,
            ends=ends,
        )

    def covers(self, other: Self) -> bool:
        """Whether this applies to every answer to which the other does."""
        return (
            self.starts <= other.starts
            and self.ends >= other.ends
            and self.placement in (None, other.placement)
            and self.segment in (None, other.segment)
            and self.audiences <= other.audiences
            and self.customer in (None, other.customer)
            and (self.context is None or (other.context is not None and not (other.context & ~self.context).any()))
        )


def _left_out(one: When, other: When) -> bool:
    """Whether one is for a customer who is not in an audience that the other is for."""
    return one.customer is not None and not other.audiences <= one.audiences


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _common(one: BoolArray | None, other: BoolArray | None) -> BoolArray | None:
    """Items that both ask for: a basket may hold an item of each, but these meet both for sure."""
    if one is None or other is None:
        return other if one is None else one
    return np.asarray(one & other)
