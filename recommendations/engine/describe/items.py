"""Items of a training set with the vectors of their texts, and beside them those that others made."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from recommendations.engine.describe.neighbours import PICTURE
from recommendations.engine.describe.text import CountedTexts, text_space
from recommendations.engine.frames import FloatArray, HalfArray, IdArray, Space
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.matrix import TrainingSnapshot

OWN = "text"
MOST_DIMENSIONS = 256
"""A wider space is seen along so many of its directions: those in which the items of the training set differ most."""

PICTURE_DIMENSIONS, FEWEST_PICTURES = 128, 200
"""Directions in which pictures are seen, from the middle of the shop's own; fewer pictures are seen as they are."""

LEARNED_FROM = 8_192  # items
TINY = 1e-6


class KnownVectors(NamedTuple):
    """Unit vectors that some items have in a space, whoever made them."""

    space: str
    ids: IdArray  # of the items, ascending
    vectors: HalfArray  # [items, dimensions]


def with_vectors(
    made: TrainingSnapshot, *, texts: CountedTexts, ids: NDArray[np.int64], beside: Sequence[KnownVectors] = ()
) -> TrainingSnapshot:
    """Describe the items of a snapshot by their own texts: no other item, and nothing that anybody did, is known.

    ``ids`` are the items that were counted, in their order; the vectors that others made lie ``beside`` those of texts.
    """
    items = places(ids, made.items)
    parts = {OWN: text_space(texts, items).vectors(texts, items)}
    parts |= {known.space: placed for known in beside if (placed := place_vectors(known, made.items)) is not None}
    return described(made, parts)


def described(made: TrainingSnapshot, parts: dict[str, HalfArray]) -> TrainingSnapshot:
    """The snapshot with the vectors of its items in each space; spaces are named where there are several."""
    vectors = np.concatenate(list(parts.values()), axis=1) if len(parts) > 1 else next(iter(parts.values()))
    ends = np.cumsum([part.shape[1] for part in parts.values()]).tolist()
    spaces = tuple(map(Space, parts, [0, *ends[:-1]], ends)) if len(parts) > 1 else ()
    catalogue = replace(made.training.catalogue, vectors=vectors, spaces=spaces)
    return replace(made, training=replace(made.training, catalogue=catalogue))


def described_as(known: TrainingSnapshot, made: TrainingSnapshot) -> TrainingSnapshot:
    """The snapshot with the vectors that its items have in another one; 0 for an item that is not there."""
    vectors = known.training.catalogue.vectors
    if vectors is None:
        return made
    at = known.items.rows(made.items.ids)
    taken = np.zeros((len(at), vectors.shape[1]), vectors.dtype)
    taken[at >= 0] = vectors[at[at >= 0]]
    catalogue = replace(made.training.catalogue, vectors=taken, spaces=known.training.catalogue.spaces)
    return replace(made, training=replace(made.training, catalogue=catalogue))


def place_vectors(known: KnownVectors, items: IdMap) -> HalfArray | None:
    """Vectors of these items, [items, dimensions], 0 where there is none; None where no item has one."""
    at = IdMap(ids=known.ids).rows(items.ids)
    there = at >= 0
    if not there.any():
        return None
    there_only = known.vectors[at[there]]
    own = from_their_middle(there_only) if known.space == PICTURE else _narrowed(there_only)
    vectors = np.zeros((len(items), own.shape[1]), np.float16)
    vectors[there] = own
    return vectors


def from_their_middle(vectors: HalfArray) -> HalfArray:
    """Unit vectors of pictures, seen from the middle of all along the directions in which they differ most.

    A net that knows every kind of thing sees much of the same in the things of one shop. Of few pictures the middle
    says nothing yet: they lose no more than what is no direction of any of them.
    """
    if len(vectors) < FEWEST_PICTURES:
        return _narrowed(vectors)
    middle = vectors.mean(axis=0, dtype=np.float32)
    return _narrowed(vectors, most=PICTURE_DIMENSIONS, middle=middle)


def _narrowed(vectors: HalfArray, *, most: int = MOST_DIMENSIONS, middle: FloatArray | None = None) -> HalfArray:
    """Unit vectors along the main directions of their space, where it has more than are looked at."""
    width = vectors.shape[1]
    if width <= most:
        return vectors
    origin = np.zeros(width, np.float32) if middle is None else middle
    sample = vectors[:: -(-len(vectors) // LEARNED_FROM)].astype(np.float32) - origin
    _, directions = eigh(sample.T @ sample, subset_by_index=(width - most, width - 1))
    narrow = np.empty((len(vectors), most), np.float16)
    for start in range(0, len(vectors), LEARNED_FROM):
        block = slice(start, start + LEARNED_FROM)
        seen = (vectors[block].astype(np.float32) - origin) @ directions
        narrow[block] = _unit_rows(np.asarray(seen, np.float32))
    return narrow


def _unit_rows(rows: FloatArray) -> HalfArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > TINY).astype(np.float16)


def places(ids: NDArray[np.int64], items: IdMap) -> NDArray[np.int64]:
    """Where each item stands among ``ids``; −1 where it does not."""
    order = np.argsort(ids, kind="stable")
    at = IdMap(ids=ids[order]).rows(items.ids)
    return np.where(at >= 0, order[at], -1) if len(order) else at.astype(np.int64)
