import numpy as np
import pandas as pd
import pytest

from recommendations.engine.preprocess.matrix import EventWeights, ItemAttributes, TrainingSnapshot, snapshot
from recommendations.event_types import EventName
from tests.engine.preprocess.events import DAY, act, attributes, frame

CUT = DAY + 10


def made(*rows: dict[str, object], about: ItemAttributes | None = None) -> TrainingSnapshot:
    return snapshot(frame(rows), about or attributes([1, 2, 3, 4]), cut=CUT, weights=EventWeights())


def table(found: TrainingSnapshot) -> pd.DataFrame:
    acts = found.training.interactions
    columns = ("user", "item", "basket", "age", "quantity", "strength", "amount", "bought")
    return pd.DataFrame({name: getattr(acts, name) for name in columns})


def test_lines_of_one_item_in_a_basket_are_one_row() -> None:
    data = made(
        act(70, 3, at=DAY, basket=5, quantity=2, amount=4), act(70, 3, at=DAY + 1, basket=5, quantity=1, amount=2.5),
        act(70, 1, at=DAY, basket=5, quantity=1, amount=9), act(60, 3, at=DAY + 2, basket=6, quantity=1, amount=2),
    )  # fmt: skip
    assert data.users.ids.tolist() == [60, 70]
    assert data.items.ids.tolist() == [1, 3]
    assert table(data).to_numpy().tolist() == [
        [0, 1, 0, 8.0, 1.0, 1.0, 2.0, True],
        [1, 0, 1, 10.0, 1.0, 1.0, 9.0, True],
        [1, 1, 1, 9.0, 3.0, 1.0, 6.5, True],
    ]


def test_events_from_the_cut_on_are_not_in_the_training_set() -> None:
    data = made(
        act(1, 1, at=CUT, basket=1), act(1, 2, at=np.nextafter(CUT, 0), basket=2), act(9, 2, at=CUT + 1, basket=3)
    )
    assert data.users.ids.tolist() == [1]
    assert data.items.ids.tolist() == [2]


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        (EventName.VIEW_ITEM, 0.2), (EventName.SELECT_ITEM, 0.2), (EventName.SEARCH, 0.2),
        (EventName.ADD_TO_WISHLIST, 0.4), (EventName.ADD_TO_CART, 0.6), (EventName.PURCHASE, 1.0),
        (EventName.REFUND, -1.0), (EventName.REMOVE_FROM_CART, -0.2),
    ],
)  # fmt: skip
def test_strength_is_relative_to_a_purchase(name: EventName, strength: float) -> None:
    row = table(made(act(1, 1, name, basket=1)))
    assert row["strength"].tolist() == pytest.approx([strength])
    assert row["bought"].tolist() == [name is EventName.PURCHASE]


def test_acts_of_one_kind_add_up_within_a_session_and_kinds_stay_apart() -> None:
    """Two views (0.2 each) and two pieces in the cart (0.6 each)."""
    view = [act(1, 1, EventName.VIEW_ITEM, basket=-2, at=DAY + n) for n in (0, 1)]
    rows = table(made(*view, act(1, 1, EventName.ADD_TO_CART, basket=-2, quantity=2)))
    by_strength = {
        round(strength, 1): rest
        for strength, *rest in rows[["strength", "quantity", "age", "amount"]].to_numpy().tolist()
    }
    assert by_strength == {0.2: pytest.approx([2, 9, 0]), 0.6: pytest.approx([2, 10, 0])}


def test_a_cart_that_is_emptied_leaves_what_is_still_in_it() -> None:
    cart = [act(1, 1, EventName.ADD_TO_CART, basket=-2, quantity=1) for _ in range(2)]
    rows = table(made(*cart, act(1, 1, EventName.REMOVE_FROM_CART, basket=-2, quantity=1)))
    # 3 + 3 − 1 points, in purchases
    assert (rows["strength"] * rows["quantity"]).tolist() == pytest.approx([1.0])


def test_views_and_a_purchase_with_the_same_number_are_two_baskets() -> None:
    rows = table(made(act(1, 1, EventName.VIEW_ITEM, basket=7), act(1, 1, basket=7)))
    assert rows["basket"].nunique() == 2


