"""What one person can change of a release: of each a few values count, each once, whatever they did.

With or without any one person the counts of a release differ by 1 in at most so many places: that is the bound which
the noise is made for. It holds however the values of a person are drawn, as nobody else's acts have a say in it.
"""

import numpy as np

from recommendations.engine.frames import IdArray


class NoBoundError(ValueError):
    """A person would count for nothing, or without bound."""


def contributions(people: IdArray, values: IdArray, *, bound: int, rng: np.random.Generator) -> tuple[IdArray, IdArray]:
    """The pairs of a person and a value that count: each once, at most ``bound`` of a person, drawn evenly.

    ``people`` and ``values`` are acts, in any order and as often as they happened. Raises NoBoundError where ``bound``
    is below 1.
    """
    if bound < 1:
        raise NoBoundError(f"each person has to count for 1 value at least, not for {bound}")
    once = np.unique(np.column_stack([people, values]), axis=0)
    once = once[np.lexsort((rng.random(len(once)), once[:, 0]))]
    place = np.arange(len(once)) - np.searchsorted(once[:, 0], once[:, 0])
    return once[place < bound, 0], once[place < bound, 1]


def bounded_counts(people: IdArray, values: IdArray, *, domain: int, bound: int, rng: np.random.Generator) -> IdArray:
    """Number of people of each value, [domain], by what counts of them (``contributions``); values count from 0."""
    return np.bincount(contributions(people, values, bound=bound, rng=rng)[1], minlength=domain).astype(np.int64)


def favourite_counts(
    people: IdArray, values: IdArray, *, times: IdArray, domain: int, rng: np.random.Generator
) -> IdArray:
    """Number of people of each value, [domain], each counted for the one that they did most; of several, any of them.

    ``people`` and ``values`` are pairs that stand there once, with how often each was done.
    """
    order = np.lexsort((rng.random(len(people)), -times, people))
    first = np.unique(people[order], return_index=True)[1]
    return np.bincount(values[order[first]], minlength=domain).astype(np.int64)
