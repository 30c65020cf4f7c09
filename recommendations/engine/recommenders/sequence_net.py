"""The net of the transformer as arrays: what shape they have, and the forward pass in NumPy.

SASRec: vectors of items and of places in the sequence, then blocks of causal attention and of an inner layer, each
behind a norm and added to what came in; the state after the last item is compared with the vectors of all items.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray, Interactions

HEADS = 2
EPSILON = 1e-5  # beside the variance, in every norm

SHAPES: Mapping[str, str] = {
    "items": "nd",  # by row of the training set; 0 where the net does not know the item
    "places": "pd",
    "norms": "b22d",  # before attention, before the inner layer; scale, shift
    "mix": "b4dd",  # query, key, value, out
    "mix_shift": "b4d",
    "inner": "b2dd",
    "inner_shift": "b2d",
    "last_norm": "2d",
}
"""Arrays of a net by name, with a letter or a number for each axis: items, places, dimensions, blocks."""


class NetShapeError(ValueError):
    """The arrays are not those of one net."""


class Ordered(NamedTuple):
    """What people took, each one's oldest first; the rows by user."""

    user: IntArray
    item: IntArray
    age: FloatArray  # of acts in a row on one item, that of the first

    def by_user(self, n_users: int) -> list[IntArray]:
        """The items of each user."""
        return np.split(self.item, np.searchsorted(self.user, np.arange(1, n_users)))[:n_users]


def in_order(acts: Interactions, known: NDArray[np.bool_]) -> Ordered:
    """The acts that count, on items that are known; what is done with one item several times in a row is one act.

    Of one moment, the later row is the older.
    """
    wanted = acts.where((acts.strength > 0) & known[acts.item])
    order = np.lexsort((-np.arange(len(wanted)), -wanted.age, wanted.user))
    user, item, age = wanted.user[order], wanted.item[order], wanted.age[order]
    other = np.ones(len(user), np.bool_)
    other[1:] = (user[1:] != user[:-1]) | (item[1:] != item[:-1])
    return Ordered(user[other], item[other], age[other])


def arrays_of_net(net: Mapping[str, NDArray[np.floating]], *, n_items: int) -> dict[str, FloatArray]:
    """The arrays of a net for so many items. Raises NetShapeError where one is missing or has another shape."""
    sizes = {"n": n_items}
    arrays = {}
    for name, axes in SHAPES.items():
        if name not in net:
            raise NetShapeError(f"the net has no array {name!r}: train it again")
        shape = net[name].shape
        wanted = [int(axis) if axis.isdigit() else sizes.get(axis) for axis in axes]
        if len(shape) != len(axes) or any(size not in (None, here) for size, here in zip(wanted, shape, strict=True)):
            meant = " × ".join(axis if size is None else str(size) for axis, size in zip(axes, wanted, strict=True))
            raise NetShapeError(f"array {name!r} of the net has the shape {shape}, not {meant}: train it again")
        sizes |= {axis: size for axis, size in zip(axes, shape, strict=True) if not axis.isdigit()}
        arrays[name] = np.asarray(net[name], np.float32)
    if sizes["d"] % HEADS:
        raise NetShapeError(f"the net has {sizes['d']} dimensions, which {HEADS} heads cannot share: train it again")
    return arrays


def known_items(net: Mapping[str, NDArray[np.floating]]) -> NDArray[np.bool_]:
    """Whether the net knows each item."""
    return np.asarray(net["items"].any(axis=1))


def states(net: Mapping[str, FloatArray], sequences: list[IntArray]) -> FloatArray:
    """What the net makes of each sequence, [sequences, dimensions]; none may be empty. Of a long one the end counts."""
    n_places, d = net["places"].shape
    result = np.empty((len(sequences), d), np.float32)
    for rows, items in same_length([one[-n_places:] for one in sequences]):
        result[rows] = _after_the_last(net, items)
    return result


def same_length(sequences: list[IntArray]) -> Iterator[tuple[NDArray[np.int64], IntArray]]:
    """Sequences of each length together: their numbers, and their items, [sequences, length]."""
    lengths = np.array([len(one) for one in sequences], np.int64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        yield rows, np.stack([sequences[row] for row in rows])


def _after_the_last(net: Mapping[str, FloatArray], items: IntArray) -> FloatArray:
    """The state after the last item of each row. Of the last block only this place is worked out."""
    x = net["items"][items] * np.float32(np.sqrt(net["items"].shape[1])) + net["places"][: items.shape[1]]
    n_blocks = len(net["norms"])
    for block in range(n_blocks):
        at = slice(-1, None) if block == n_blocks - 1 else slice(None)
        x = x[:, at] + _attention(net, block, _norm(x, net["norms"][block, 0]), at)
        x = x + _inner(net, block, _norm(x, net["norms"][block, 1]))
    return _norm(x[:, -1], net["last_norm"])


def _attention(net: Mapping[str, FloatArray], block: int, x: FloatArray, at: slice) -> FloatArray:
    """What each place of ``at`` takes from those up to it, [rows, places of ``at``, dimensions]."""
    mix, shift, length = net["mix"][block], net["mix_shift"][block], x.shape[1]
    query, key, value = (_by_head(part @ mix[n] + shift[n]) for n, part in enumerate((x[:, at], x, x)))
    fit = query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(query.shape[-1]))
    later = np.arange(length)[at, None] < np.arange(length)
    fit[..., later] = -np.inf
    fit = np.exp(fit - fit.max(axis=-1, keepdims=True))
    taken = (fit / fit.sum(axis=-1, keepdims=True)) @ value
    together = taken.swapaxes(1, 2).reshape(len(x), -1, x.shape[2])
    return np.asarray(together @ mix[3] + shift[3])


def _by_head(x: FloatArray) -> FloatArray:
    """[rows, places, dimensions] as [rows, heads, places, dimensions of a head]."""
    rows, places, d = x.shape
    return x.reshape(rows, places, HEADS, d // HEADS).swapaxes(1, 2)


def _inner(net: Mapping[str, FloatArray], block: int, x: FloatArray) -> FloatArray:
    inner, shift = net["inner"][block], net["inner_shift"][block]
    return np.asarray(np.maximum(x @ inner[0] + shift[0], 0) @ inner[1] + shift[1])


def _norm(x: FloatArray, scale_and_shift: FloatArray) -> FloatArray:
    from_mean = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(from_mean).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    return np.asarray(from_mean / spread * scale_and_shift[0] + scale_and_shift[1])


def no_net(n_items: int) -> dict[str, FloatArray]:
    """A net that knows no item."""
    sizes = {"n": n_items, "p": 1, "d": HEADS, "b": 1}
    return {
        name: np.zeros([int(axis) if axis.isdigit() else sizes[axis] for axis in axes], np.float32)
        for name, axes in SHAPES.items()
    }
