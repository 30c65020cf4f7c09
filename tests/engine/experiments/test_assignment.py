"""Arms by hash: evenly spread, independent from salt to salt, and where the shares say."""

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from recommendations.engine.experiments.assignment import arm_of, share_of

KEYS = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 100_000).tolist()
SURE = 1e-5  # a right build falls below it once in 100,000


def test_the_point_is_the_keyed_hash_of_the_eight_bytes() -> None:
    digest = blake2b((-3).to_bytes(8, "big", signed=True), digest_size=8, key=b"salt").digest()
    assert share_of(b"salt", -3) == pytest.approx(int.from_bytes(digest, "big") / 2**64, abs=2**-52)
    assert share_of(b"salt", -3) != share_of(b"salt", 3)


def test_points_are_evenly_spread() -> None:
    points = np.array([share_of(b"layer", key) for key in KEYS])
    counts = np.bincount((points * 1000).astype(int), minlength=1000)
    assert len(counts) == 1000
    assert chi2.sf(((counts - 100) ** 2 / 100).sum(), 999) > SURE


def test_two_salts_are_independent() -> None:
    layer, experiment = (np.array([share_of(salt, key) for key in KEYS]) for salt in (b"layer", b"experiment 7"))
    table = np.histogram2d(layer, experiment, bins=10)[0]
    assert chi2_contingency(table).pvalue > SURE


def test_neighbouring_keys_are_independent() -> None:
    points = np.array([share_of(b"salt", key) for key in range(20_000)])
    table = np.histogram2d(points[:-1], points[1:], bins=8)[0]
    assert chi2_contingency(table).pvalue > SURE


def test_arms_get_their_shares() -> None:
    arms = np.array([arm_of(share_of(b"e7", key), (0.5, 0.2, 0.0, 0.3)) for key in KEYS])
    counts = np.bincount(arms, minlength=4)
    assert counts[2] == 0
    expected = 100_000 * np.array([0.5, 0.2, 0.3])
    assert chi2.sf(((counts[[0, 1, 3]] - expected) ** 2 / expected).sum(), 2) > SURE


@pytest.mark.parametrize(
    ("point", "arm"), [(0.0, 0), (0.2499, 0), (0.25, 1), (0.4999, 1), (0.5, 3), (0.9999999999999999, 3)]
)
def test_arms_lie_one_after_the_other(point: float, arm: int) -> None:
    assert arm_of(point, (0.25, 0.25, 0.0, 0.5)) == arm


def test_rounding_leaves_no_point_without_an_arm() -> None:
    assert arm_of(1 - 2**-53, (0.1,) * 10) == 9
    assert arm_of(1 - 2**-53, (*(0.1,) * 9, 0.0999, 0.0)) == 9
    with pytest.raises(ValueError, match="no arm"):
        arm_of(0.5, (0.0, 0.0))


@given(st.binary(min_size=0, max_size=64), st.integers(-(2**63), 2**63 - 1))
def test_a_point_is_below_1_and_the_same_again(salt: bytes, key: int) -> None:
    point = share_of(salt, key)
    assert 0 <= point < 1
    assert point == share_of(salt, key)


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(OverflowError):
        share_of(b"salt", 2**63)
    with pytest.raises(ValueError, match="maximum key length"):
        share_of(b"x" * 65, 1)
