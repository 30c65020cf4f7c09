"""Items that are nearest to another one by their vectors: exact, without an index."""

import numpy as np

from recommendations.engine.frames import FloatArray, HalfArray, IntArray

ITEMS_AT_ONCE = 8_192


def nearest(vectors: HalfArray, row: int, *, most: int) -> tuple[IntArray, FloatArray]:
    """Rows of the items most like one, the nearest first, and their cosines; of equals the lower row first.

    None for an item that nothing is known of; what has nothing in common with it (cosine ≤ 0) is left out.
    """
    own = np.asarray(vectors[row], np.float32)
    cosines = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), ITEMS_AT_ONCE):
        block = slice(start, start + ITEMS_AT_ONCE)
        cosines[block] = vectors[block].astype(np.float32) @ own
    cosines[row] = 0
    order = np.argsort(-cosines, kind="stable")[:most]
    order = order[cosines[order] > 0]
    return order.astype(np.int32), np.minimum(cosines[order], np.float32(1))
