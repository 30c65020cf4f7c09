"""Arrays without some customers: what is left, by hand."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from recommendations.store.models.artefacts import matrix_of, matrix_parts
from recommendations.store.models.remaining_rows import keys_in, remaining

GONE = np.array([20, 70])


def matrix(*rows: list[float]) -> sparse.csr_matrix[np.float32]:
    return sparse.csr_matrix(np.array(rows, np.float32))


@pytest.fixture
def arrays() -> Mapping[str, NDArray[Any]]:
    """Four users, of whom 20 goes: second of the users, first of those with truth, followed by two of three."""
    truth = matrix([0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3])
    follows = matrix([1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1], [1, 0, 1, 1])
    return {
        "cut": np.array([100.0]),
        "ids/users": np.array([10, 20, 30, 40]),
        "ids/items": np.array([20, 21, 22]),
        "interactions/user": np.array([0, 0, 1, 1, 3], np.int32),
        "interactions/item": np.array([0, 1, 0, 2, 1], np.int32),
        "levels/of_users": np.array([2, 1, 0, 2], np.int8),
        "links/followers": np.array([10, 15, 30, 70]),
        **matrix_parts("links/follows", follows),
        **matrix_parts("truth/home", truth),
        "candidates/home/items": np.arange(10, dtype=np.int32).reshape(5, 2),
        "candidates/home/instances": np.array(["one", "two"]),
        "evaluation/home/hybrid": np.array([0.2, 0.3, 0.4], np.float32),
        "second_stage/home/lesson/counts": np.array([2, 1, 2], np.int32),
        "second_stage/home/lesson/values": np.arange(5, dtype=np.float16)[:, None],
        "visits/user": np.array([1, 2], np.int32),
        "visits/seen": np.array([[0, -1], [2, 1]], np.int32),
        **matrix_parts("visits/spent", matrix([5, 0, 0], [0, 0, 6])),
        "cleaning/bursts": np.array([[20, 3, 900], [50, 3, 800], [70, 4, 700]]),
        "picture/projection/users": np.array([1, 3], np.int32),
        "picture/projection/points": np.array([[0, 0], [1, 1]], np.float32),
        "renamed since/users": np.arange(4),
    }


def test_rows_of_who_goes_are_gone_and_the_others_renumbered(arrays: Mapping[str, NDArray[Any]]) -> None:
    left = dict(remaining(arrays, GONE))

    assert left["ids/users"].tolist() == [10, 30, 40]
    assert left["interactions/user"].tolist() == [0, 0, 2]
    assert left["interactions/item"].tolist() == [0, 1, 1]
    assert left["levels/of_users"].tolist() == [2, 0, 2]
    assert left["candidates/home/items"].tolist() == [[0, 1], [4, 5], [6, 7], [8, 9]]  # the stranger's is the last
    assert left["evaluation/home/hybrid"].tolist() == pytest.approx([0.3, 0.4])
    assert left["second_stage/home/lesson/counts"].tolist() == [1, 2]
    assert left["second_stage/home/lesson/values"][:, 0].tolist() == [2, 3, 4]
    assert matrix_of(left, "truth/home").toarray().tolist() == [[0, 0, 0], [0, 2, 0], [0, 0, 3]]
    assert left["visits/user"].tolist() == [1]
    assert left["visits/seen"].tolist() == [[2, 1]]
    assert matrix_of(left, "visits/spent").toarray().tolist() == [[0, 0, 6]]
    assert left["cleaning/bursts"].tolist() == [[50, 3, 800]]
    assert left["picture/projection/users"].tolist() == [2]
    assert left["picture/projection/points"].tolist() == [[1, 1]]
    for name, array in left.items():
        assert array.dtype == arrays[name].dtype, name
    assert not set(keys_in({**arrays, **left})) & {20, 70}


def test_of_a_cut_that_asks_some_users_their_records_go(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Users 10, 20 and 40 are asked, and a stranger."""
    records = {"candidates/users": np.array([0, 1, 3], np.int32), "candidates/home/items": np.arange(8).reshape(4, 2)}
    left = dict(remaining({**arrays, **records}, GONE))

    assert left["candidates/users"].tolist() == [0, 2]
    assert left["candidates/home/items"].tolist() == [[0, 1], [4, 5], [6, 7]]


def test_who_follows_too_few_of_those_who_stay_has_no_links(arrays: Mapping[str, NDArray[Any]]) -> None:
    left = dict(remaining(arrays, GONE))

    assert left["links/followers"].tolist() == [10, 30]  # 15 followed three, of whom one goes; 70 goes
    assert matrix_of(left, "links/follows").toarray().tolist() == [[1, 1, 1], [1, 1, 1]]


def test_what_is_of_nobody_or_of_nobody_who_goes_is_left_alone(arrays: Mapping[str, NDArray[Any]]) -> None:
    left = dict(remaining(arrays, GONE))

    untouched = {"cut", "ids/items", "candidates/home/instances", "renamed since/users"}
    assert arrays.keys() - left.keys() == untouched
    assert not dict(remaining(arrays, np.array([11, 21, 22])))  # of items' keys two
    assert dict(remaining(arrays, np.array([50]))).keys() == {"cleaning/bursts"}
    assert {name.split("/")[0] for name in dict(remaining(arrays, np.array([70])))} == {"links", "cleaning"}


def test_stored_zeros_stay_as_they_say_that_something_was_bought() -> None:
    bought = sparse.csr_matrix((np.array([0, 3], np.float32), ([0, 2], [1, 0])), shape=(3, 2))
    arrays = {"ids/users": np.array([1, 2, 3]), **matrix_parts("truth/home", bought)}

    left = matrix_of(dict(remaining(arrays, np.array([2]))), "truth/home")

    assert left.nnz == 2
    assert left.indices.tolist() == [1, 0]


def test_everybody_may_go(arrays: Mapping[str, NDArray[Any]]) -> None:
    left = {**arrays, **dict(remaining(arrays, np.array([10, 15, 20, 30, 40, 50, 70])))}

    assert not len(keys_in(left))
    assert left["candidates/home/items"].tolist() == [[8, 9]]
    assert left["links/follows/shape"].tolist() == [0, 0]
