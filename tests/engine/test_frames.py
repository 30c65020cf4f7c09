"""A training set without some people is that of the others, whatever it holds of each."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.frames import rest
from tests.shop import Act, follows, training_set


def test_rest_is_every_other_row() -> None:
    assert rest(5, np.array([3, 0, 3])).tolist() == [1, 2, 4]
    assert rest(2, np.empty(0, np.int32)).tolist() == [0, 1]
    assert rest(0, np.empty(0, np.int32)).tolist() == []


@pytest.mark.parametrize("row", [-1, 5])
def test_a_row_that_is_none_is_refused(row: int) -> None:
    with pytest.raises(ValueError, match="rows are 0 to 4, not"):
        rest(5, np.array([1, row]))


def test_a_training_set_without_people_is_that_of_the_others() -> None:
    acts = [Act(user, user + at, 10 * user + at, age=at) for user in range(4) for at in range(2)]
    shop = training_set(acts, n_users=4, category_of=[0] * 5)
    shop = replace(
        shop,
        teaches=np.array([1, 1, 1, 0, 0, 1, 1, 0], np.bool_),
        links=follows({0: [1, 3], 2: [0, 1], 3: [2]}, n_users=4),
        followed=sparse.csr_matrix(np.array([[0], [1], [2], [3]], np.float32)),
    )
    left = shop.without(np.array([1]))
    assert (left.n_users, left.n_items) == (3, 5)
    assert left.interactions.user.tolist() == [0, 0, 1, 1, 2, 2]
    assert left.interactions.item.tolist() == [0, 1, 2, 3, 3, 4]
    assert left.interactions.basket.tolist() == [0, 1, 20, 21, 30, 31]
    assert left.teaching.item.tolist() == [0, 1, 3, 3]
    assert left.links.toarray().tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert left.followed.toarray().tolist() == [[0], [2], [3]]
    assert shop.interactions.without(np.array([1])).user.tolist() == left.interactions.user.tolist()
    plain = training_set(acts, n_users=4, category_of=[0] * 5).without(np.array([0, 2]))
    assert (plain.teaches, plain.links, plain.followed) == (None, None, None)
    assert plain.interactions.item.tolist() == [1, 2, 3, 4]
