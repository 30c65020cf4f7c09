"""Acts of visitors on Oscar's own pages, as Recsite is told of them."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest
from fakes import Browser, FakeRecsite

Get = Callable[[str], Any]


def nobody_was_asked(_request: HttpRequest) -> None:
    return None


def everybody_said_no(_request: HttpRequest) -> bool:
    return False


def mergers(recsite: FakeRecsite) -> list[dict]:
    return [body for _method, path, body in recsite.asked() if path == "/api/v1/users/merge/"]


def test_a_look_at_a_product_is_told_with_the_id_of_the_visitors_cookie(
    browser: Browser, product: Get, recsite: FakeRecsite
) -> None:
    book = product("Crime 1")
    response = browser.get(book.get_absolute_url())
    event = recsite.event("view_item")
    assert event["items"] == [{"item_id": str(book.pk)}]
    assert event["anonymous_id"] == browser.cookie
    assert event["context"] == {"channel": "web", "page": book.get_absolute_url()}
    assert "user_id" not in event
    assert "Cookie" in response["Vary"]
    assert response.cookies["recsite_visitor"]["httponly"]

    browser.get(product("Crime 2").get_absolute_url())
    assert {event["anonymous_id"] for event in recsite.events()} == {browser.cookie}


def test_a_look_at_a_parent_counts_for_its_first_variant_that_is_for_sale(
    browser: Browser, product: Get, recsite: FakeRecsite
) -> None:
    browser.get(product("Shirt").get_absolute_url())
    assert recsite.event("view_item")["items"] == [{"item_id": str(product("Shirt M").pk)}]  # S is sold out


@pytest.mark.parametrize("consent", [nobody_was_asked, everybody_said_no])
def test_without_consent_an_act_is_nobodys_and_no_cookie_is_set(
    consent: object, browser: Browser, product: Get, recsite: FakeRecsite, settings: Any
) -> None:
    settings.RECSITE_CONSENT = consent
    browser.get(product("Crime 1").get_absolute_url() + "?rid=r-9")
    event = recsite.event("view_item")
    assert event["consent"] == {"personalisation": False}
    assert not event.keys() & {"anonymous_id", "user_id"}
    assert not browser.cookie
    assert not browser.client.session.keys()


def test_a_visitor_who_says_no_later_loses_the_cookie(browser: Browser, product: Get, settings: Any) -> None:
    browser.get(product("Crime 1").get_absolute_url())
    assert browser.cookie
    settings.RECSITE_CONSENT = everybody_said_no
    browser.get(product("Crime 1").get_absolute_url())
    assert not browser.cookie


def test_a_robot_does_nothing_and_gets_no_cookie(
    django_capture_on_commit_callbacks: Any, product: Get, recsite: FakeRecsite
) -> None:
    robot = Browser(django_capture_on_commit_callbacks, agent="Mozilla/5.0 (compatible; Googlebot/2.1)")
    robot.get(product("Crime 1").get_absolute_url())
    assert recsite.events() == []
    assert not robot.cookie


def test_what_led_to_a_product_is_told_with_it_and_with_what_comes_of_it(
    browser: Browser, product: Get, recsite: FakeRecsite
) -> None:
    book, other = product("Crime 1"), product("Crime 2")
    browser.get(book.get_absolute_url() + "?rid=r-01J")
    browser.get(other.get_absolute_url())
    browser.post(f"/basket/add/{book.pk}/", {"quantity": 3})
    browser.post(f"/basket/add/{other.pk}/?rid=r-02K", {"quantity": 1})
    views = [event.get("recommendation_id") for event in recsite.events() if event["name"] == "view_item"]
    carts = [event for event in recsite.events() if event["name"] == "add_to_cart"]
    assert views == ["r-01J", None]
    assert [cart["recommendation_id"] for cart in carts] == ["r-01J", "r-02K"]
    assert carts[0]["items"] == [{"item_id": str(book.pk), "quantity": 3, "price": "1.99"}]


def test_an_answers_id_that_is_none_is_not_passed_on(browser: Browser, product: Get, recsite: FakeRecsite) -> None:
    browser.get(product("Crime 1").get_absolute_url(), data={"rid": "<script>"})
    assert "recommendation_id" not in recsite.event("view_item")


@pytest.mark.parametrize(("left", "said"), [(2, {"quantity": 2}), (0, {})])
def test_what_is_taken_out_of_the_basket_is_told(
    left: int, said: dict, browser: Browser, product: Get, recsite: FakeRecsite
) -> None:
    book = product("Crime 1")
    browser.post(f"/basket/add/{book.pk}/", {"quantity": 2})
    page = browser.get("/basket/")
    [line] = page.context["basket"].all_lines()
    form = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": line.pk, "form-0-quantity": left,
        "form-0-DELETE": "on",
    }  # fmt: skip
    browser.post("/basket/", form)
    assert recsite.event("remove_from_cart")["items"] == [{"item_id": str(book.pk), **said}]


def test_a_search_is_told_once_for_all_its_pages(browser: Browser, recsite: FakeRecsite) -> None:
    browser.get("/search/", data={"q": " crime "})
    browser.get("/search/", data={"q": "crime", "page": "2"})
    browser.get("/search/", data={"q": ""})
    assert recsite.event("search")["search_term"] == "crime"


def test_a_review_is_a_rating(browser: Browser, product: Get, customer: Get, recsite: FakeRecsite) -> None:
    book = product("Crime 1")
    browser.sign_in(customer("ann"))
    form = {"title": "Good", "score": 4, "body": "Read it", "name": "Ann", "email": "a@example.com"}
    browser.post(f"{book.get_absolute_url()}reviews/add/", form)
    event = recsite.event("rate_item")
    assert (event["rating"], event["rating_scale"], event["items"]) == (4, 5, [{"item_id": str(book.pk)}])


def test_signing_in_merges_and_signing_out_parts(
    browser: Browser, product: Get, customer: Get, recsite: FakeRecsite
) -> None:
    ann, address = customer("ann"), product("Crime 1").get_absolute_url()
    browser.get(address)
    visitor = browser.cookie
    browser.sign_in(ann)
    [body] = mergers(recsite)
    assert (body["anonymous_id"], body["user_id"]) == (visitor, str(ann.pk))

    browser.get(address)
    assert (recsite.events()[-1]["anonymous_id"], recsite.events()[-1]["user_id"]) == (visitor, str(ann.pk))
    browser.get("/accounts/logout/")
    browser.get(address)
    assert recsite.events()[-1]["anonymous_id"] not in {visitor, ""}
    assert "user_id" not in recsite.events()[-1]


def test_the_next_customer_at_the_same_browser_is_not_the_last_one(
    browser: Browser, product: Get, customer: Get, recsite: FakeRecsite
) -> None:
    """The first one's session ended without signing out: the cookie is still theirs."""
    ann, bob = customer("ann"), customer("bob")
    browser.sign_in(ann)
    browser.client.cookies.pop("sessionid")
    browser.sign_in(bob)
    merged = {body["user_id"]: body["anonymous_id"] for body in mergers(recsite)}
    assert set(merged) == {str(ann.pk), str(bob.pk)}
    assert merged[str(ann.pk)] != merged[str(bob.pk)]
    browser.get(product("Crime 1").get_absolute_url())
    assert recsite.event("view_item")["anonymous_id"] == merged[str(bob.pk)]


