"""The feed that is looked at by itself: when, what is imported of it, and when it stops."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from recommendations.models import AuditEntry, Import, Item, Staff
from recommendations.services.catalogue import feed_schedule
from recommendations.services.catalogue.feed_schedule import FeedState
from tests.feed_server import FeedServer, serving

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def feed(*numbers: int) -> bytes:
    return ("id\ttitle\n" + "".join(f"A{number}\tItem {number}\n" for number in numbers)).encode()


def state() -> FeedState:
    held = feed_schedule.state()
    assert held
    return held


def look(hours: float) -> list[int]:
    """Keys of what a look imports so many hours later."""
    return [imported.pk for imported in feed_schedule.look(now=NOW + hours * HOUR)]


def on_sale() -> set[str]:
    return set(Item.objects.filter(retired_at=None).values_list("shop_id", flat=True))


@pytest.fixture
def server(settings: LazySettings) -> Iterator[FeedServer]:
    with serving(FeedServer(content=feed(*range(10)), etag='"1"')) as up:
        settings.ITEM_FEED, settings.ITEM_FEED_HOURS = f"{up.address}/feed.tsv?key=secret", 6
        yield up


@pytest.fixture
def staff() -> Staff:
    return Staff.objects.create_user("ann@example.com")


def test_without_a_feed_nothing_is_looked_at() -> None:
    assert (feed_schedule.state(), feed_schedule.look(now=NOW)) == (None, [])


def test_a_feed_is_imported_only_when_it_is_due_and_changed(server: FeedServer) -> None:
    [first] = look(0)
    assert (Import.objects.get().file, Import.objects.get().kept) == (f"{server.address}/feed.tsv?…", 10)
    assert (look(5.9), len(server.asked)) == ([], 1)
    assert (look(6), len(server.asked)) == ([], 2)  # the server said that it is the same
    assert Import.objects.count() == 1
    assert datetime.fromisoformat(state().looked_at) == NOW + 6 * HOUR
    assert datetime.fromisoformat(state().imported_at) == NOW
    server.content, server.etag = feed(*range(11)), '"2"'
    [second] = look(12)
    assert state().imports == [first, second]
    assert "secret" not in str(state())


def test_another_address_is_asked_afresh(server: FeedServer, settings: LazySettings) -> None:
    [first] = look(0)
    settings.ITEM_FEED = f"{server.address}/other.tsv"
    assert state() == FeedState(address=settings.ITEM_FEED, imports=[first])
    [second] = look(0)
    Import.objects.create(kind=Import.Kind.ITEMS, file="by hand.csv")
    settings.ITEM_FEED = ""
    imports = feed_schedule.with_origin(Import.objects.order_by("pk"))
    assert list(imports.values_list("pk", "from_feed"))[:2] == [(first, True), (second, True)]
    assert imports.get(file="by hand.csv").from_feed is False  # type: ignore[attr-defined]
    assert "If-None-Match" not in server.asked[1]


def test_a_failure_is_kept_with_its_remedy_and_tried_again(server: FeedServer) -> None:
    server.status = 500
    assert look(0) == []
    assert state().failure == f"{server.address}/feed.tsv?… answered 500. Look at the shop's server, and try again."
    assert (look(0.9), len(server.asked)) == ([], 1)
    server.status, server.content = 200, b"<html>Sign in</html>"
    assert look(1) == []
    assert "This XML has no <item> or <entry>" in state().failure
    server.content = feed(1)
    assert len(look(2)) == 1
    assert (state().failure, state().stopped) == ("", False)


def test_staff_have_it_looked_at_before_it_is_due(server: FeedServer, staff: Staff) -> None:
    [first] = look(0)
    server.content, server.etag = feed(1, 20), '"2"'
    assert look(1) == []
    assert feed_schedule.look_soon(by=staff)
    assert (state().imports, state().etag) == ([first], '"1"')
    [second] = look(1)
    assert state().imports == [first, second]
    assert look(2) == []
    entry = AuditEntry.objects.get(verb="look at")
    assert (entry.staff, entry.label) == (staff, f"{server.address}/feed.tsv?…")


def test_without_a_feed_there_is_none_to_look_at(staff: Staff) -> None:
    assert not feed_schedule.look_soon(by=staff)
    assert not AuditEntry.objects.exists()


def test_what_was_not_imported_is_asked_for_again(server: FeedServer) -> None:
    """The server's word for a feed is kept only once the feed is in the catalogue."""
    server.content = b"artikel\n1\n"
    look(0)
    look(1)
    assert ["If-None-Match" in asked for asked in server.asked] == [False, False]


