"""Complete Journey into the record: every row accounted for, titles that can be read, twice is once."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo import held_back
from demo.complete_journey import brands, load, promotions, wheel
from demo.complete_journey.load import ClockIsSetError
from demo.complete_journey.wheel import Journey
from demo.models import Replay
from recommendations.models import Category, Customer, Event, Import, Item, ItemPrice, Promotion, ShopSetting
from recommendations.store.temp_tables import silent

NOW = datetime(2026, 9, 2, 12, tzinfo=UTC)  # a Wednesday
HOUSEHOLDS = 20
COUPON = 1  # no product of the shop


@pytest.fixture(scope="module")
def whole() -> Journey:
    return wheel.read_journey()


@pytest.fixture(scope="module")
def small() -> Journey:
    return wheel.read_journey(households=HOUSEHOLDS)


def loaded(journey: Journey, *, weeks: int | None = None, now: datetime = NOW) -> tuple[Import, Import]:
    shift = load.set_clock(weeks, now=now)
    items = load.load_catalogue(journey, weeks=shift, now=now, report=silent)
    return items, load.load_purchases(journey, weeks=shift, report=silent)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promotions of four stores in two weeks, not in order. Store 4 lists product 1029743 twice in week 2."""
    rows = [
        (1029743, 4, "A", "0", 2), (1029743, 4, "0", "D", 2), (1029743, 1, "9", "0", 2), (1029743, 1, "0", "A", 1),
        (COUPON, 2, "0", "A", 1), (COUPON, 3, "1", "0", 1), (1029743, 3, "0", "A", 1),
    ]  # fmt: skip
    names = ["product_id", "store_id", "display_location", "mailer_location", "week"]
    path = tmp_path / "promotions.parquet"
    pq.write_table(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), path)
    monkeypatch.setattr(promotions, "file_of", lambda _name: path)


def test_costs_and_stocks_are_invented_for_most_items_and_make_none_unsellable(whole: Journey, small: Journey) -> None:
    products = whole.products
    priced = products["price"].notna()
    assert 0.89 < products.loc[priced, "cost"].notna().mean() < 0.91
    assert 0.89 < products["stock"].notna().mean() < 0.91
    assert products["stock"].min() == 1
    share = 1 - products["cost"] / products["price"]
    by_department = share[products["price"] > 1].groupby(products["department"]).median()
    assert by_department["PASTRY"] > by_department["PRODUCE"] > by_department["MEAT"] > 0.2
    assert (products.loc[products["cost"].notna(), "cost"] <= products.loc[products["cost"].notna(), "price"]).all()
    same = products.set_index("product_id").loc[small.products["product_id"], ["cost", "stock"]]
    assert same.reset_index(drop=True).equals(small.products[["cost", "stock"]].reset_index(drop=True))


def test_every_row_of_the_source_is_accounted_for(whole: Journey) -> None:
    reasons = Counter(fault.partition(":")[2] for fault in whole.refused["fault"])
    assert reasons == {"not_merchandise": 18_302, "unknown_product": 4_836, "quantity_not_positive": 3_985}
    assert len(whole.purchases) == 1_442_184
    assert sorted([*whole.purchases["line"], *whole.refused["line"]]) == list(range(1, 1_469_308))
    assert len(whole.products) == 91_689


def test_titles_can_be_read_and_told_apart(whole: Journey) -> None:
    titles = whole.products["title"]
    words = titles.str.lower().str.extractall(r"\b(nan|none|null|<na>)\b")
    assert words.empty
    assert titles.is_unique
    assert titles.str.len().between(5, 120).all()
    assert titles.str[0].str.contains(r"[A-Z0-9]").all()
    # no number but that of a size, and none of a maker
    plain = [title.removesuffix(f", {size}") for title, size in zip(titles, whole.products["size"], strict=True)]
    assert not pd.Series(plain).str.contains(r"#|\bmaker\b|\d", case=False).any()
    milk = whole.products.set_index("product_id").loc[1029743]
    assert (milk["title"], milk["brand_name"]) == ("Daybasket Farm-Fresh White Milk, 1 gal", "Daybasket")


def test_makers_have_a_name_each(whole: Journey) -> None:
    bought_in = whole.products[whole.products["brand"] != "Private"]
    names = bought_in.groupby("manufacturer_id")["brand_name"].unique()
    assert (names.str.len() == 1).all()
    assert names.str[0].is_unique
    assert brands.OWN not in set(names.str[0])


def test_who_looks_for_ground_beef_finds_beef_that_is_ground(whole: Journey) -> None:
    ground = whole.products[whole.products["title"].str.contains("Ground Beef")]
    assert set(ground["product_category"]) == {"BEEF"}
    types = set(ground["product_type"])
    assert {"LEAN", "PRIMAL", "GRND/PATTY - BEEF"} <= types
    assert types & {"CHOICE BEEF", "RIBS", "SOUP/STEW"} == set()


def test_a_slice_has_the_prices_and_titles_of_the_whole(whole: Journey, small: Journey) -> None:
    columns = ["product_id", "title", "price", "first_sale"]
    among = whole.products[whole.products["product_id"].isin(small.products["product_id"])]
    pd.testing.assert_frame_equal(small.products[columns], among[columns])
    assert small.purchases["household_id"].nunique() <= HOUSEHOLDS < whole.purchases["household_id"].nunique()


@pytest.mark.parametrize("days", range(14))
def test_the_last_full_day_falls_in_the_past_seven(days: int) -> None:
    today = date(2026, 9, 1) + timedelta(days=days)
    last = wheel.LAST_FULL_DAY + timedelta(weeks=wheel.weeks_to_move(today))
    assert 1 <= (today - last).days <= 7
    assert last.weekday() == wheel.LAST_FULL_DAY.weekday()


def test_ids_of_purchases_are_the_same_in_bulk() -> None:
    ids = [UUID(text) for text in wheel.purchase_ids([31198570044, 7], [1095275, 8])]
    assert ids == [wheel.purchase_id(31198570044, 1095275), wheel.purchase_id(7, 8)]
    assert ids[0].version == 5


@pytest.mark.django_db
def test_purchases_are_lines_of_their_baskets(small: Journey) -> None:
    items, purchases = loaded(small)
    assert (items.rows, items.kept, items.rejected) == (len(small.products), len(small.products), 0)
    assert purchases.rows == purchases.kept + purchases.rejected == len(small.purchases) + len(small.refused)
    assert purchases.kept == Event.objects.count() == len(small.purchases)
    assert sum(purchases.reasons.values()) == purchases.rejected_rows.count() == len(small.refused)
    assert Customer.objects.count() == small.purchases["household_id"].nunique()
    row = small.purchases[small.purchases["retail_disc"] > 0].iloc[0]
    event = Event.objects.select_related("item").get(event_id=wheel.purchase_id(row["basket_id"], row["product_id"]))
    assert (event.name, event.source, event.line) == ("purchase", "demo", 0)
    assert (event.transaction_id, event.item.shop_id) == (str(row["basket_id"]), str(row["product_id"]))
    assert event.quantity == int(row["quantity"])
    assert event.amount == Decimal(str(row["sales_value"])).quantize(Decimal("0.01"))
    assert event.occurred_at == row["transaction_timestamp"].tz_localize("UTC") + timedelta(weeks=452)
    assert event.attributes == {"store": row["store_id"], "retail_discount": row["retail_disc"]}


@pytest.mark.django_db
def test_the_last_days_are_held_back_and_accounted_for(small: Journey) -> None:
    shift = load.set_clock(452, now=NOW)
    load.load_catalogue(small, weeks=shift, now=NOW, report=silent)
    held_back.plan(small.purchases, days=14, weeks=shift, households=HOUSEHOLDS)
    since = held_back.held_from()
    for duplicates in (False, True):  # loaded again the same is held back
        imported = load.load_purchases(small, weeks=shift, hold_from=since, report=silent)
        lines = imported.duplicates if duplicates else imported.kept
        assert imported.rows == lines + imported.rejected + imported.held == len(small.purchases) + len(small.refused)
        assert lines == Event.objects.count()
    assert imported.held > 0
    replay = Replay.objects.get()
    assert Event.objects.filter(occurred_at__gte=replay.starts_at).count() == 0
    baskets = held_back.baskets(replay)
    assert sum(len(basket.lines) for basket in baskets) == imported.held
    assert replay.baskets == len(baskets)
    assert [basket.at for basket in baskets] == sorted(basket.at for basket in baskets)
    held = small.purchases[small.purchases["transaction_timestamp"] >= since]
    assert sum(line.amount for basket in baskets for line in basket.lines) == pytest.approx(
        Decimal(str(held["sales_value"].sum())), abs=Decimal("0.01")
    )
    assert all(
        (line.price * line.quantity).quantize(Decimal("0.01")) == line.amount for b in baskets for line in b.lines
    )


