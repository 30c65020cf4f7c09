"""Maps between primary keys and the engine's dense rows: the one border between the two."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class IdMap:
    """Sorted, unique ids; the row of an id is its position."""

    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: NDArray[np.integer]) -> NDArray[np.int32]:
        """Row of each id, −1 where it is not in the map."""
        if not len(self.ids):
            return np.full(len(ids), -1, np.int32)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1).astype(np.int32)

    def row(self, key: int) -> int:
        """Row of one id, −1 where it is not in the map."""
        at = int(np.searchsorted(self.ids, key))
        return at if at < len(self.ids) and self.ids[at] == key else -1


def id_map(ids: NDArray[np.integer]) -> IdMap:
    return IdMap(ids=np.unique(np.asarray(ids, np.int64)))
