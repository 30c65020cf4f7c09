"""Slots in the shop's pages, and the tracker."""

from collections.abc import Callable
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation
from fakes import Browser, FakeRecsite

from oscar_recsite.conf import heading_of, setting

Get = Callable[[str], Any]


def questions(recsite: FakeRecsite) -> list[str]:
    return [path for _method, path, _body in recsite.asked() if "/recommend/" in path]


def test_a_slot_has_the_shops_own_tiles_and_says_which_answer_led_on(
    browser: Browser, product: Get, recsite: FakeRecsite
) -> None:
    book, other = product("Cooking 1"), product("Cooking 2")
    recsite.listed = [str(other.pk), str(book.pk)]
    page = browser.get("/catalogue/").content.decode()
    slot = page[page.index('data-recsite-slot="home"') :].partition("</section>")[0]
    assert 'data-recommendation-id="r-1"' in slot
    assert "<h2>Recommended for you</h2>" in slot
    assert slot.count("product_pod") == 2  # Oscar's own partial
    assert slot.index("Cooking 2") < slot.index("Cooking 1")
    assert f'data-item-id="{other.pk}" data-index="1"' in slot
    assert slot.count(f'href="{other.get_absolute_url()}?rid=r-1"') == 2
    assert f'action="/basket/add/{other.pk}/?rid=r-1"' in slot
    assert "Because &lt;you&gt;" in slot
    [question] = questions(recsite)
    assert f"anonymous_id={browser.cookie}" in question
    assert "n=4" in question


def test_the_slots_of_a_page_share_no_item_and_know_what_the_page_is_about(
    browser: Browser, product: Get, recsite: FakeRecsite
) -> None:
    shirt, book = product("Shirt"), product("Cooking 2")
    recsite.listed = [str(book.pk)]
    browser.post(f"/basket/add/{product('Cooking 3').pk}/", {"quantity": 1})
    browser.get(shirt.get_absolute_url())
    first, second = questions(recsite)
    assert first.startswith("/api/v1/placements/also_bought/")
    assert second.startswith("/api/v1/placements/item/")
    assert f"item_id={product('Shirt M').pk}" in first
    assert f"basket={product('Cooking 3').pk}" in first
    assert "exclude_item_id" not in first
    assert f"exclude_item_id={book.pk}" in second


def test_a_page_of_a_category_asks_for_it(browser: Browser, product: Get, recsite: FakeRecsite) -> None:
    browser.get(product("Crime 1").categories.get().get_absolute_url())
    paths = [question for question in questions(recsite) if "/category/" in question]
    assert len(paths) == 1
    assert "category=Books+%3E+Crime" in paths[0]


def test_what_the_shop_does_not_show_any_more_is_left_out(browser: Browser, product: Get, recsite: FakeRecsite) -> None:
    recsite.listed = [str(product("Not yet").pk), "999999", "no number", str(product("Shirt M").pk)]
    page = browser.get("/catalogue/").content.decode()
    slot = page[page.index('data-recsite-slot="home"') :].partition("</section>")[0]
    assert "Not yet" not in slot
    assert slot.count("data-item-id") == 1
    assert f'href="{product("Shirt M").get_absolute_url()}?rid=r-1"' in slot


def test_an_answer_of_nothing_is_no_slot(browser: Browser, recsite: FakeRecsite) -> None:
    assert "data-recsite-slot" not in browser.get("/catalogue/").content.decode()


@pytest.mark.parametrize("fault", [(500, 0.0), (401, 0.0), (0, 0.5)], ids=["500", "401", "late"])
def test_without_an_answer_in_time_the_page_is_as_it_was(
    fault: tuple[int, float], browser: Browser, product: Get, recsite: FakeRecsite, settings: Any
) -> None:
    recsite.listed, settings.RECSITE_TIMEOUT = [str(product("Crime 1").pk)], 0.2
    recsite.status, recsite.delay = fault
    response = browser.get("/catalogue/")
    assert response.status_code == 200
    assert "data-recsite-slot" not in response.content.decode()


def test_a_page_waits_once_for_a_recsite_that_is_away(
    browser: Browser, product: Get, recsite: FakeRecsite, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    recsite.delay, settings.RECSITE_TIMEOUT = 0.5, 0.05
    with caplog.at_level("INFO", "oscar_recsite"):
        browser.get(product("Crime 2").get_absolute_url())  # it has two slots
    own = [record.getMessage() for record in caplog.records if record.name == "oscar_recsite"]
    assert [message.partition(":")[0] for message in own] == ["The slot also_bought is left out"]


def test_a_robot_gets_a_slot_that_is_nobodys(
    django_capture_on_commit_callbacks: Any, product: Get, recsite: FakeRecsite
) -> None:
    recsite.listed = [str(product("Crime 1").pk)]
    robot = Browser(django_capture_on_commit_callbacks, agent="bingbot/2.0 (+http://www.bing.com/bingbot.htm)")
    assert "data-recsite-slot" in robot.get("/catalogue/").content.decode()
    assert "personalise=false" in questions(recsite)[0]


def test_a_slot_that_the_shop_does_not_know_is_an_error_in_the_log_alone(
    rf: Any, recsite: FakeRecsite, caplog: pytest.LogCaptureFixture
) -> None:
    page = Template('{% load recsite %}before{% recsite_slot "hom" %}after')
    assert page.render(Context({"request": rf.get("/")})) == "beforeafter"
    assert "RECSITE_SLOTS has no slot 'hom'" in caplog.text


def test_the_tracker_has_the_visitors_id_and_the_pages_key(
    browser: Browser, recsite: FakeRecsite, settings: Any
) -> None:
    assert "recsite.js" not in browser.get("/catalogue/").content.decode()
    settings.RECSITE_PAGES_KEY = "p.q"
    page = browser.get("/catalogue/").content.decode()
    assert "/static/oscar_recsite/recsite.js" in page
    assert f'data-key="p.q" data-consent="yes" data-anonymous-id="{browser.cookie}"' in page


def test_headings_are_in_the_shops_language() -> None:
    with translation.override("zh-cn"):
        assert str(heading_of("home")) == "为您推荐"
        assert not [name for name, heading in setting("RECSITE_SLOTS").items() if str(heading).isascii()]
