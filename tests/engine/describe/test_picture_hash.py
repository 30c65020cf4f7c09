"""Copies of a picture have nearly its hash, whatever their size or light; other pictures do not."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommendations.engine.describe.picture_hash import COPY, SIDE, distance, picture_hash, shared_hashes, shared_since
from recommendations.engine.rng import generator


def drawing(number: int, *, side: int) -> NDArray[np.float64]:
    """A few soft discs and stripes, the same at every size."""
    draw = generator(number, "drawing")
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    grey = 200 + 50 * np.sin(x * draw.uniform(2, 9) + y * draw.uniform(2, 9))
    for _disc in range(4):
        cx, cy, radius, shade = (
            draw.uniform(0.1, 0.9),
            draw.uniform(0.1, 0.9),
            draw.uniform(0.1, 0.3),
            draw.uniform(0, 255),
        )
        inside = 1 / (1 + np.exp(((x - cx) ** 2 + (y - cy) ** 2 - radius**2) * 200))
        grey = grey * (1 - inside) + shade * inside
    return grey


def smaller(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """The picture at the size that is hashed, by means of its parts."""
    part = len(picture) // SIDE
    return picture.reshape(SIDE, part, SIDE, part).mean(axis=(1, 3))


def hash_of(picture: NDArray[np.float64]) -> int:
    bits = picture_hash(picture)
    assert bits is not None
    return bits


def test_a_copy_of_another_size_light_or_compression_is_near() -> None:
    for number in range(12):
        large = drawing(number, side=640)
        own = hash_of(smaller(large))
        noise = generator(number, "noise").normal(0, 4, (SIDE, SIDE))
        for copy in (drawing(number, side=SIDE), smaller(drawing(number, side=192)), smaller(large) * 0.85 + 30):
            assert distance(own, hash_of(copy)) <= COPY
        assert distance(own, hash_of(smaller(large) + noise)) <= COPY + 2


def test_other_pictures_and_mirror_images_are_far() -> None:
    hashes = [hash_of(drawing(number, side=SIDE)) for number in range(12)]
    apart = [distance(one, other) for at, one in enumerate(hashes) for other in hashes[at + 1 :]]
    assert min(apart) > COPY + 2
    assert distance(hashes[0], hash_of(drawing(0, side=SIDE)[:, ::-1])) > COPY


def test_one_wave_has_one_bit_by_hand() -> None:
    """A wave of two turns of the width is the third frequency of the first row, beside the mean brightness."""
    wave = np.cos(np.pi * 2 * (2 * np.arange(SIDE) + 1) / (2 * SIDE))
    bits = hash_of(np.tile(128 + 100 * wave, (SIDE, 1)))
    assert bits >> 61 & 1
    assert bits >> 63


def test_what_is_all_of_one_shade_has_none() -> None:
    assert picture_hash(np.full((SIDE, SIDE), 255)) is None
    assert picture_hash(np.zeros((SIDE, SIDE))) is None


type Drawn = list[tuple[int, int, int]]

DRAWN = st.tuples(st.integers(0, 63), st.integers(0, 6), st.integers(0, 3))


def pictures(drawn: Drawn) -> tuple[list[int], list[int]]:
    """Hashes that lie near one another, in bands and at ends of the 64 bits apart, and their families."""
    bases = [0, 2**64 - 1, 0x0123456789ABCDEF, 0x8000000000000001]
    hashes, families = [], []
    for at, flips, base in drawn:
        bits = bases[base]
        for step in range(flips):
            bits ^= 1 << (at + 13 * step) % 64
        hashes.append(bits)
        families.append(at % 5)
    return hashes, families


@settings(max_examples=40, deadline=None)
@given(st.lists(DRAWN, min_size=1, max_size=25))
def test_shared_are_those_with_a_copy_in_another_family(drawn: Drawn) -> None:
    """Against every pair compared."""
    hashes, families = pictures(drawn)
    places = range(len(hashes))
    expected = [
        any(families[one] != families[other] and distance(hashes[one], hashes[other]) <= COPY for other in places)
        for one in places
    ]
    assert shared_hashes(hashes, families).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(DRAWN, st.none() | DRAWN, st.booleans()), max_size=25), st.lists(DRAWN, max_size=5))
def test_what_moved_alone_says_the_same_as_all(rows: list[tuple[Any, Any, bool]], came: Drawn) -> None:
    """Some pictures are others now, some went, some came; the others are as before."""
    hashes, families = pictures([each for each, _new, _stays in rows])
    shared = shared_hashes(hashes, families)
    after = [(place, new or was) for place, (was, new, stays) in enumerate(rows) if stays]
    now, kin = pictures([each for _place, each in after] + came)
    moved = {bits for bits, (_was, new, stays) in zip(hashes, rows, strict=True) if new or not stays}
    moved |= {bits for bits, (place, _each) in zip(now, after, strict=False) if rows[place][1]} | set(now[len(after) :])
    before = np.array([shared[place] for place, _each in after] + [False] * len(came), np.bool_)
    np.testing.assert_array_equal(shared_since(now, kin, before, moved), shared_hashes(now, kin))


def test_nothing_is_shared_of_nothing() -> None:
    assert shared_hashes([], []).tolist() == []
