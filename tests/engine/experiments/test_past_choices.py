"""Past choices side by side: every number is worked out by hand."""

from typing import Any

import numpy as np
import pytest

from recommendations.engine.experiments.past_choices import ExploredForm, PastChoice, past_arrays, replayed_difference
from recommendations.engine.ranking.exploration import chances
from recommendations.terms import Way

PLAIN = ExploredForm(ranked=3, at=(0, 1), fixed=(), shuffled=0.0, cards=0.0)


def rows(*items: int) -> np.ndarray:
    return np.array(items, np.int32)


def choice(**fields: Any) -> PastChoice:
    usual: dict[str, Any] = {
        "customer": 7, "version": 1, "way": Way.AS_RANKED, "form": PLAIN, "ranking": rows(5, 9, 2),
        "draft": rows(9, 4, 5), "live": rows(5, 9, 2), "places": [0, 1], "clicks": np.array([0.0, 1.0]),
        "revenue": np.array([0.0, 3.5]), "candidates": rows(2, 4, 5, 9), "instances": ("als", "content"),
        "z": np.array([[1, 2, 3, np.nan], [5, 6, 7, 8]], np.float32), "bought": rows(4, 9),
    }  # fmt: skip
    return PastChoice(**usual | fields)


def test_an_answer_has_its_ranking_and_behind_it_what_only_others_rank() -> None:
    assert choice().items().tolist() == [5, 9, 2, 4]
    assert choice(live=rows(8, 4)).items().tolist() == [5, 9, 2, 4, 8]


def test_answers_of_different_lengths_stand_side_by_side() -> None:
    filled = ExploredForm(ranked=1, at=(1,), fixed=(), shuffled=0.1, cards=0.1)
    short = choice(
        customer=8, form=filled, ranking=rows(3), draft=rows(), live=rows(3), places=[-1, 0, -1],
        clicks=np.array([1.0, 0.0, 0.0]), revenue=np.zeros(3), candidates=rows(3), instances=("content",),
        z=np.array([[4.0]], np.float32), bought=rows(), way=Way.CARDS, version=2,
    )  # fmt: skip
    arrays = past_arrays([choice(), short])
    logged = arrays.logged
    assert logged.places.tolist() == [[0, 1, -1], [-1, 0, -1]]
    assert logged.clicks.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert logged.customers.tolist() == [7, 8]
    assert arrays.revenue.tolist() == [[0, 3.5, 0], [0, 0, 0]]
    assert arrays.rankings.draft.tolist() == [[1, 3, 0], [-1, -1, -1]]
    assert arrays.rankings.live is None  # what is live made both
    assert logged.chances[logged.form[0]].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert logged.chances[logged.form[1]].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert logged.features[0, :, :2].tolist() == [[3, 7], [0, 8], [1, 5], [2, 6]]
    assert logged.features[1, :, :2].tolist() == [[0, 4], [0, 0], [0, 0], [0, 0]]
    assert arrays.plain.answers == 1  # cards do not tell attention
    assert arrays.bought.tolist() == [[False, True, False, True], [False] * 4]


def test_answers_of_an_earlier_version_are_ranked_by_what_is_live_too() -> None:
    arrays = past_arrays([choice(), choice(live=rows(2, 5, 4))])
    assert arrays.rankings.live is not None
    assert arrays.rankings.live.tolist() == [[0, 1, 2], [2, 0, 3]]


def test_chances_of_a_form_are_those_of_exploration_at_its_slots() -> None:
    form = ExploredForm(ranked=6, at=(0, 2, 3), fixed=(1,), shuffled=0.3, cards=0.2)
    table = form.chances((8, 5))
    assert table[:6, [0, 2, 3]] == pytest.approx(chances(3, (1,), shuffled=0.3, cards=0.2, ranked=6))
    assert not table[6:].any()
    assert not table[:, [1, 4]].any()


def test_a_replay_knows_what_its_basket_would_have_met() -> None:
    """Item 9 stands in both lists, 4 in the draft's alone: one more of the basket."""
    assert replayed_difference(past_arrays([choice()])) == pytest.approx(1.0)
    assert replayed_difference(past_arrays([choice(draft=rows(5, 2, 9))])) == pytest.approx(-1.0)
    half = ExploredForm(ranked=3, at=(0, 1), fixed=(), shuffled=0.0, cards=0.5)
    lost = choice(form=half, draft=rows(5, 9, 4), bought=rows(4))  # the last place has but one card, with chance ½
    assert replayed_difference(past_arrays([lost])) == pytest.approx(
        chances(2, shuffled=0, cards=0.5, ranked=3)[2].sum()
    )
