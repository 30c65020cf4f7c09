"""Cache in Valkey of arrays that take long to count, under a key that names what they were counted from.

A key holds every version and mark of change that its arrays depend on, so that they are never wrong, only forgotten.
With Valkey away they are counted again. Those that name customers stand by themselves, and go with who is erased.
"""

import io
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.store.live.valkey import Command, valkey
from recommendations.store.valkey_keys import ARRAYS, PEOPLE_ARRAY_NAMES, PEOPLE_ARRAYS

CUSTOMERS = "customers"
"""The array of a key ``of_people`` that names them."""

type Arrays = Mapping[str, NDArray[Any]]


def cached(key: str, count: Callable[[], Arrays], *, of_people: bool = False) -> Arrays:
    """The arrays of ``key``, from the cache, else from ``count``; ``of_people``: ``CUSTOMERS`` is one of them."""
    name = (PEOPLE_ARRAYS if of_people else ARRAYS).of(key)
    replies = valkey().run(lambda pipeline: pipeline.get(name))
    if replies and replies[0] is not None:
        return _unpacked(replies[0])
    computed = count()
    if (CUSTOMERS in computed) != of_people:
        raise ValueError(f"{key}: arrays that name customers are of people, and no others")
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **computed)
    commands: list[Command] = [("SET", name, buffer.getvalue(), "EX", ARRAYS.seconds)]
    if of_people:
        commands += [("SADD", PEOPLE_ARRAY_NAMES, name), ("EXPIRE", PEOPLE_ARRAY_NAMES, ARRAYS.seconds)]
    valkey().ask(commands)
    return computed


def arrays_with(customers: Collection[int]) -> list[bytes]:
    """Names of the keys whose arrays name one of these customers. Raises ValkeyAwayError."""
    names = sorted(valkey().answers([("SMEMBERS", PEOPLE_ARRAY_NAMES)])[0])
    wanted = np.fromiter(customers, np.int64, len(customers))
    held = ((name, valkey().answers([("GET", name)])[0]) for name in names)
    return [name for name, content in held if content and np.isin(wanted, _unpacked(content)[CUSTOMERS]).any()]


def forget_arrays(customers: Collection[int]) -> int:
    """Delete the arrays that name one of these customers; how many keys. Raises ValkeyAwayError."""
    names = arrays_with(customers)
    if names:
        valkey().answers([("UNLINK", *names), ("SREM", PEOPLE_ARRAY_NAMES, *names)])
    return len(names)


def _unpacked(content: bytes) -> Arrays:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
