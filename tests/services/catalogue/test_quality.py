"""Flaws of a catalogue of six items whose slots are known by hand.

The model knows the items 1 to 5; the slates of its two customers hold 1 2 and 1 3. Item 6 is new, item 5 is retired.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from recommendations.models import Category, EmbeddingSpace, Item, ItemPrice
from recommendations.services.catalogue.exposure import Exposure
from recommendations.services.catalogue.quality import (
    OF_RECORD,
    CatalogueFlaw,
    Flaws,
    condition,
    flaws,
    has_flaw,
    is_flaw,
    on_sale,
)
from recommendations.store.vectors.item_texts import digests_of
from recommendations.store.vectors.item_vectors import NewVector, save_vectors, unit
from recommendations.terms import Availability, BlendName
from recommendations.vector_terms import VectorProvider

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def items() -> list[Item]:
    category = Category.objects.create(path="TEA", name="Tea")
    catalogue = []
    for number in range(1, 7):
        item = Item.objects.create(
            shop_id=f"i{number}", title=f"Item {number}", brand="B", description="Good.", image_url="/i.jpg", price="2",
            listed_at=NOW - timedelta(days=300),
        )  # fmt: skip
        item.categories.add(category)
        ItemPrice.objects.create(item=item, valid_from=NOW - timedelta(days=10), price="2")
        catalogue.append(item)
    Item.objects.filter(shop_id="i5").update(retired_at=NOW)
    return catalogue


@pytest.fixture
def known(items: list[Item]) -> Exposure:
    five = np.asarray([item.pk for item in items[:5]], np.int64)
    return Exposure(
        version=1, mark="m1", items=five, acts=np.full(5, 3, np.int32), bought=np.full(5, 2, np.int32),
        listed_age=np.full(5, 300, np.float32), ended_at=NOW, customers=np.asarray([7, 8]),
        segments=np.asarray([1, -1], np.int32), ranked={BlendName.HOME: np.asarray([[0, 1], [0, 2]], np.int32)},
    )  # fmt: skip


def touched(found: Flaws) -> dict[CatalogueFlaw, tuple[int, int]]:
    return {flaw: (each.items, each.slots) for flaw, each in found.found.items() if each.items}


def test_a_complete_catalogue_has_only_flaws_of_the_model(items: list[Item], known: Exposure) -> None:
    counts = flaws(known, now=NOW)
    assert (counts.listed, counts.recommended, counts.slots) == (5, 3, 4)
    assert touched(counts) == {CatalogueFlaw.NO_EVENTS: (1, 0), CatalogueFlaw.NEVER_RECOMMENDED: (1, 0)}


def test_every_flaw_counts_its_items_and_their_slots(items: list[Item], known: Exposure) -> None:
    first, second, third, *_ = items
    Item.objects.filter(pk=first.pk).update(image_url="", description="", availability=Availability.OUT_OF_STOCK)
    Item.objects.filter(pk=second.pk).update(brand="", price=None, available_quantity=0)
    Item.objects.filter(shop_id__in=["i3", "i4", "i5"]).update(title="Twin")
    third.categories.clear()
    ItemPrice.objects.filter(item=third).update(valid_from=NOW - timedelta(days=181))
    expected = {
        CatalogueFlaw.NO_PICTURE: (1, 2),
        CatalogueFlaw.NO_DESCRIPTION: (1, 2),
        CatalogueFlaw.OUT_OF_STOCK: (2, 3),
        CatalogueFlaw.NO_BRAND: (1, 1),
        CatalogueFlaw.NO_PRICE: (1, 1),
        CatalogueFlaw.NO_CATEGORY: (1, 1),
        CatalogueFlaw.STALE_PRICE: (1, 1),
        CatalogueFlaw.LISTED_TWICE: (2, 1),  # the third twin is retired
        CatalogueFlaw.NO_EVENTS: (1, 0),
        CatalogueFlaw.NEVER_RECOMMENDED: (1, 0),
    }
    assert touched(flaws(known, now=NOW)) == expected
    for flaw in filter(is_flaw, OF_RECORD):  # the list shows as many as the count says
        assert on_sale().filter(condition(flaw, now=NOW)).count() == expected.get(flaw, (0, 0))[0], flaw


def test_films_lack_other_things_than_goods(items: list[Item], known: Exposure, settings: Settings) -> None:
    settings.SHOP_DOMAIN = "video"
    Item.objects.filter(shop_id="i1").update(duration=90, brand="", price=None, collection="Trilogy")
    Item.objects.filter(shop_id="i2").update(duration=90, collection="Trilogy", number=2)
    found = touched(flaws(known, now=NOW))
    assert found[CatalogueFlaw.NO_DURATION][0] == 3
    assert found[CatalogueFlaw.NO_NUMBER] == (1, 2)
    assert not {CatalogueFlaw.NO_BRAND, CatalogueFlaw.NO_PRICE, CatalogueFlaw.NO_CREATOR} & set(found)


def test_the_mask_of_items_with_a_flaw_of_the_model(items: list[Item], known: Exposure) -> None:
    keys = np.asarray([item.pk for item in items if item.shop_id != "i5"], np.int64)
    assert has_flaw(CatalogueFlaw.NO_EVENTS, keys, known).tolist() == [False] * 4 + [True]
    assert has_flaw(CatalogueFlaw.NEVER_RECOMMENDED, keys, known).tolist() == [False, False, False, True, False]
    assert not has_flaw(CatalogueFlaw.NO_EVENTS, keys, None).any()


def test_flaws_are_counted_again_after_an_item_was_edited(items: list[Item], known: Exposure) -> None:
    assert flaws(known, now=NOW).found[CatalogueFlaw.NO_PRICE].items == 0
    Item.objects.filter(shop_id="i1").update(price=None)
    assert flaws(known, now=NOW).found[CatalogueFlaw.NO_PRICE].items == 0  # behind the services' back: nobody noticed
    Item.objects.filter(shop_id="i2").update(price=None, updated_at=NOW + timedelta(days=99))
    assert flaws(known, now=NOW).found[CatalogueFlaw.NO_PRICE].items == 2


def test_flaws_of_the_record_are_counted_before_the_first_run(items: list[Item]) -> None:
    Item.objects.filter(shop_id="i1").update(brand="")
    counts = flaws(None, now=NOW)
    assert (counts.listed, counts.recommended, counts.slots) == (5, 0, 0)
    assert touched(counts) == {CatalogueFlaw.NO_BRAND: (1, 0)}


def test_an_empty_catalogue_has_no_flaw() -> None:
    assert (flaws(None, now=NOW).listed, touched(flaws(None, now=NOW))) == (0, {})


def keys(flaw: CatalogueFlaw) -> set[str]:
    return set(on_sale().filter(condition(flaw, now=NOW)).values_list("shop_id", flat=True))


def test_a_text_without_a_word_is_none(items: list[Item]) -> None:
    Item.objects.filter(shop_id__in=["i1", "i2", "i3"]).update(title="-- !", description="", brand="")
    Item.objects.filter(shop_id="i2").update(description="豆腐")
    Item.objects.filter(shop_id="i3").update(brand="B")
    assert keys(CatalogueFlaw.NO_TEXT) == {"i1"}


def test_a_text_of_more_than_five_items_tells_none_apart(items: list[Item]) -> None:
    assert keys(CatalogueFlaw.SHARED_TEXT) == set()
    Item.objects.update(title="Milk", retired_at=None)
    for item in items:
        item.categories.set(items[0].categories.all())
    assert keys(CatalogueFlaw.SHARED_TEXT) == {f"i{number}" for number in range(1, 7)}
    Item.objects.filter(shop_id="i1").update(attributes={"size": "1 l"})  # five are left, and one of its own
    assert keys(CatalogueFlaw.SHARED_TEXT) == set()
    Item.objects.filter(shop_id="i1").update(attributes={}, parent=items[1])  # a variant may say the same
    assert keys(CatalogueFlaw.SHARED_TEXT) == set()


def test_a_vector_is_older_than_a_text_that_has_changed(items: list[Item], known: Exposure) -> None:
    space = EmbeddingSpace.objects.create(name="own", provider=VectorProvider.GIVEN)
    values = unit([1, 2])
    assert values is not None
    digests = digests_of(space, [item.pk for item in items[:3]])
    save_vectors(space, {key: NewVector(digest, values) for key, digest in digests.items()}, now=NOW)
    assert keys(CatalogueFlaw.OLD_VECTOR) == set()
    Item.objects.filter(shop_id="i2").update(title="Another", price=3)
    Item.objects.filter(shop_id="i3").update(price=3)
    assert keys(CatalogueFlaw.OLD_VECTOR) == {"i2"}
    assert touched(flaws(known, now=NOW))[CatalogueFlaw.OLD_VECTOR] == (1, 1)
    digests = digests_of(space, [items[1].pk])  # what is sent again is counted at once
    save_vectors(space, {key: NewVector(own, values) for key, own in digests.items()}, now=NOW + timedelta(hours=1))
    assert CatalogueFlaw.OLD_VECTOR not in touched(flaws(known, now=NOW))
