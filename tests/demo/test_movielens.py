"""MovieLens as a shop: titles as they are said, genres as categories, years as days, times moved by whole weeks."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo import movielens

ITEMS = """item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq
1\tUsual Suspects, The\t1995\tCrime Thriller
2\tMe, Myself\t\tunknown
"""
RATINGS = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t3\t881250949\n8\t1\t5\t881164549\n"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ml-100k.item").write_text(ITEMS, encoding="utf-8")
    (tmp_path / "ml-100k.inter").write_text(RATINGS, encoding="utf-8")
    monkeypatch.setattr(movielens, "DATA", tmp_path)


def test_films_have_titles_genres_and_years() -> None:
    first, second = movielens.films()
    assert first == {
        "item_id": "1", "title": "The Usual Suspects", "categories": "Crime|Thriller", "item_kind": "film",
        "published_at": "1995-01-01T00:00:00Z",
    }  # fmt: skip
    assert (second["title"], second["categories"], second["published_at"]) == ("Me, Myself", "", "")


def test_ratings_are_moved_by_whole_weeks_into_the_past_seven_days() -> None:
    now = datetime(2026, 9, 15, 6, tzinfo=UTC)
    newest, earlier = (datetime.fromisoformat(row["timestamp"]) for row in movielens.ratings(now=now))
    assert 0 <= (now - newest).days < 7
    assert (newest - earlier).total_seconds() == 86_400
    assert (newest - datetime.fromtimestamp(881250949, UTC)).total_seconds() % (7 * 86_400) == 0
    first = next(movielens.ratings(now=now))
    assert (first["name"], first["user_id"], first["rating"], first["rating_scale"]) == ("rate_item", "7", "3", "5")