def test_a_refund_takes_back_what_it_covers() -> None:
    rows = table(
        made(
            act(1, 1, basket=7, quantity=3, amount=9), act(1, 1, EventName.REFUND, basket=7, quantity=1, amount=3),
            act(1, 2, basket=7, quantity=1, amount=5), act(1, 2, EventName.REFUND, basket=7, quantity=1, amount=5),
            act(1, 3, EventName.REFUND, basket=8, quantity=1, amount=2),
        )
    )  # fmt: skip
    assert rows[["item", "quantity", "strength", "amount", "bought"]].to_numpy().tolist() == [
        [0, 2.0, 1.0, 6.0, True], [1, 1.0, -1.0, -2.0, False],
    ]  # fmt: skip


def test_a_rating_counts_by_its_value_and_an_unrated_one_not_at_all() -> None:
    rated = [
        act(1, item, EventName.RATE_ITEM, basket=1, rating=value) for item, value in ((1, 1.0), (2, 0.6), (3, np.nan))
    ]
    assert table(made(*rated))["strength"].tolist() == pytest.approx([1.0, 0.6])


def test_a_dislike_takes_the_item_out_of_the_history_and_bars_it() -> None:
    data = made(
        act(1, 1, basket=1), act(1, 2, basket=1), act(2, 1, basket=2), act(1, 1, EventName.DISLIKE_ITEM, basket=-2)
    )
    assert table(data)[["user", "item"]].to_numpy().tolist() == [[0, 1], [1, 0]]
    assert (data.disliked.toarray() > 0).tolist() == [[True, False], [False, False]]


def test_events_without_interest_are_no_history() -> None:
    data = made(
        act(1, 1, EventName.VIEW_ITEM_LIST, basket=1),
        act(2, 1, EventName.VIEW_ITEM, basket=1),
        act(3, -1, EventName.SEARCH),
    )
    assert data.users.ids.tolist() == [2]


def test_new_items_are_known_before_anyone_touches_them() -> None:
    about = attributes([1, 2, 3, 4], [CUT - 28, CUT - 28.1, CUT - 1, CUT])
    data = made(act(1, 2, basket=1), about=about)
    assert data.items.ids.tolist() == [1, 2, 3]
    assert data.training.catalogue.listed_age.tolist() == pytest.approx([28, 28.1, 1], abs=1e-3)
    assert data.training.n_items == 3


def test_attributes_follow_their_items_whatever_their_order() -> None:
    data = made(act(1, 4, basket=1), act(1, 2, basket=1), act(1, 99, basket=1), about=attributes([4, 9, 2]))
    goods = data.training.catalogue
    assert data.items.ids.tolist() == [2, 4, 99]
    assert goods.categories.toarray().tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert goods.terms.toarray().ravel().tolist() == [3, 1, 0]
    np.testing.assert_array_equal(goods.price, np.array([2, 0, np.nan], np.float32))


def test_the_bought_matrix_holds_purchases_only() -> None:
    data = made(act(1, 1, basket=1), act(1, 1, basket=2), act(1, 2, EventName.VIEW_ITEM, basket=-2))
    assert data.bought.toarray().tolist() == [[1, 0]]


def test_other_weights_change_the_strengths() -> None:
    weights = EventWeights(points={EventName.PURCHASE: 2.0, EventName.VIEW_ITEM: 1.0})
    view, cart = act(1, 2, EventName.VIEW_ITEM, basket=2), act(1, 3, EventName.ADD_TO_CART, basket=2)
    events = frame([act(1, 1, basket=1), view, cart])
    data = snapshot(events, attributes([1, 2, 3]), cut=CUT, weights=weights)
    assert table(data)["strength"].tolist() == [1.0, 0.5]


def test_a_purchase_has_to_be_worth_something() -> None:
    with pytest.raises(ValueError, match="purchase"):
        EventWeights(points={EventName.VIEW_ITEM: 1.0})


def test_without_events_before_the_cut_the_training_set_is_empty() -> None:
    data = made(act(1, 1, at=CUT + 1, basket=1))
    assert (data.training.n_users, data.training.n_items) == (0, 0)
    assert data.bought.shape == data.disliked.shape == (0, 0)
    assert made().training.catalogue.n_items == 0
