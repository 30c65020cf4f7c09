"""The feed of items on Imports and Overview: where it comes from, when it was looked at, why it was not taken."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations.models import Import, Item, Staff
from recommendations.services.catalogue import feed_schedule
from recommendations.services.catalogue.feeds import WholeCatalogue, import_feed
from recommendations.terms import Role
from tests.feed_server import FeedServer, serving

pytestmark = pytest.mark.django_db
IMPORTS = reverse("imports")


@pytest.fixture
def server(settings: LazySettings) -> Iterator[FeedServer]:
    with serving(FeedServer(content=b"id,title\n" + b"".join(b"A%d,Item\n" % n for n in range(4)))) as up:
        settings.ITEM_FEED, settings.ITEM_FEED_FULL = f"{up.address}/feed.csv?key=secret", True
        yield up


def page(client: Client, address: str = IMPORTS) -> str:
    cache.clear()
    return " ".join(client.get(address).content.decode().split())


def test_imports_say_where_the_feed_is_and_what_came_of_it(admin: Client, server: FeedServer) -> None:
    assert "It was not looked at yet. Do the workers and beat run?" in page(admin)
    feed_schedule.look(now=timezone.now())
    seen = page(admin)
    assert f"<code>{server.address}/feed.csv?…</code>" in seen
    assert "It is looked at every 24 hours, and imported where it changed. What it lacks is retired." in seen
    assert "Last looked:" in seen
    assert reverse("imported_file", args=[Import.objects.get().pk]) in seen
    assert 'data-label="Who">the feed</td>' in seen
    assert "secret" not in seen
    assert "The feed of items was not imported" not in page(admin, reverse("overview"))


@pytest.mark.parametrize("other", ["", "https://shop.example/other.csv"])
def test_what_came_from_a_feed_says_so_after_another_was_set(
    admin: Client, server: FeedServer, settings: LazySettings, other: str
) -> None:
    feed_schedule.look(now=timezone.now())
    settings.ITEM_FEED = other
    assert 'data-label="Who">the feed</td>' in page(admin)
    assert "· the feed</p>" in page(admin, reverse("imported_file", args=[Import.objects.get().pk]))


def test_a_feed_that_would_retire_much_is_an_alarm(admin: Client, server: FeedServer, settings: LazySettings) -> None:
    feed_schedule.look(now=timezone.now())
    server.content = b"id,title\nA1,Item\n"
    feed_schedule.look(now=timezone.now() + timezone.timedelta(days=1))
    reason = (
        "The feed lacks 3 of 4 items, 75%: more than 20%, so nothing was imported. Look at the feed; if it is right"
    )
    assert 'alert alert-danger" role="status"' in page(admin)
    assert reason in page(admin)
    overview = page(admin, reverse("overview"))
    assert f"The feed of items was not imported. {reason}" in overview
    assert f'href="{IMPORTS}"' in overview
    settings.LANGUAGE_CODE = "zh-hans"
    admin.cookies["django_language"] = "zh-hans"
    assert "数据源中缺少 4 件商品中的 3 件" in page(admin)


def test_without_a_feed_there_is_no_word_of_it(admin: Client) -> None:
    assert "feed-title" not in page(admin)


def test_what_a_feed_retired_is_put_on_sale_again(admin: Client, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\nA1,Tea\nA2,Cup\n")
    import_feed(str(path), now=timezone.now())
    path.write_text("item_id,title\nA1,Green tea\n")
    full = WholeCatalogue(allowed=lambda _lack: True)
    imported = import_feed(str(path), now=timezone.now(), full=full)
    address = reverse("imported_file", args=[imported.pk])
    seen = page(admin, address)
    assert "Items that were retired, as the file lacks them: 1." in seen
    assert "Undo what it retired" in seen
    assert "Undo this import" not in seen
    assert "retired, as the file lacks them: 1; on sale again: 0" in page(admin, reverse("activity"))
    told = admin.post(reverse("undo_import", args=[imported.pk]), follow=True).content.decode()
    assert "1 item has its old values again" in told
    assert set(Item.objects.filter(retired_at=None).values_list("title", flat=True)) == {"Green tea", "Cup"}
    imported.refresh_from_db()
    assert (imported.status, imported.kept) == (Import.Status.FINISHED, 1)
    assert "Undo what it retired" not in page(admin, address)


def test_who_edits_the_catalogue_has_the_feed_looked_at_now(
    admin: Client, server: FeedServer, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    assert "Look now" in page(admin)
    with django_capture_on_commit_callbacks() as sent:
        told = admin.post(reverse("look_at_feed"), follow=True).content.decode()
    assert len(sent) == 1
    assert "A worker looks at the feed now" in told
    seen = page(admin, reverse("activity"))
    assert "asked for a look at" in seen
    assert f"{server.address}/feed.csv?…" in seen
    Staff.objects.update(role=Role.MERCHANDISER, is_superuser=False)
    assert "Look now" not in page(admin)
    assert admin.post(reverse("look_at_feed")).status_code == 403


def test_without_a_feed_there_is_none_to_look_at(admin: Client) -> None:
    assert admin.post(reverse("look_at_feed")).status_code == 404
