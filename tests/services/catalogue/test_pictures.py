"""Pictures of the catalogue are looked at in the background, each once; what cannot be seen says why."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.channels.pictures import PictureClient
from recommendations.engine.describe.picture_net import DIMENSIONS
from recommendations.models import EmbeddingSpace, Item, ItemPicture, ItemVector
from recommendations.services.catalogue.pictures import (
    PictureReading,
    look_at_pictures,
    picture_reading,
)
from recommendations.services.catalogue.quality import CatalogueFlaw, condition, flaws, on_sale
from recommendations.store.vectors.item_pictures import mark_shared
from recommendations.store.vectors.item_vectors import as_floats
from recommendations.store.vectors.picture_weights import WHEEL
from recommendations.vector_terms import PictureFault, VectorProvider
from tests.channels.web_server import WebServer, web_server
from tests.drawn_pictures import drawn_file

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {
        "/disc.png": drawn_file(1),
        "/disc-small.jpg": drawn_file(1, "JPEG", size=(160, 160), quality=70),
        "/tiles.png": drawn_file(2),
        "/dot.png": drawn_file(2, size=(1, 1)),
        "/broken.jpg": drawn_file(0, "JPEG")[:1_000],
    }


@pytest.fixture
def web(files: dict[str, bytes]) -> Iterator[WebServer]:
    with web_server(files=dict(files), headers={"Content-Type": "image/png", "ETag": '"v1"'}) as web:
        yield web


def look(web: WebServer, *, at: datetime | None = None) -> int:
    client = PictureClient(trusted=[web.origin], patience=3)
    return look_at_pictures(now=at or timezone.now(), client=client)


def shelf(web: WebServer, **paths: str) -> None:
    Item.objects.bulk_create(
        Item(shop_id=name, title=name, image_url=web.origin + path) for name, path in paths.items()
    )


def faults() -> dict[str, str]:
    return dict(ItemPicture.objects.values_list("item__shop_id", "fault"))


def outcome() -> dict[str, Any]:
    return {name: value for name, value in EmbeddingSpace.objects.get().outcome.items() if value and name != "run"}


def flawed(flaw: CatalogueFlaw) -> set[str]:
    return set(on_sale().filter(condition(flaw, now=timezone.now())).values_list("shop_id", flat=True))


def test_each_address_is_looked_at_once_and_what_was_seen_is_there(web: WebServer) -> None:
    shelf(web, one="/disc.png", same="/disc.png", other="/tiles.png")
    Item.objects.create(shop_id="bare", title="Bare")
    Item.objects.create(shop_id="gone", title="Gone", image_url=f"{web.origin}/no.png", retired_at=timezone.now())
    assert look(web) == 2
    assert sorted(post.path for post in web.posts) == ["/disc.png", "/tiles.png"]
    assert faults() == {"one": "", "same": "", "other": ""}
    space = EmbeddingSpace.objects.get()
    assert (space.name, space.provider, space.dimensions) == ("picture", VectorProvider.PICTURE, DIMENSIONS)
    vectors = {each.item.shop_id: as_floats(each) for each in ItemVector.objects.select_related("item")}
    np.testing.assert_array_equal(vectors["one"], vectors["same"])
    assert vectors["one"] @ vectors["other"] < 0.9
    assert outcome() == {"asked": 2, "seen": 2}
    assert look(web) == 0
    assert len(web.posts) == 2


def test_a_copy_of_another_item_is_a_flaw_but_not_of_a_variant(web: WebServer) -> None:
    shelf(web, one="/disc.png", copy="/disc-small.jpg", other="/tiles.png")
    look(web)
    assert flawed(CatalogueFlaw.SHARED_PICTURE) == {"one", "copy"}
    assert flaws(None, now=timezone.now()).found[CatalogueFlaw.SHARED_PICTURE].items == 2
    marks = list(ItemPicture.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as asked:
        mark_shared()
    assert sum("itempicture" in each["sql"] for each in asked) == 1  # where nothing moved nothing is compared
    Item.objects.filter(shop_id="copy").update(retired_at=timezone.now())
    look(web)
    assert flawed(CatalogueFlaw.SHARED_PICTURE) == set()
    Item.objects.update(retired_at=None)
    look(web)
    assert list(ItemPicture.objects.order_by("pk").values()) == marks
    Item.objects.filter(shop_id="copy").update(image_url=f"{web.origin}/elsewhere.png")
    mark_shared()  # at the new address nobody has looked yet
    assert flawed(CatalogueFlaw.SHARED_PICTURE) == set()
    Item.objects.filter(shop_id="copy").update(image_url=f"{web.origin}/disc-small.jpg")
    mark_shared()
    assert list(ItemPicture.objects.order_by("pk").values()) == marks
    Item.objects.filter(shop_id="copy").update(parent=Item.objects.get(shop_id="one"))
    look(web)
    assert flawed(CatalogueFlaw.SHARED_PICTURE) == set()
    assert flaws(None, now=timezone.now()).found[CatalogueFlaw.SHARED_PICTURE].items == 0


def test_what_cannot_be_seen_says_why(web: WebServer, files: dict[str, bytes]) -> None:
    shelf(web, dot="/dot.png", broken="/broken.jpg", nowhere="/none.png")
    Item.objects.create(shop_id="inside", title="Inside", image_url="https://localhost/a.png")
    Item.objects.create(shop_id="plain", title="Plain", image_url="http://shop.example/a.png")
    assert look(web) == 0
    assert faults() == {
        "dot": PictureFault.SMALL, "broken": PictureFault.UNREADABLE, "nowhere": PictureFault.GONE,
        "inside": PictureFault.FORBIDDEN, "plain": PictureFault.FORBIDDEN,
    }  # fmt: skip
    assert outcome() == {"asked": 5, "faulty": 5}
    assert flawed(CatalogueFlaw.SMALL_PICTURE) == {"dot"}
    assert flawed(CatalogueFlaw.UNSEEN_PICTURE) == {"broken", "nowhere", "inside", "plain"}
    assert not ItemVector.objects.exists()
    web.files = {"/none.png": files["/tiles.png"]}
    assert look(web) == 0
    assert look(web, at=timezone.now() + timedelta(days=2)) == 1
    assert faults()["nowhere"] == ""


def test_an_old_look_is_renewed_by_the_etag_and_a_new_picture_replaces_it(web: WebServer) -> None:
    shelf(web, one="/disc.png")
    look(web)
    before, later = bytes(ItemVector.objects.get().values), timezone.now() + timedelta(days=31)
    web.files, web.status, web.body = None, 304, b""
    look(web, at=later)
    assert web.posts[-1].headers["if-none-match"] == '"v1"'
    assert outcome() == {"asked": 2, "seen": 1, "unchanged": 1}
    web.status, web.conduct = 200, "cut_before"
    ItemPicture.objects.update(looked_at=timezone.now() - timedelta(days=31))
    look(web)
    assert faults() == {"one": PictureFault.NO_ANSWER}  # it passes: what was seen still holds
    assert ItemPicture.objects.get().hash is not None
    assert bytes(ItemVector.objects.get().values) == before
    web.conduct, web.files = "", {"/tiles.png": drawn_file(2), "/dot.png": drawn_file(2, size=(1, 1))}
    Item.objects.update(image_url=f"{web.origin}/tiles.png")
    assert look(web) == 1
    assert bytes(ItemVector.objects.get().values) != before
    Item.objects.update(image_url=f"{web.origin}/dot.png")
    look(web)
    assert not ItemVector.objects.exists()
    Item.objects.update(image_url="")
    look(web)
    assert not ItemPicture.objects.exists()


def test_so_many_between_two_runs(web: WebServer, settings: LazySettings) -> None:
    shelf(web, one="/disc.png", two="/tiles.png", three="/disc-small.jpg")
    settings.PICTURES_PER_RUN = 2
    assert look(web) == 2
    assert look(web) == 0
    settings.PICTURES_PER_RUN = 3
    assert look(web) == 1


def test_a_server_that_is_silent_is_left_to_another_turn(web: WebServer) -> None:
    shelf(web, **{f"i{at}": f"/{at}.png" for at in range(12)})
    web.conduct = "cut_before"
    assert look(web) == 0
    counts = outcome()
    assert counts["faulty"] + counts["silent"] == 12
    assert counts["silent"] >= 5
    assert set(faults().values()) == {PictureFault.NO_ANSWER}


def test_nothing_of_this_machine_is_read(web: WebServer) -> None:
    """Whoever edits items learns of no file whether it exists."""
    there = default_storage.save("pictures/tiles.png", ContentFile(drawn_file(2)))
    try:
        for number, url in enumerate(
            (f"/media/{there}", "/media/../../etc/passwd", f"file:{default_storage.path(there)}")
        ):
            Item.objects.create(shop_id=f"own-{number}", title="Own", image_url=url)
        assert look(web) == 0
    finally:
        default_storage.delete(there)
    assert set(faults().values()) == {PictureFault.FORBIDDEN}
    assert not web.posts


def test_without_the_extra_nothing_is_asked_and_it_is_said(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert picture_reading() is PictureReading.GOES_ON
    shelf(web, one="/disc.png")
    find = "recommendations.store.vectors.picture_weights.find_spec"
    monkeypatch.setattr(find, lambda name: None if name == WHEEL else object())
    assert look(web) == 0
    assert not web.posts
    assert picture_reading() is PictureReading.NEVER
    EmbeddingSpace.objects.create(name="picture", provider=VectorProvider.PICTURE, asked_at=timezone.now())
    assert picture_reading() is PictureReading.GOES_ON  # the workers have it


def test_an_extra_that_is_gone_is_told_at_the_next_turn_and_its_return_too(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf(web, one="/disc.png")
    look(web)
    with monkeypatch.context() as without:
        find = "recommendations.store.vectors.picture_weights.find_spec"
        without.setattr(find, lambda name: None if name == WHEEL else object())
        assert picture_reading() is PictureReading.GOES_ON
        look(web)
        assert picture_reading() is PictureReading.STOPPED
        assert outcome() == {"asked": 1, "seen": 1, "failure": "no_extra"}
        assert ItemVector.objects.exists()  # what was seen stays
    assert picture_reading() is PictureReading.STOPPED  # the pages have it, the workers not yet
    look(web)
    assert picture_reading() is PictureReading.GOES_ON
