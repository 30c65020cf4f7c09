"""Published sets: what their files say becomes a shop, and a file that is not theirs is refused with the remedy."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from demo.sets import citeulike, lastfm
from demo.sets.files import PublishedFile, WrongFileError, rows_of, verify
from recommendations.models import Event, Item
from recommendations.services.catalogue import item_schema

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
MUSIC = {
    "artists.dat": "id\tname\turl\tpictureURL\n1\tMiles\thttp://x.example/1\t\n2\tBjörk\t\t\n",
    "user_artists.dat": "userID\tartistID\tweight\n7\t1\t13883\n7\t2\t3\n8\t1\t2\n",
    "user_friends.dat": "userID\tfriendID\n7\t8\n8\t7\n",
    "tags.dat": "tagID\ttagValue\n1\tjazz\n2\tcool | calm\n",
    "user_taggedartists.dat": "userID\tartistID\ttagID\tday\tmonth\tyear\n"
    "7\t1\t2\t1\t4\t2009\n7\t1\t1\t1\t4\t2009\n8\t1\t1\t1\t4\t2009\n",
}
PAPERS = {
    "users.dat": "2 0 1\n1 1",
    "raw-data.csv": '"doc.id","title","citeulike.id","raw.title","raw.abstract"\n'
    '"1","a","42","A Title","First, the\n  abstract."\n"2","b","43","Another",""\n',
    "tags.dat": "ucsc-browser\nrr_interval\n",
    "item-tag.dat": "2 1 0\n0\n",
}


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).write_text(text, "utf-8")
    return path


def test_artists_have_the_tags_that_most_people_gave(tmp_path: Path) -> None:
    miles, bjork = lastfm.items(folder(tmp_path, MUSIC))
    assert (miles["title"], miles["tags"], miles["categories"]) == ("Miles", "jazz|cool   calm", "jazz")
    assert (bjork["title"], bjork["tags"]) == ("Björk", "")


def test_plays_are_counted_and_friends_follow_one_another(tmp_path: Path) -> None:
    events = list(lastfm.events(folder(tmp_path, MUSIC), now=NOW))
    assert Counter(row["name"] for row in events) == {"follow": 2, "play": 3}
    assert {(row["user_id"], row["item_id"], row["quantity"]) for row in events if row["name"] == "play"} == {
        ("7", "1", "13883"), ("7", "2", "3"), ("8", "1", "2"),
    }  # fmt: skip
    assert max(row["timestamp"] for row in events) < NOW.isoformat()
    assert events == list(lastfm.events(tmp_path, now=NOW))  # the same each time


def test_some_copies_announce_their_rows_in_place_of_a_header(tmp_path: Path) -> None:
    folder(tmp_path, MUSIC | {"user_friends.dat": "2101\n25434\n7\t8\n"})
    assert [row for _, row in rows_of(tmp_path, lastfm.FRIENDS)] == [["7", "8"]]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("user_artists.dat", "userID\tartistID\tweight\n7\t1\n", "user_artists.dat, line 2: it has 2 columns, not 3"),
        ("user_artists.dat", "userID\tartistID\tweight\n7\t1\tmany\n", "line 2: 'many' is no whole number: fetch"),
        ("user_friends.dat", "userID\tfriendID\n7\tx\n", "user_friends.dat, line 2: 'x' is no whole number"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, name: str, text: str, told: str) -> None:
    folder(tmp_path, MUSIC | {name: text})
    with pytest.raises(WrongFileError) as refusal:
        list(lastfm.events(tmp_path, now=NOW))
    assert told in str(refusal.value)


def test_an_empty_line_is_an_empty_library(tmp_path: Path) -> None:
    folder(tmp_path, PAPERS | {"users.dat": "1 0\n\n1 1\n"})
    rows = list(citeulike.events(tmp_path, now=NOW))
    assert [(row["user_id"], row["item_id"]) for row in rows] == [("1", "1"), ("3", "2")]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("users.dat", "3 0 1\n", "users.dat, line 1: it announces 3 articles and has 2"),
        ("raw-data.csv", "id,title\n1,a\n", "raw-data.csv, line 1: the columns doc.id, raw.title, raw.abstract are"),
        ("item-tag.dat", "1 9\n", "item-tag.dat, line 1: tags.dat has no tag 9"),
    ],
)
def test_articles_that_cannot_be_are_named(tmp_path: Path, name: str, text: str, told: str) -> None:
    folder(tmp_path, PAPERS | {name: text})
    with pytest.raises(WrongFileError) as refusal:
        [*citeulike.items(tmp_path), *citeulike.events(tmp_path, now=NOW)]
    assert told in str(refusal.value)


def test_an_article_has_as_many_tags_as_an_item_may_have(tmp_path: Path) -> None:
    numbers = range(item_schema.MOST_TAGS + 1)
    tags = {
        "tags.dat": "".join(f"t{number}\n" for number in numbers),
        "item-tag.dat": " ".join(map(str, [0, *numbers])),
    }
    first = citeulike.article_tags(folder(tmp_path, tags))[1]
    assert first == [f"t{number}" for number in numbers[:-1]]


def test_a_file_is_proved_by_its_hash_or_told_by_its_rows(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello\n")
    sha = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    file = PublishedFile(name="a", rows=1, sha256=sha)
    assert verify(tmp_path, file)
    blob = PublishedFile(name="a", rows=1, blob="ce013625030ba8dba906f756967f9e9ca394464a")
    assert verify(tmp_path, blob)
    assert not verify(tmp_path, PublishedFile(name="a", rows=1))
    others = replace(file, sha256="0" * 64), replace(blob, blob="0" * 40), PublishedFile(name="a", rows=2)
    for wrong in others:
        with pytest.raises(
            WrongFileError, match=r"a (is not the file|has 1 rows).*fetch the file again, or go on with"
        ):
            verify(tmp_path, wrong)


@pytest.mark.django_db
def test_the_command_fills_an_empty_shop_of_its_domain(tmp_path: Path, settings: Settings) -> None:
    folder(tmp_path, PAPERS)
    with pytest.raises(CommandError, match="SHOP_DOMAIN=articles"):
        call_command("load_citeulike", str(tmp_path))
    settings.SHOP_DOMAIN = "articles"
    with pytest.raises(CommandError, match=r"users\.dat is not the file that was published"):
        call_command("load_citeulike", str(tmp_path))
    with pytest.raises(CommandError, match=r"lacks users\.dat, raw-data\.csv: put the files of citeulike-a"):
        call_command("load_citeulike", str(tmp_path / "elsewhere"))
    call_command("load_citeulike", str(tmp_path), unverified=True)
    first = Item.objects.get(shop_id="1")
    assert (first.title, first.description, first.tags) == (
        "A Title", "First, the abstract.", ["rr_interval", "ucsc-browser"],
    )  # fmt: skip
    assert Event.objects.filter(name="complete").count() == 3
    with pytest.raises(CommandError, match="has items already"):
        call_command("load_citeulike", str(tmp_path), unverified=True)
