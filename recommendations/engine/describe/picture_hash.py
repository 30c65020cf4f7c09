"""Perceptual hash of a picture: 64 bits by which copies of it are found that were resized, recompressed or brightened.

The bits say which of the 8 × 8 lowest frequencies of a discrete cosine transform lie above their median. Crops of a
twentieth of a picture and its mirror image have other bits, and are not found.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray

SIDE, LOWEST = 32, 8  # points a side that are looked at, and frequencies a side that count
COPY = 4  # bits in which copies of one picture differ at most
FLATTEST = 2.0  # of 255: a smaller deviation of the grey is no picture
BANDS = COPY + 1  # one of which two copies have in common

type Hashes = NDArray[np.uint64]


def picture_hash(grey: NDArray[np.integer] | FloatArray) -> int | None:
    """The hash of a picture of 32 × 32 shades of grey, 0 … 255; None for one that is all of one shade."""
    shades = np.asarray(grey, np.float64)
    if shades.std() < FLATTEST:
        return None
    waves = _waves()
    frequencies = (waves @ shades @ waves.T).ravel()
    # The mean brightness is the same for every picture of a white ground, and says nothing.
    bits = frequencies > np.median(frequencies[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _waves() -> NDArray[np.float64]:
    """The lowest waves of the transform, [frequencies, points]."""
    frequency, point = np.arange(LOWEST)[:, None], np.arange(SIDE)
    return np.cos(np.pi * frequency * (2 * point + 1) / (2 * SIDE))


def distance(one: int, other: int) -> int:
    """How many bits of two hashes differ."""
    return (one ^ other).bit_count()


def shared_hashes(hashes: Sequence[int], families: Sequence[int]) -> BoolArray:
    """Mask of the pictures of which a copy belongs to another family: another item, or none of its variants.

    Two hashes that differ in four bits at most are equal in one of five bands; only within a band they are compared.
    """
    family = np.asarray(families, np.int64)
    different, place = np.unique(np.asarray(hashes, np.uint64), return_inverse=True)
    shared = np.zeros(len(different), np.bool_)
    first, last = np.full(len(different), np.iinfo(np.int64).max), np.full(len(different), -1, np.int64)
    np.minimum.at(first, place, family)
    np.maximum.at(last, place, family)
    shared |= first < last
    for shift, width in _bands():
        band = (different >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        order = np.argsort(band, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(band[order])) + 1):
            for at, row in enumerate(rows[:-1].tolist()):
                others = rows[at + 1 :]
                near = others[np.bitwise_count(different[others] ^ different[row]) <= COPY]
                strange = near[(first[near] != first[row]) | (last[near] != last[row])]
                shared[strange] = True
                shared[row] |= len(strange) > 0
    return np.asarray(shared[place], np.bool_)


def _bands() -> list[tuple[int, int]]:
    """Where each band begins, counted from the lowest bit, and how many bits it has."""
    edges = [64 * at // BANDS for at in range(BANDS + 1)]
    return [(low, high - low) for low, high in pairwise(edges)]
