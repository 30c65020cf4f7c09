from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import Promotions, TrainingSet
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.features import Features, features, log_ranks
from recommendations.engine.ranking.item_facts import item_facts
from tests.shop import Act, everybody, folded_in, training_set

MILK, TEA, CAKE = 0, 1, 2
CATEGORY_OF = (0, 1, 1)
ACTS = (
    Act(user=0, item=MILK, basket=0, age=40),
    Act(user=0, item=MILK, basket=1, age=10),
    Act(user=0, item=TEA, basket=1, age=10),
    Act(user=1, item=CAKE, basket=2, age=3),
    Act(user=1, item=TEA, basket=2, age=3),
)
NAN = np.nan
RECORD = Candidates(
    instances=("ease", "als"),
    items=np.array([[MILK, TEA, CAKE], [TEA, CAKE, -1]], np.int32),
    z=np.array([[[1, -1, 1], [NAN, 0.5, -0.5]], [[2, -2, NAN], [NAN, NAN, NAN]]], np.float16),
    own=np.full((2, 2, 1), -1, np.int32),
)
LAST_WEEK, THIS_WEEK = -9.0, -2.0


def promotions(*rows: tuple[int, float, float, float]) -> Promotions:
    item, start, display, mailer = zip(*rows, strict=True)
    return Promotions(
        item=np.array(item, np.int32),
        start=np.array(start, np.float32),
        display=np.array(display, np.float32),
        mailer=np.array(mailer, np.float32),
    )


PAST = [(TEA, LAST_WEEK - 7, 0.5, 0.25), (TEA, LAST_WEEK, 0.0, 0.0)]
SHOP = training_set(ACTS, n_users=2, category_of=CATEGORY_OF)


def made(training: TrainingSet, record: Candidates = RECORD) -> Features:
    return features(record, everybody(training), item_facts(training))


def column(found: Features, name: str) -> list[float]:
    return found.values[:, found.names.index(name)].astype(float).tolist()


def nearly(*values: float) -> object:
    return pytest.approx(list(values), nan_ok=True, rel=1e-3)


def test_rows_are_the_candidates_query_by_query() -> None:
    table = made(SHOP)
    assert table.counts.tolist() == [3, 2]
    assert table.values.shape == (5, len(table.names))
    assert column(table, "ease: z") == [1, -1, 1, 2, -2]
    assert column(table, "als: z") == nearly(NAN, 0.5, -0.5, NAN, NAN)


def test_log_ranks_count_the_candidates_above_and_ties_share_a_place() -> None:
    ranks = log_ranks(RECORD.z[:, 0], RECORD.items)
    assert np.expm1(ranks[0]) == pytest.approx([0, 2, 0], abs=1e-6)
    assert np.expm1(ranks[1, :2]) == pytest.approx([0, 1], abs=1e-6)
    assert np.isnan(ranks[1, 2])


def test_rhythm_with_the_item_by_hand() -> None:
    table = made(SHOP)
    assert column(table, "rhythm: times") == [2, 1, 0, 1, 1]
    assert column(table, "rhythm: since") == nearly(10, 10, NAN, 3, 3)
    assert column(table, "rhythm: gap") == nearly(30, NAN, NAN, NAN, NAN)
    assert column(table, "rhythm: due") == nearly(10 / 30, NAN, NAN, NAN, NAN)
    assert column(table, "rhythm: share_of_baskets") == nearly(1, 0.5, 0, 1, 1)
    assert column(table, "rhythm: baskets_since") == nearly(0, 0, NAN, 0, 0)
    # milk is the one thing that someone came back to: 1 of 1 former buyers, shrunk by ten at 1 of 1; nobody else could
    assert column(table, "rhythm: return_rate") == nearly(1, 1, 1, 1, 1)
    assert column(table, "rhythm: gap_of_others") == nearly(30, NAN, NAN, NAN, NAN)


