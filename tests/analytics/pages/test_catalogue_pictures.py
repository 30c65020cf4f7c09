"""Pictures on the pages of the catalogue: what was seen, what is wrong with them, and of which departments."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Category, EmbeddingSpace, Item, ItemPicture
from recommendations.services.catalogue.editing import rename_category
from recommendations.vector_terms import PictureFault, VectorProvider
from tests.analytics.pages.test_catalogue import ITEMS, tea, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_what_looks_like_an_item_says_why_it_is_not_known(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    item, address = tea(), f"/catalogue/{tea().pk}/alike/"
    assert "It has no picture." in text(admin, address)
    Item.objects.filter(pk=item.pk).update(image_url="https://shop.example/tea.png")
    assert "The live model does not know its picture yet." in text(admin, address)
    seen = {"url": "https://shop.example/tea.png", "looked_at": timezone.now()}
    picture = ItemPicture.objects.create(item=item, fault=PictureFault.GONE, **seen)
    for page in (address, f"/catalogue/{item.pk}/"):
        assert "There is nothing at its address." in text(admin, page)
    ItemPicture.objects.filter(pk=picture.pk).update(fault="", width=640, height=480, is_shared=True)
    page = text(admin, f"/catalogue/{item.pk}/")
    assert "640 × 480" in page
    assert "another item has the same picture" in page
    monkeypatch.setattr("recommendations.services.catalogue.pictures.weights_file", lambda: None)
    page = text(admin, address)
    assert "Looks like it" not in page
    assert "the server lacks the extra “pictures”" in page


def test_flaws_of_pictures_stand_among_what_to_fix(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    Item.objects.filter(shop_id__in=["tea-0", "tea-1"]).update(image_url="https://shop.example/tea.png")
    for item in Item.objects.exclude(image_url=""):
        ItemPicture.objects.create(item=item, url=item.image_url, is_shared=True, looked_at=timezone.now())
    page = text(admin, "/catalogue/")
    assert "The same picture as another item" in page
    assert "the server lacks the extra" not in page
    assert text(admin, "/catalogue/items/?flaw=shared_picture").count("tea-") >= 2
    monkeypatch.setattr("recommendations.services.catalogue.pictures.weights_file", lambda: None)
    assert "the server lacks the extra “pictures”" in text(admin, "/catalogue/")
    EmbeddingSpace.objects.create(
        name="picture", provider=VectorProvider.PICTURE, asked_at=timezone.now(), outcome={"failure": "no_extra"}
    )
    for address in ("/catalogue/", f"/catalogue/{Item.objects.get(shop_id='tea-1').pk}/alike/", "/catalogue/imports/"):
        page = text(admin, address)
        assert "New pictures are not looked at any more." in page
        assert "requirements/pictures.txt" in page
        assert "the server lacks the extra" not in page


def test_departments_say_of_how_many_items_a_picture_was_seen(admin: Client) -> None:
    assert "Pictures that were seen" not in text(admin, "/catalogue/")
    for number, fault in enumerate(("", "", PictureFault.GONE)):
        item = Item.objects.get(shop_id=f"tea-{number}")
        item.image_url = f"https://shop.example/{number}.png"
        item.save()
        ItemPicture.objects.create(item=item, url=item.image_url, fault=fault, looked_at=timezone.now())
    of_tea = Item.objects.get(shop_id="tea-0")
    of_tea.image_url = "https://shop.example/other.png"  # not looked at yet
    of_tea.save()
    page = text(admin, "/catalogue/")
    path = of_tea.categories.get().path.partition(" > ")[0]
    items = Item.objects.filter(categories__path__startswith=path).count()
    assert f"{items - 1} of {items} items not seen" in page
    unseen = f"/catalogue/items/?department={path}&picture=unseen"
    assert unseen.replace("&", "&amp;") in page
    listed = admin.get(unseen)
    assert listed.context["page"].paginator.count == items - 1
    assert "Picture not seen" in listed.content.decode()
    assert ">tea-1<" not in listed.content.decode()


def test_a_department_has_the_name_that_somebody_just_gave_it(
    admin: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    Item.objects.update(image_url="https://shop.example/one.png", updated_at=timezone.now())
    ItemPicture.objects.bulk_create(
        ItemPicture(item=item, url=item.image_url, looked_at=timezone.now()) for item in Item.objects.all()[1:]
    )
    path = tea().categories.get().path.partition(" > ")[0]
    department = Category.objects.create(path=path, name="Drinks")
    page = text(admin, "/catalogue/")
    assert "<span>Drinks</span>" in page
    assert f"1 of {ITEMS} items not seen" in page
    with django_capture_on_commit_callbacks(execute=True):
        rename_category(category=department, name="Hot drinks", by=None)
    assert "<span>Hot drinks</span>" in text(admin, "/catalogue/")
