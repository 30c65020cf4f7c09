"""Steps over parts: how what they leave is joined, how ranges are cut, and what may pass between them."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.steps import (
    Arrays,
    Join,
    Over,
    Part,
    Step,
    added,
    arrays_of,
    equal_costs,
    matrix_of,
    run_steps,
    side_by_side,
)
from tests.shop import checkerboard


def matrix(rows: list[list[float]]) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.asarray(rows, np.float32))


def test_side_by_side_stacks_rows_in_the_order_of_the_parts() -> None:
    parts = [
        {"x": np.asarray([1, 2]), **arrays_of("m", matrix([[1, 0], [0, 2]]))},
        {"x": np.asarray([], np.int64), **arrays_of("m", sparse.csr_matrix((0, 2), dtype=np.float32))},
        {"x": np.asarray([0]), **arrays_of("m", matrix([[3, 4]]))},
    ]
    joined = side_by_side(parts)
    np.testing.assert_array_equal(joined["x"], [1, 2, 0])
    np.testing.assert_array_equal(matrix_of(joined, "m").toarray(), [[1, 0], [0, 2], [3, 4]])
    assert joined["m.indptr"].dtype == np.int32


def test_sums_are_of_double_precision_and_keep_their_kind() -> None:
    parts = [{"x": np.asarray([value], np.float32)} for value in (16_777_216, 1, 1)]  # in single precision 1 is lost
    joined = added(parts)
    assert (joined["x"].dtype, float(joined["x"][0])) == (np.float32, 16_777_218)
    counts = added([{"n": np.asarray([2**60])}, {"n": np.asarray([1])}])
    assert counts["n"][0] == 2**60 + 1
    sums = added([arrays_of("m", matrix([[1, 0]])), arrays_of("m", matrix([[2, 5]]))])
    np.testing.assert_array_equal(matrix_of(sums, "m").toarray(), [[3, 5]])


def test_a_join_may_do_each_by_its_name() -> None:
    join = Join(sums=("total",), highest=("oldest",))
    joined = join([{"total": np.ones(2), "oldest": np.asarray([day, 5]), "rows": np.asarray([day])} for day in (9, 1)])
    assert {name: array.tolist() for name, array in joined.items()} == {
        "total": [2, 2], "oldest": [9, 5], "rows": [9, 1]
    }  # fmt: skip


@pytest.mark.parametrize("ranges", [1, 2, 3, 7, 100])
def test_ranges_cover_all_rows_once_and_cost_about_the_same(ranges: int) -> None:
    costs = 1 / np.arange(1, 51)
    at = equal_costs(costs, ranges)
    assert (at[0], at[-1]) == (0, 50)
    assert (np.diff(at) > 0).all()
    assert len(at) - 1 <= ranges
    most = max(costs[start:stop].sum() for start, stop in pairwise(at))
    assert most <= costs.sum() / ranges + costs.max()


def test_no_rows_are_one_range_and_no_cost_is_no_reason_to_cut() -> None:
    assert equal_costs(np.empty(0), 5) == [0, 0]
    assert equal_costs(np.zeros(4), 2)[-1] == 4


def test_steps_hear_of_their_part_alone_and_leave_nothing_that_is_spent() -> None:
    def heard(config: int, before: Arrays, part: Part) -> Arrays:
        assert "x" not in before
        return {"x": np.asarray([config * len(part.own)]), "users": np.asarray([part.own.n_users])}

    def learned(config: int, before: Arrays, part: Part) -> Arrays:
        assert part.acts is None
        return {"x_": before["x"], "users_": before["users"]}

    def last(config: int, before: Arrays, part: Part) -> Arrays:
        return {"spent_": np.asarray(["x" in before, "users" in before])}

    steps = (
        Step(name="heard", over=Over.CUSTOMERS, work=heard),
        Step(name="learned", over=Over.ONCE, work=learned, spent=("x",)),
        Step(name="last", over=Over.ONCE, work=last),
    )
    board = checkerboard(10)  # everybody has three baskets of the four others of their parity
    arrays = run_steps(steps, 2, board, seed=0, borders=[0, 3, 10])
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "x_": [72, 168], "users_": [3, 7], "spent_": [False, True]
    }  # fmt: skip


def test_a_step_once_has_no_customers_and_leaves_numbers_only() -> None:
    def asks(config: None, before: Arrays, part: Part) -> Arrays:
        return {"x": part.own.age}

    def odd(config: None, before: Arrays, part: Part) -> Arrays:
        return {"fine": np.zeros(1), "names": np.asarray(["a", None])}

    with pytest.raises(ValueError, match="no customers"):
        run_steps([Step(name="asks", over=Over.ONCE, work=asks)], None, checkerboard(10), seed=0)
    with pytest.raises(TypeError, match="odd left something else than arrays of numbers: names"):
        run_steps([Step(name="odd", over=Over.ONCE, work=odd)], None, checkerboard(10), seed=0)