def test_a_full_feed_retires_a_little_and_stops_at_much(server: FeedServer, settings: LazySettings) -> None:
    settings.ITEM_FEED_FULL = True
    look(0)
    server.content, server.etag = feed(*range(8)), '"2"'  # two of ten
    look(6)
    assert on_sale() == {f"A{number}" for number in range(8)}
    server.content, server.etag = feed(*range(6)), '"3"'  # two of eight
    assert look(12) == []
    assert on_sale() == {f"A{number}" for number in range(8)}
    assert state().stopped
    assert "lacks 2 of 8 items, 25%: more than 20%, so nothing was imported" in state().failure
    last = Import.objects.order_by("-pk")[0]
    assert (last.status, last.message) == (Import.Status.STOPPED, state().failure)


def arrived(path: Path) -> timedelta:
    """How long after ``NOW`` a file came."""
    return datetime.fromtimestamp(path.stat().st_ctime, UTC) - NOW


def test_new_files_of_a_folder_are_imported_in_their_order(tmp_path: Path, settings: LazySettings) -> None:
    settings.ITEM_FEED, settings.ITEM_FEED_HOURS = str(tmp_path), 1
    (tmp_path / "b.tsv").write_bytes(feed(1))
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "c.tsv.part").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    came = arrived(tmp_path / "b.tsv") / HOUR
    assert look(came + 1 / 120) == []  # it may still be written to
    assert len(look(came + 1)) == 1
    assert look(came + 3) == []
    (tmp_path / "a.tsv").write_bytes(feed(2))
    os.utime(tmp_path / "a.tsv", (0, 0))  # when it was made says nothing of when it came
    (tmp_path / "later.tsv").write_bytes(b"id\ttitle\nA2\tNew title\n")
    assert len(look(came + 5)) == 2
    assert [imported.file for imported in Import.objects.order_by("pk")] == ["b.tsv", "a.tsv", "later.tsv"]
    assert Item.objects.get(shop_id="A2").title == "New title"


def test_a_broken_file_holds_back_those_after_it_and_not_those_before(tmp_path: Path, settings: LazySettings) -> None:
    settings.ITEM_FEED = str(tmp_path)
    for name, content in {"a.tsv": feed(1), "b.tsv": b"\x89PNG", "c.tsv": feed(3)}.items():
        (tmp_path / name).write_bytes(content)
    came = arrived(tmp_path / "c.tsv") / HOUR
    assert len(look(came + 1)) == 1
    assert "b.tsv: This is a PNG picture" in state().failure
    (tmp_path / "b.tsv").unlink()
    assert len(look(came + 2)) == 1
    assert on_sale() == {"A1", "A3"}


def test_of_full_files_the_newest_counts(tmp_path: Path, settings: LazySettings) -> None:
    settings.ITEM_FEED, settings.ITEM_FEED_FULL = str(tmp_path), True
    for number in range(3):
        (tmp_path / f"{number}.tsv").write_bytes(feed(number))
    look(arrived(tmp_path / "2.tsv") / HOUR + 1)
    assert on_sale() == {"A2"}


def test_a_folder_that_is_gone_says_so(tmp_path: Path, settings: LazySettings) -> None:
    settings.ITEM_FEED = str(tmp_path / "none")
    look(0)
    assert "none cannot be read: there is no such file or folder." in state().failure
