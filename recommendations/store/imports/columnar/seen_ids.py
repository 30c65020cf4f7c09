"""Ids of events that were seen in the blocks of a file: which of them stand in more than one block."""

from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 4_000_000
"""Ids that are in memory at the same time when they are compared: 32 MB."""


class SeenIds:
    """Numbers of ids by block, in a ``file`` so that many rows take no more memory than few."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._counts: list[int] = []

    def add(self, numbers: NDArray[np.uint64]) -> None:
        """Note the ids of a block."""
        each = _each_once(numbers)
        self._file.write(each.tobytes())
        self._counts.append(len(each))

    def in_several(self) -> NDArray[np.uint64]:
        """The numbers that are in more than one block, in order."""
        again = [numbers[1:][numbers[1:] == numbers[:-1]] for numbers in self._ranges()]
        return _each_once(np.concatenate(again)) if again else np.array([], np.uint64)

    def _ranges(self) -> Iterator[NDArray[np.uint64]]:
        """All numbers in order, a range of them at a time."""
        total = sum(self._counts)
        if not total:
            return
        self._file.flush()
        whole = np.memmap(self._file, np.uint64, mode="r", shape=(total,))
        blocks = np.split(whole, np.cumsum(self._counts)[:-1])
        parts = -(-total // AT_ONCE)
        edges = [round(part * 2.0**64 / parts) for part in range(1, parts)]
        places = [[0, *np.searchsorted(block, np.array(edges, np.uint64)).tolist(), len(block)] for block in blocks]
        for part in range(parts):
            yield np.sort(
                np.concatenate(
                    [block[place[part] : place[part + 1]] for block, place in zip(blocks, places, strict=True)]
                )
            )


def _each_once(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers in order, each once: a sort is twice as fast as the hashes of ``np.unique``."""
    ordered = np.sort(numbers)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered
