from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.files.acts import baskets, clock_of
from bench.files.tables import InputError, read_acts, read_pairs
from bench.tests.files import HEADER, acts, written


@pytest.mark.parametrize(
    ("text", "place", "problem", "remedy"),
    [
        ("user_id,item_id,timestamp\na,x,1\nb,,2\n", "row 2 (line 3), field item_id", "empty", "Give every row"),
        ("user_id,item_id,timestamp\na,x,1\nb,y,zz\n", "row 2 (line 3), field timestamp", "'zz'", "Give a number"),
        ("user_id,item_id,timestamp\na,x,\n", "row 1 (line 2), field timestamp", "empty", "Give a number"),
        ("user_id,item_id,timestamp\na,x,nan\n", "row 1 (line 2), field timestamp", "no time", "Give a number"),
        ("user_id,item_id,timestamp\na,x,1\nb,y\n", "row 2 (line 3)", "Expected 3 columns", "Save it as CSV"),
        ("user_id,item_id,time\na,x,1\n", "field timestamp", "is missing", "it names: user_id, item_id, time"),
        ("user_id,item_id,timestamp,event\na,x,1,buy\n", "row 1 (line 2), field event", "'buy'", "view_item"),
        ("user_id,item_id,timestamp,quantity\na,x,1,2\na,x,1,q\n", "row 2 (line 3), field quantity", "'q'", "12.5"),
        ("user_id,item_id,timestamp\n", "acts.csv", "no rows", "at least one row"),
        ("", "field user_id", "is missing", "must name user_id, item_id, timestamp"),
    ],
)
def test_an_unreadable_value_is_named(tmp_path: Path, text: str, place: str, problem: str, remedy: str) -> None:
    """File, row, field, and what to do."""
    path = tmp_path / "acts.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_acts(path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert place in message
    assert problem in message
    assert remedy in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_pairs(tmp_path / "truth.csv")


def test_parquet_and_csv_are_read_alike(tmp_path: Path) -> None:
    """Ids that pandas holds as numbers, with a gap even as fractions, are the same ids as text."""
    frame = pd.DataFrame(
        {"user_id": [7, 8, 7], "item_id": [1.0, 2.0, 2.0], "timestamp": [5, 6, 7], "price": [1.5, None, 2]}
    )
    frame.to_parquet(tmp_path / "acts.parquet")
    frame.astype({"item_id": int}).to_csv(tmp_path / "acts.csv", index=False)
    one, other = read_acts(tmp_path / "acts.parquet"), read_acts(tmp_path / "acts.csv")
    for table in (one, other):
        assert table.user.values.to_pylist() == ["7", "8"]
        assert table.item.values.to_pylist() == ["1", "2"]
        assert table.item.code.tolist() == [0, 1, 1]
        assert table.time.tolist() == [5, 6, 7]
        assert table.price is not None
        np.testing.assert_array_equal(table.price, [1.5, np.nan, 2])


def test_tabs_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "acts.tsv"
    path.write_bytes(b"\xef\xbb\xbfuser_id\titem_id\ttimestamp\r\nana\tx,y\t2024-01-02\r\n")
    table = read_acts(path)
    assert table.item.values.to_pylist() == ["x,y"]
    assert table.dated
    assert table.time.tolist() == [19724.0]


@pytest.mark.parametrize(
    ("times", "name", "span"),
    [
        (["1600000000", "1600086400"], "seconds", 1.0),
        (["1600000000000", "1600086400000"], "milliseconds", 1.0),
        (["2024-01-01T00:00:00Z", "2024-01-02T12:00:00Z"], "dates", 1.5),
        (["3", "5"], "order", 365.0),
    ],
)
def test_the_clock_of_a_timestamp_column(tmp_path: Path, times: list[str], name: str, span: float) -> None:
    """An order is stretched to a year."""
    table = read_acts(written(tmp_path, "acts.csv", [("a", "x", time) for time in times]))
    clock = clock_of(table)
    assert clock.name == name
    days = clock.days(table.time)
    assert days[1] - days[0] == pytest.approx(span)


def test_purchases_are_the_truth_unless_they_are_rare(tmp_path: Path) -> None:
    rows = [("a", "x", at, "view_item") for at in range(30)]
    few, _ = acts(tmp_path, [*rows, ("a", "y", 40, "purchase")], header=f"{HEADER},event")
    assert few.bought.all()
    many, _ = acts(tmp_path, [*rows, *(("a", "y", 40 + at, "purchase") for at in range(5))], header=f"{HEADER},event")
    assert many.bought.sum() == 5
    assert set(many.strength[~many.bought].tolist()) == {np.float32(0.2)}


def test_baskets_are_sessions_or_visits_without_a_long_pause() -> None:
    """Rows newest first; the third is an hour before the second, the last is another user's."""
    user, day = np.array([0, 0, 0, 1], np.int32), 1 / 24
    at, bought = np.array([2 * day, 1.9 * day, 0.5 * day, 0.5 * day]), np.ones(4, np.bool_)
    visits = baskets(user, at, bought, session=None, gap=0.5 * day)
    assert visits[0] == visits[1]
    assert len(set(visits.tolist())) == 3
    given = baskets(user, at, bought, session=np.array([5, 6, 6, 6], np.int32), gap=0.5 * day)
    assert given[1] == given[2]
    assert len(set(given.tolist())) == 3


def test_acts_are_newest_first_and_of_one_time_the_later_row_is_newer(tmp_path: Path) -> None:
    coded, _ = acts(tmp_path, [("a", "x", 1), ("a", "y", 2), ("a", "z", 2), ("b", "x", 9)])
    assert coded.item.tolist() == [2, 1, 0, 0]
