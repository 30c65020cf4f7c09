"""The directory of customers: who they are by their pseudonyms, in a few arrays that all processes of a machine share.

It is as of one moment. A look-up halves the sorted first bytes, so that it reads a handful of pages of a mapped file.
"""

from bisect import bisect_left
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

NOBODY_ELSE = -1  # as the owner: the key is its own


@dataclass(frozen=True, kw_only=True, eq=False)
class Directory:
    """Customers in order of their pseudonyms, of which the first 16 of 32 bytes tell them apart."""

    prefix: NDArray[np.uint64]  # bytes 0 to 7 as a number, so that numbers are in the order of the bytes
    rest: NDArray[np.uint64]  # bytes 8 to 15 likewise
    key: NDArray[np.int64]  # own key
    owner: NDArray[np.int64]  # key of the customer whom an anonymous one turned out to be, or NOBODY_ELSE
    layers: int  # generation of the pseudonyms
    read_at: datetime  # who came or was merged later is not in it

    @cached_property
    def newest(self) -> int:
        """The highest own key; 0 without any."""
        return int(self.key.max(initial=0))

    @cached_property
    def _words(self) -> tuple[memoryview, memoryview]:
        """Prefixes and what follows, of which an entry is at once a number of Python's."""
        return self.prefix.data, self.rest.data

    def __len__(self) -> int:
        return len(self.key)

    def key_of(self, pseudonym: bytes) -> int | None:
        """The key of the customer of this pseudonym, or of whom they turned out to be; None where nobody has it."""
        first, second = int.from_bytes(pseudonym[:8]), int.from_bytes(pseudonym[8:16])
        prefix, rest = self._words
        at = bisect_left(prefix, first)
        while at < len(prefix) and prefix[at] == first:
            if rest[at] == second:
                owner = int(self.owner[at])
                return int(self.key[at]) if owner == NOBODY_ELSE else owner
            at += 1
        return None

    def entries_of(self, keys: Set[int]) -> int:
        """How many pseudonyms lead to customers of these keys."""
        own = np.fromiter(keys, np.int64)
        return int(np.count_nonzero(np.isin(self.key, own) | np.isin(self.owner, own)))
