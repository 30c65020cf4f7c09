"""Layout of association rules as a network: items that go together lie together.

Each connected part is laid out by forces of its own (Fruchterman and Reingold 1991) from a circle, without chance; the
parts stand in rows, the largest first. The same rules give the same picture.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from recommendations.engine.frames import IntArray

ROUNDS = 120
GAP = 1.0  # between two parts, in lengths of an edge
WIDTH_TO_HEIGHT = 1.8

type Points = NDArray[np.float64]


def network(first: IntArray, second: IntArray, n: int) -> Points:
    """A place [n, 2] for each of ``n`` nodes; an edge joins ``first[i]`` and ``second[i]``, and is about 1 long."""
    ones = np.ones(len(first), np.int8)
    links = sparse.csr_matrix((ones, (first, second)), shape=(n, n))
    n_parts, part_of = connected_components(links, directed=False)
    parts = [np.flatnonzero(part_of == part) for part in range(n_parts)]
    parts.sort(key=lambda nodes: (-len(nodes), int(nodes[0])))
    joined = (links + links.T).toarray() > 0
    drawn = [_spread(joined[np.ix_(nodes, nodes)]) for nodes in parts]
    places = np.zeros((n, 2))
    for nodes, points in zip(parts, _in_rows(drawn), strict=True):
        places[nodes] = points
    return places


def _spread(joined: NDArray[np.bool_]) -> Points:
    """Lay out one connected part, its lowest corner at (0, 0)."""
    n = len(joined)
    angle = 2 * np.pi * np.arange(n) / n
    points = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(n) / 2
    for round_ in range(ROUNDS if n > 2 else 0):
        gap = points[:, None] - points[None]
        distance = np.maximum(np.sqrt((gap**2).sum(axis=2)), 0.01)
        force = (gap / distance[..., None]) * (1 / distance - joined * distance**2)[..., None]
        step = force.sum(axis=1)
        length = np.maximum(np.sqrt((step**2).sum(axis=1, keepdims=True)), 1e-9)
        points += step / length * np.minimum(length, np.sqrt(n) / 4 * (1 - round_ / ROUNDS))
    return points - points.min(axis=0) if n > 1 else np.zeros((1, 2))


def _in_rows(parts: list[Points]) -> list[Points]:
    """Place the parts in rows, left to right and top to bottom, so that the whole is wider than high."""
    sizes = [points.max(axis=0) + GAP for points in parts]
    area = sum(float(size.prod()) for size in sizes)
    width = max([np.sqrt(area * WIDTH_TO_HEIGHT), *(float(size[0]) for size in sizes)])
    placed, x, y, row = [], 0.0, 0.0, 0.0
    for points, size in zip(parts, sizes, strict=True):
        if x and x + size[0] > width + GAP:
            x, y, row = 0.0, y - row, 0.0
        placed.append(points + np.array([x, y - float(size[1])]))
        x, row = x + float(size[0]), max(row, float(size[1]))
    return placed
