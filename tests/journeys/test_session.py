"""A session that ends while somebody is writing: nothing typed is lost."""

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from recommendations.models import BlendWeights, Rule, StaffSession
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import EMAIL, PASSWORD
from tests.journeys.holding import holding

pytestmark = pytest.mark.django_db

expect.set_options(timeout=15_000)


def end_session() -> None:
    StaffSession.objects.all().delete()
    cache.clear()


def log_in_again(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.get_by_text("Your session had ended. What you typed is kept")).to_be_visible()
    page.fill("#id_username", EMAIL)
    page.fill("#id_password", PASSWORD)
    page.click("form.stack button")


def test_what_was_typed_is_back_although_the_script_of_the_login_came_too_late(ada: Visitor) -> None:
    page = ada.page
    holding(page, "**/rules/effect/")  # the preview would lead to the login by itself
    ada.visit("/rules/new/?action=pin&item=tea-1&slot=3")
    page.get_by_label("Name").fill("Early teas")
    committed(end_session)
    script = holding(page, "**/js/keep*.js")
    page.get_by_role("button", name="Save draft").click()
    script(1)
    page.fill("#id_username", EMAIL)
    page.fill("#id_password", PASSWORD)
    page.click("form.stack button", no_wait_after=True)
    script(2)
    script.let_go()
    expect(page.get_by_role("status").filter(has_text="What you had typed before the session ended")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Early teas")
    page.unroute_all(behavior="ignoreErrors")


def test_a_rule_is_there_again_after_the_login(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/rules/new/?action=pin&item=tea-1&slot=3")
    page.get_by_label("Name").fill("Teas of the season")
    page.wait_for_load_state("networkidle")  # the preview would lead to the login by itself
    committed(end_session)
    page.get_by_role("button", name="Save draft").click()
    log_in_again(ada)
    expect(page.get_by_role("status").filter(has_text="What you had typed before the session ended")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Teas of the season")
    assert not committed(Rule.objects.filter(name="Teas of the season").exists)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Teas of the season")).to_be_visible()
    rule = committed(lambda: Rule.objects.get(name="Teas of the season"))
    assert (rule.action, rule.slot) == ("pin", 3)
    assert rule.items[0]["values"] == ["tea-1"]
    ada.visit("/rules/new/")
    expect(page.get_by_label("Name")).to_have_value("")  # what was taken is kept no longer
    assert ada.problems == []


def test_a_rule_is_said_to_be_back_by_the_page_that_has_it(ada: Visitor) -> None:
    """The server builds the rows again: the empty form that asks it for that must not say that all is back."""
    page = ada.page
    page.add_init_script("""addEventListener("DOMContentLoaded", () => {  // after the page's own listeners
        if (document.getElementById("kept-notice")?.hidden === false) sessionStorage.setItem("told", "too early");
    });""")
    ada.visit("/rules/new/?action=pin&item=tea-1&slot=3")
    page.get_by_label("Name").fill("Teas of the season")
    page.wait_for_load_state("networkidle")  # the preview would lead to the login by itself
    committed(end_session)
    page.get_by_role("button", name="Save draft").click()
    log_in_again(ada)
    expect(page.get_by_label("Name")).to_have_value("Teas of the season")
    assert page.evaluate("sessionStorage.getItem('told')") is None


def test_nothing_is_said_to_be_back_where_nothing_was_typed(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/segments/")
    page.locator("details.rename summary").first.click()
    committed(end_session)
    page.locator("details.rename button").first.click()
    log_in_again(ada)
    expect(page.locator("details.rename").first).to_be_visible()
    expect(page.locator("#kept-notice")).to_be_hidden()


def test_a_name_that_is_back_is_seen(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/segments/")
    page.locator("details.rename summary").first.click()
    page.get_by_label("Name of the segment").first.fill("Tea people")
    committed(end_session)
    page.locator("details.rename button").first.click()
    log_in_again(ada)
    expect(page.get_by_role("status").filter(has_text="What you had typed before the session ended")).to_be_visible()
    expect(page.get_by_label("Name of the segment").first).to_be_visible()
    expect(page.get_by_label("Name of the segment").first).to_have_value("Tea people")


def test_sliders_stand_again_where_they_were(ada: Visitor) -> None:
    page = ada.page
    ada.visit("/weights/?blend=home")
    default = committed(lambda: BlendWeights.objects.defaults().get(blend__name="home", segment=None))
    strongest = max(default.weights, key=lambda name: default.weights[name])
    box = page.locator(f'[data-setting="w.{strongest}"] [type=number]')
    with page.expect_response("**/weights/exploration/**"):  # a part that asks later would lead to the login by itself
        box.fill("7")
        box.press("Tab")
    save = page.get_by_role("button", name="Save draft")
    save.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")  # a part that comes into view later would lead to the login by itself
    committed(end_session)
    save.click()
    log_in_again(ada)
    expect(page.get_by_role("status").filter(has_text="What you had typed before the session ended")).to_be_visible()
    expect(box).to_have_value("7")


def test_sliders_stand_again_where_a_part_of_the_page_came_too_late(ada: Visitor) -> None:
    page = ada.page
    page.set_viewport_size({"width": 1440, "height": 300})  # parts that wait to be seen wait below it
    ada.visit("/weights/?blend=home")
    box = page.locator("[data-setting^='w.'] [type=number]").first
    box.fill("7")
    box.press("Tab")
    committed(end_session)
    page.mouse.wheel(0, 4_000)  # the parts below ask for what they show
    log_in_again(ada)
    expect(box).to_have_value("7")