def test_a_customer_who_registers_is_merged(browser: Browser, product: Get, recsite: FakeRecsite) -> None:
    browser.get(product("Crime 1").get_absolute_url())
    visitor = browser.cookie
    form = {
        "registration_submit": "1", "registration-email": "new@example.com",
        "registration-password1": "correct horse battery", "registration-password2": "correct horse battery",
    }  # fmt: skip
    response = browser.post("/accounts/login/", form)
    assert response.status_code == 302, response.context["registration_form"].errors
    assert {body["anonymous_id"] for body in mergers(recsite)} == {visitor}


def test_pages_do_not_wait_for_a_recsite_that_is_away(
    browser: Browser, product: Get, recsite: FakeRecsite, settings: Any
) -> None:
    recsite.delay, settings.RECSITE_TIMEOUT = 3.0, 0.1
    browser.get(product("Crime 2").get_absolute_url())  # templates are compiled
    begin = time.monotonic()
    response = browser.get(product("Crime 1").get_absolute_url())
    assert response.status_code == 200
    assert time.monotonic() - begin < 1.5


def test_an_error_in_a_receiver_is_not_the_visitors(
    browser: Browser, product: Get, recsite: FakeRecsite, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_request: HttpRequest) -> bool:
        raise RuntimeError("a shop's own function")

    settings.RECSITE_CONSENT, settings.RECSITE_PAGES_KEY = broken, "p.q"
    assert browser.get(product("Crime 1").get_absolute_url()).status_code == 200
    assert recsite.events() == []
    assert "a shop's own function" in caplog.text


def test_without_settings_nothing_is_sent(browser: Browser, product: Get, recsite: FakeRecsite, settings: Any) -> None:
    settings.RECSITE_KEY = ""
    assert browser.get(product("Crime 1").get_absolute_url()).status_code == 200
    assert recsite.events() == []
    assert not browser.cookie
