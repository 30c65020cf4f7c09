"""Perceptual hash of a picture: 64 bits by which copies of it are found that were resized, recompressed or brightened.

The bits say which of the 8 × 8 lowest frequencies of a discrete cosine transform lie above their median. Crops of a
twentieth of a picture and its mirror image have other bits, and are not found.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IdArray

SIDE, LOWEST = 32, 8  # points a side that are looked at, and frequencies a side that count
COPY = 4  # bits in which copies of one picture differ at most
FLATTEST = 2.0  # of 255: a smaller deviation of the grey is no picture
EDGES = [64 * at // (COPY + 1) for at in range(COPY + 2)]
BANDS = [(low, high - low) for low, high in pairwise(EDGES)]  # lowest bit and bits; two copies have one in common

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


def shared_hashes(hashes: Sequence[int] | Hashes, families: Sequence[int] | IdArray) -> BoolArray:
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
    for each in BANDS:
        band = _band(different, each)
        order = np.argsort(band, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(band[order])) + 1):
            for at, row in enumerate(rows[:-1].tolist()):
                others = rows[at + 1 :]
                near = others[np.bitwise_count(different[others] ^ different[row]) <= COPY]
                strange = near[(first[near] != first[row]) | (last[near] != last[row])]
                shared[strange] = True
                shared[row] |= len(strange) > 0
    return np.asarray(shared[place], np.bool_)


def shared_since(
    hashes: Sequence[int], families: Sequence[int], shared: BoolArray, moved: Collection[int]
) -> BoolArray:
    """``shared_hashes`` of all where only some have moved since ``shared`` was right of the others.

    ``moved``: the hashes that pictures have which came, changed or are of another family now, and those that such
    pictures, and those that went, had. Only what is near one of them is looked at anew, among all that is near it.
    """
    every, family = np.asarray(hashes, np.uint64), np.asarray(families, np.int64)
    again = near_hashes(every, np.array(sorted(moved), np.uint64))
    beside = near_hashes(every, np.unique(every[again]))
    now = shared.copy()
    now[again] = shared_hashes(every[beside], family[beside])[again[beside]]
    return now


def near_hashes(hashes: Hashes, others: Hashes) -> BoolArray:
    """Mask of the hashes of which one of the others is a copy."""
    near = np.zeros(len(hashes), np.bool_)
    for each in BANDS:
        band, theirs = _band(hashes, each), _band(others, each)
        order = np.argsort(theirs, kind="stable")
        at, end = (np.searchsorted(theirs[order], band, side) for side in ("left", "right"))
        rows = np.flatnonzero((at < end) & ~near)
        while len(rows):
            near[rows] = np.bitwise_count(hashes[rows] ^ others[order[at[rows]]]) <= COPY
            at[rows] += 1
            rows = rows[(at[rows] < end[rows]) & ~near[rows]]
    return near


def _band(hashes: Hashes, band: tuple[int, int]) -> Hashes:
    shift, width = band
    return (hashes >> np.uint64(shift)) & np.uint64((1 << width) - 1)