@pytest.mark.django_db
def test_items_stand_in_the_tree_with_price_and_first_sale(small: Journey) -> None:
    loaded(small)
    product = small.products[small.products["product_id"] == 1029743].iloc[0]
    item = Item.objects.get(shop_id="1029743")
    assert (item.title, item.brand, item.attributes) == (
        "Daybasket Farm-Fresh White Milk, 1 gal",
        "Daybasket",
        {"size": "1 gal", "manufacturer": "69"},
    )
    assert item.price == Decimal(str(product["price"])).quantize(Decimal("0.01"))
    assert item.listed_at == product["first_sale"].tz_localize("UTC") + timedelta(weeks=452)
    assert list(ItemPrice.objects.filter(item=item).values_list("valid_from", "price")) == [
        (item.listed_at, item.price)
    ]
    (leaf,) = item.categories.all()
    assert leaf.path == "GROCERY > FLUID MILK PRODUCTS > FLUID MILK WHITE ONLY"
    assert [leaf.name, leaf.parent.name, leaf.parent.parent.name] == ["White milk", "Fluid milk products", "Grocery"]
    assert not Category.objects.filter(name="").exists()


@pytest.mark.django_db
def test_loading_again_changes_nothing_not_even_edits_of_the_shop(small: Journey) -> None:
    loaded(small)
    Item.objects.filter(shop_id="1029743").update(title="Our milk", price=5)
    before = [list(model.objects.order_by("pk").values()) for model in (Item, ItemPrice, Event, Customer)]
    items, purchases = loaded(small, now=NOW + timedelta(days=30))
    assert (items.kept, purchases.kept) == (0, 0)
    assert purchases.duplicates == len(small.purchases)
    after = [list(model.objects.order_by("pk").values()) for model in (Item, ItemPrice, Event, Customer)]
    assert after[2:] == before[2:]
    assert after[0] == before[0]


@pytest.mark.usefixtures("source")
def test_shares_count_a_store_once_whatever_the_order_of_the_rows() -> None:
    shares = promotions.read_shares(np.array([COUPON, 1029743, 7]))
    assert shares.rows == 7
    assert shares.frame.to_dict("list") == {
        "week": [pd.Timestamp("2016-12-26"), pd.Timestamp("2016-12-26"), pd.Timestamp("2017-01-02")],
        "item": [0, 1, 1],
        "display": [0.25, 0, 0.5],
        "mailer": [0.25, 0.5, 0.25],
        "line": [5, 4, 1],
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("source")
def test_promotions_move_with_the_clock_and_items_not_for_sale_are_refused(small: Journey) -> None:
    sold = replace(small, excluded=pd.Series([COUPON]))
    loaded(small)
    imported = load.load_promotions(sold, weeks=452, report=silent)
    assert (imported.rows, imported.kept, imported.duplicates) == (3, 2, 0)
    assert imported.reasons == {"not_merchandise": 1}
    assert list(imported.rejected_rows.values_list("line", "field", "content")) == [
        (5, "product_id", f"product_id={COUPON}, week=2016-12-26")
    ]
    planned = Promotion.objects.order_by("week").values_list("item__shop_id", "week", "display", "mailer")
    assert list(planned) == [
        ("1029743", date(2025, 8, 25), 0, 0.5),
        ("1029743", date(2025, 9, 1), 0.5, 0.25),
    ]
    Promotion.objects.filter(display=0.5).update(display=0.75)  # by staff
    again = load.load_promotions(sold, weeks=452, report=silent)
    assert (again.kept, again.duplicates, again.rejected) == (0, 2, 1)
    assert Promotion.objects.filter(display=0.75).count() == 1


def test_every_promotion_of_the_source_is_read(whole: Journey) -> None:
    products = np.concatenate([whole.products["product_id"], whole.excluded])
    shares = promotions.read_shares(products)
    assert (shares.rows, len(shares.frame)) == (20_940_529, 1_184_798)
    assert (shares.frame["item"] < len(whole.products)).sum() == 1_183_119
    assert shares.frame[["display", "mailer"]].max(axis=1).between(1 / 112, 1).all()
    assert {week.weekday() for week in shares.frame["week"].unique()} == {0}


@pytest.mark.django_db
def test_the_clock_is_set_once() -> None:
    assert load.set_clock(None, now=NOW) == 452
    assert ShopSetting.objects.get(key="demo_clock").value == {"shift_weeks": 452, "last_full_day": "2026-08-31"}
    assert load.set_clock(None, now=NOW + timedelta(days=30)) == 452
    assert load.set_clock(452, now=NOW) == 452
    with pytest.raises(ClockIsSetError) as caught:
        load.set_clock(0, now=NOW)
    assert caught.value.weeks == 452
