"""A shop whose recommenders learn in parts, and what it means that they learned the same."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders import registry
from recommendations.engine.recommenders.protocol import Recommender, learned
from tests.lengths import cases
from tests.shop import Act, follows, training_set, with_net

SEED = 3
USERS, ITEMS, CATEGORIES = cases(short=500, full=10_000), 160, 8
NEAR = 1e-6

KINDS: dict[str, tuple[type[Any], Any]] = {
    one.name: (one.kind, one.config)
    for place, one in enumerate(registry.EVERY)
    if not any(one.learns_as(other) for other in registry.EVERY[:place])
}


@cache
def shop() -> TrainingSet:
    """Customers of a taste each, some with nothing, who buy, look and return in baskets with gaps in their numbers."""
    draw = np.random.default_rng(0)
    acts, popularity = [], 1 / np.arange(1, ITEMS + 1) ** 0.6
    for user in range(USERS):
        taste = draw.integers(CATEGORIES)
        for visit in range(draw.integers(0, 7)):
            age = float(np.float32(draw.exponential(40)))
            items = draw.choice(ITEMS, 6, p=popularity / popularity.sum(), replace=False)
            items = np.unique(np.where(draw.random(6) < 0.5, items - items % CATEGORIES + taste, items))
            for item in items:
                looked, back = draw.random() < 0.2, draw.random() < 0.04
                basket, strength = 20 * user + 2 * visit + looked, 0.2 if looked else -1.0 if back else 1.0
                acts.append(Act(user, int(item), basket, age, strength, bought=strength == 1))
    made = training_set(acts, n_users=USERS, category_of=[item % CATEGORIES for item in range(ITEMS)])
    links = follows({user: draw.integers(0, USERS, 3) for user in range(0, USERS, 2)}, n_users=USERS)
    return replace(with_net(made), links=links, teaches=draw.random(len(acts)) < 0.95)


def assert_alike(one: Recommender, other: Recommender) -> bool:
    """Whether both learned the same to the last bit. Raises AssertionError where they differ by more than a sum may."""
    left, right = learned(one), learned(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert (array.dtype, array.shape) == (right[name].dtype, right[name].shape), name
        if array.dtype.kind == "f" and array.size:
            largest = float(np.nanmax(np.abs(array)))
            np.testing.assert_allclose(right[name], array, rtol=NEAR, atol=NEAR * largest, err_msg=name)
        else:
            np.testing.assert_array_equal(right[name], array, err_msg=name)
    return all(np.array_equal(array, right[name], equal_nan=array.dtype.kind == "f") for name, array in left.items())
