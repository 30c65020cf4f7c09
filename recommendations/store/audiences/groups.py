"""Customers of a group that weights are for: who of some is in an audience or in a segment by now."""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IdArray, IntArray
from recommendations.models import Audience, Group, Segment
from recommendations.store.audiences.members import keys_of


def of_group(group: Group, customers: NDArray[np.int64], *, segments: IntArray) -> BoolArray:
    """Mask of the customers (keys) who are in the group; ``segments`` are the numbers of theirs, −1 = none."""
    if isinstance(group, Audience):
        members: IdArray = keys_of(group.pk)
        return np.isin(customers, members)
    if isinstance(group, Segment):
        return np.asarray(segments == group.number)
    return np.ones(len(customers), np.bool_)


def edition(group: Group) -> int:
    """A number that moves where other customers are in the group; a segment has the same ones as long as its model."""
    return group.generation if isinstance(group, Audience) else 0
