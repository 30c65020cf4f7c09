import numpy as np
import pytest

from bench.meter import metered, peak_mb


def test_peak_memory_is_that_of_the_block_and_not_of_earlier_work() -> None:
    """80 MB that are given back before the meter starts do not count, 80 MB within do."""
    big = np.ones(10_000_000)
    del big
    with metered() as small:
        before = peak_mb()
    with metered() as large:
        held = np.ones(10_000_000)
    assert large.peak_mb - small.peak_mb > 60
    assert small.peak_mb == pytest.approx(before, abs=20)
    assert held.sum() == 10_000_000
    assert large.seconds > 0
