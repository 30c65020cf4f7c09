"""Drift of segments between two runs, worked out by hand."""

import numpy as np
import pytest

from recommendations.engine.interests.drift import Grouping, drift, moves


def grouping(numbers: list[int], interests: list[list[float]], members: list[int]) -> Grouping:
    return Grouping(
        numbers=np.asarray(numbers, np.int32),
        interests=np.asarray(interests, np.float32).reshape(len(numbers), 2),
        sizes=np.asarray([members.count(number) for number in numbers], np.int32),
        members=np.asarray(members, np.int32),
    )


def test_segments_are_compared_by_their_number_and_not_by_their_place() -> None:
    before = grouping([1, 2], [[1, 0], [0, 1]], [1, 1, 1, 1, 2, 2])
    now = grouping([2, 3, 1], [[1, 1], [1, 0], [2, 0]], [1, 1, 2, 3, 2, -1])
    change = drift(now, before)
    assert change.size_before.tolist() == [2, -1, 4]
    # Of 2's two members one stayed; of 1's four, two. 2 turned by 45°, 1 kept its direction.
    np.testing.assert_allclose(change.kept, [0.5, np.nan, 0.5])
    np.testing.assert_allclose(change.moved, [1 - np.sqrt(0.5), np.nan, 0], atol=1e-6)


def test_the_first_run_has_new_segments_only() -> None:
    change = drift(grouping([1], [[1, 0]], [1, 1]), grouping([], [], []))
    assert change.size_before.tolist() == [-1]
    assert np.isnan(change.kept).all()
    assert np.isnan(change.moved).all()


def test_the_share_kept_is_unknown_where_all_members_are_gone() -> None:
    before = grouping([1], [[1, 0]], [-1, -1])
    assert drift(grouping([1], [[1, 0]], [1, 1]), before).kept[0] == pytest.approx(float("nan"), nan_ok=True)


def test_ways_between_two_runs_are_counted() -> None:
    before, now = np.asarray([1, 1, 1, 2, -1], np.int32), np.asarray([1, 3, 1, -1, 3], np.int32)
    assert moves(now, before).tolist() == [[-1, 3, 1], [1, 1, 2], [1, 3, 1], [2, -1, 1]]
    nobody = np.empty(0, np.int32)
    assert moves(nobody, nobody).shape == (0, 3)