def test_category_and_customer_features_by_hand() -> None:
    table = made(SHOP)
    # customer 1 bought tea and cake, one category, in one basket: once as baskets, two lines, two kinds
    assert column(table, "category: times") == [2, 1, 1, 1, 1]
    assert column(table, "category: lines") == [2, 1, 1, 2, 2]
    assert column(table, "category: kinds") == [1, 1, 1, 2, 2]
    assert column(table, "category: share_of_item") == nearly(1, 1, 0, 0.5, 0.5)
    assert column(table, "category: item_share") == nearly(1, 2 / 3, 1 / 3, 2 / 3, 1 / 3)
    assert column(table, "customer: baskets") == [2, 2, 2, 1, 1]
    assert column(table, "customer: repeat_rate") == nearly(1 / 3, 1 / 3, 1 / 3, 0, 0)
    assert column(table, "popularity: buyers") == nearly(*np.log1p([1, 2, 1, 2, 1]))
    assert column(table, "price: level") == nearly(0, 0, 0, 0, 0)


def test_promotion_features_of_past_and_plan() -> None:
    plan = [(TEA, THIS_WEEK, 0.0, 1.0), (CAKE, THIS_WEEK + 7, 0.0, 0.5)]
    table = made(replace(SHOP, promotions=promotions(*PAST, *plan)))
    assert column(table, "promotion: mailer_past") == nearly(0, 0.125, 0, 0.125, 0)
    assert column(table, "promotion: mailer_plan") == nearly(0, 0.5, 0.25, 0.5, 0.25)
    assert column(table, "promotion: mailer_plan_1") == nearly(0, 1, 0, 1, 0)
    assert column(table, "promotion: mailer_more") == nearly(0, 0.375, 0.25, 0.375, 0.25)
    # customer 0 bought tea ten days ago, in the week that began sixteen days ago, when half the stores displayed it
    assert column(table, "promotion: display_when_bought") == nearly(0, 0.5, NAN, 0, 0)
    assert column(table, "promotion: display_of_customer") == nearly(0.5 / 3, 0.5 / 3, 0.5 / 3, 0, 0)


def test_without_a_plan_its_features_are_unknown_and_those_of_the_past_are_not() -> None:
    table = made(replace(SHOP, promotions=promotions(*PAST)))
    of_plan = [name for name in table.names if "plan" in name or "more" in name or name.endswith("lift")]
    assert len(of_plan) == 13
    assert all(np.isnan(column(table, name)).all() for name in of_plan)
    assert column(table, "promotion: mailer_past") == nearly(0, 0.125, 0, 0.125, 0)


def test_a_shop_without_promotions_has_no_promotion_features() -> None:
    assert "promotion" not in made(SHOP).groups


def test_a_history_that_is_folded_in_has_the_same_features() -> None:
    facts = item_facts(SHOP)
    inside, unknown = (features(RECORD, queries, facts) for queries in (everybody(SHOP), folded_in(everybody(SHOP))))
    np.testing.assert_array_equal(inside.values, unknown.values)


def test_features_of_some_queries_are_those_of_their_records() -> None:
    table = made(SHOP)
    alone = features(RECORD.of(np.array([1])), SHOP.queries(np.array([1])), item_facts(SHOP))
    np.testing.assert_array_equal(table.of(np.array([1])).values, alone.values)


def test_features_of_no_queries_are_empty() -> None:
    empty = replace(RECORD, items=np.full((2, 3), -1, np.int32))
    assert made(SHOP, empty).values.shape == (0, len(made(SHOP).names))


def test_features_by_basket_by_hand() -> None:
    table = made(SHOP)
    assert column(table, "rhythm: baskets_faded_slowly") == nearly(1 + 0.9, 1, 0, 1, 1)
    assert column(table, "rhythm: baskets_faded_fast") == nearly(1 + 0.5, 1, 0, 1, 1)
    # milk and tea are in the newest basket of the one, tea and cake in that of the other
    assert column(table, "popularity: last_baskets") == nearly(*np.log1p([1, 2, 1, 2, 1]))
    assert column(table, "popularity: last_to_buyers") == nearly(1, 1, 1, 1, 1)
    # one of four pairs of customer and item came twice: milk, of one buyer
    usual = 10 / 4
    assert column(table, "popularity: taken_again") == nearly(
        *[(1 + usual) / 11, usual / 12, usual / 11], usual / 12, usual / 11
    )


def test_columns_are_taken_by_name_and_in_the_order_asked_for() -> None:
    table = made(SHOP)
    names = ["rhythm: times", "popularity: buyers"]
    part = table.columns(names)
    assert (part.names, part.groups) == (tuple(names), ("rhythm", "popularity"))
    for name in names:
        assert column(part, name) == nearly(*column(table, name))
    with pytest.raises(KeyError, match="unheard of"):
        table.columns(["rhythm: times", "unheard of"])
