from dataclasses import replace

import numpy as np
import pytest

from bench.files.data import Files, read
from bench.files.past_baskets import PastBaskets
from bench.ranking.own_data import Validation, validated
from bench.tests.files import HEADER, written
from recommendations.terms import Task

DAY = 86_400
MILK, TEA, CAKE = range(3)  # in the order of the file
BASKETS = {
    "ann": {1: "milk tea", 2: "tea", 4: "milk", 7: "cake", 9: "tea milk", 10: "cake tea"},
    "bob": {3: "milk", 5: "tea", 8: "cake"},
    "cid": {6: "tea", 10: "milk"},
}
"""What each bought, by day."""


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    folder = tmp_path_factory.mktemp("baskets")
    rows = [
        (user, item, 1_700_000_000 + day * DAY, f"{user}{day}")
        for user, days in BASKETS.items()
        for day, items in days.items()
        for item in items.split()
    ]
    for name in ("train", "queries"):
        written(folder, f"{name}.csv", rows, header=f"{HEADER},session_id")
    written(folder, "truth.csv", [(user, "milk") for user in BASKETS], header="user_id,item_id")
    files = Files(**{name: folder / f"{name}.csv" for name in ("train", "queries", "truth")})
    return validated(read(files), (Task.HOME,), seed=0)


def past_of(validation: Validation) -> PastBaskets:
    assert validation.past is not None
    return validation.past


def test_people_are_asked_for_three_baskets_before_their_last_where_something_is_older(validation: Validation) -> None:
    past = past_of(validation)
    ann, bob = 0, 1
    assert past.asked.tolist() == [ann, bob, ann, ann]
    truth = past.part.truths[Task.HOME].spent
    assert [set(truth[row].indices.tolist()) for row in range(4)] == [{MILK, TEA}, {TEA}, {CAKE}, {MILK}]
    histories = past.part.queries.histories
    known = [set(histories.item[histories.user == row].tolist()) for row in range(4)]
    assert known == [{MILK, TEA, CAKE}, {MILK}, {MILK, TEA}, {MILK, TEA}]
    assert histories.n_baskets.tolist() == [4, 1, 3, 2]


def test_ages_count_from_as_long_after_the_basket_as_the_last_one_is_asked_for(validation: Validation) -> None:
    histories = past_of(validation).part.queries.histories
    newest = [float(histories.age[histories.user == row].min()) for row in range(4)]
    # ann's last basket is of the last day of all, bob's of two days before it
    assert newest == pytest.approx([9 - 7, 2 + 5 - 3, 7 - 4, 4 - 2], abs=1e-3)


def test_nothing_that_is_asked_for_teaches(validation: Validation) -> None:
    teaching = past_of(validation).part.training.interactions
    assert sorted(zip(teaching.user.tolist(), teaching.item.tolist(), strict=True)) == [(0, MILK), (0, TEA), (0, TEA)]
    assert np.isin(past_of(validation).part.queries.training_rows, [0, 1]).all()


def test_a_net_that_learned_from_past_baskets_is_not_asked_for_them(validation: Validation) -> None:
    assert validation.part is not None
    net = {"items": np.zeros((3, 2), np.float32)}
    part = replace(validation.part, training=replace(validation.part.training, net=net))
    netted = validation.with_net(part)
    assert netted.part is part
    assert netted.past is None
