"""The weights page: move, see, save, publish and roll back by keyboard alone; weights of an audience by clicks."""

import re

import pytest
from playwright.sync_api import Locator, expect

from recommendations.models import BlendWeights, Customer
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import WeightsStatus
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.furnishing import EMAIL

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)

DRAWN = "JSON.stringify(document.getElementById('effect-chart').data.map(({ x }) => x))"

WHERE = """(key) => { const place = document.getElementById("past-chart");
  const { left, top } = place.getBoundingClientRect();
  const trace = place.data.find(({ customdata }) => customdata?.[0] === key), { xaxis, yaxis } = place._fullLayout;
  return { x: left + xaxis._offset + xaxis.d2p(trace.x[0]), y: top + yaxis._offset + yaxis.d2p(trace.y[0]) }; }"""
"""Where a mark of the scatter is in the window."""


@pytest.fixture(autouse=True)
def _no_draft(site: str) -> None:
    committed(lambda: BlendWeights.objects.filter(status=WeightsStatus.DRAFT).delete())


@pytest.fixture
def ada(ada: Visitor) -> Visitor:
    ada.visit("/weights/")
    expect(ada.page.locator("#versions table")).to_be_visible()
    return ada


def default() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None)


def of_audience() -> int:
    return BlendWeights.objects.defaults().filter(blend__name="home", audience__name="Tea fans").count()


def reached(visitor: Visitor, target: Locator) -> Locator:
    """Go to a control with the tab key, as somebody without a mouse does."""
    for _ in range(100):
        if target.evaluate("(each) => each === document.activeElement"):
            return target
        visitor.page.keyboard.press("Tab")
    pytest.fail(f"The tab key does not lead to {target}")


def test_move_see_save_publish_and_roll_back(ada: Visitor) -> None:
    page, before = ada.page, committed(default)
    strongest = max(before.weights, key=lambda name: before.weights[name])
    row = page.locator(f'[data-setting="w.{strongest}"]')
    drawn = page.evaluate(DRAWN)
    expect(page.locator("#dirty")).to_be_hidden()

    slider = reached(ada, row.locator("[type=range]"))
    value = float(slider.input_value())
    page.keyboard.press("PageDown")
    expect(row.locator("[type=number]")).to_have_value(str(round(value - 10)))
    expect(page.locator("#dirty-words")).to_have_text("1 slider differs from live")
    expect(page.locator("#effect-sentence")).not_to_contain_text("No change yet")
    until(page, f"(before) => {DRAWN} !== before", drawn)
    moved = row.locator("[data-share]").inner_text()
    expect(page.locator("#effect-told")).not_to_be_empty()  # for those who do not see it, when the hand rests
    assert ada.complaints() == []

    reached(ada, page.get_by_role("button", name="Save draft"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("is saved. What is live stays live.")).to_be_visible()
    expect(row.locator("[data-share]")).to_have_text(moved)
    expect(page.locator("#draft-state")).to_contain_text("saved by Ada Lind")

    reached(ada, page.get_by_role("button", name="Publish…"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Publish weights of “For you”?")
    expect(dialog.get_by_role("heading", name="What changes")).to_be_visible()
    assert ada.complaints() == []
    override = dialog.get_by_role("checkbox")
    if override.count():
        reached(ada, override)
        page.keyboard.press("Space")
    reached(ada, dialog.get_by_role("textbox"))
    page.keyboard.type("A journey")
    reached(ada, dialog.get_by_role("button", name="Publish", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("is live: the shop's next request uses it.")).to_be_visible()
    assert (committed(default).note, committed(default).parent_id) == ("A journey", before.pk)

    back = page.get_by_role("button", name=f"Roll back to v{before.number}…")
    expect(back).to_be_visible()
    reached(ada, back)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=re.compile("^Roll back to For you v"))
    expect(dialog).to_be_visible()
    assert ada.complaints() == []
    reached(ada, dialog.get_by_role("textbox"))
    page.keyboard.type("As it was")
    reached(ada, dialog.get_by_role("button", name="Roll back"))
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"with the weights of v{before.number}.")).to_be_visible()
    assert committed(default).weights == before.weights
    assert ada.problems == []


def test_goals_can_be_weighed_where_the_shop_has_the_data(ada: Visitor) -> None:
    """Items of this shop have a price, and neither a cost nor a stock."""
    page = ada.page
    revenue, margin = page.locator("[data-setting=revenue]"), page.locator("[data-setting=margin]")
    expect(margin.locator("[type=range]")).to_be_disabled()
    expect(margin).to_contain_text("No item has a cost yet, so margins are unknown.")
    expect(page.locator("[data-setting=clearance]")).to_contain_text("No item has a stock figure yet.")
    page.get_by_role("button", name="What does “Revenue” mean?").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("a coffee for $6 counts twice")).to_be_visible()
    page.keyboard.press("Escape")
    revenue.locator("[type=number]").fill("1")
    expect(page.locator("#dirty-words")).to_have_text("1 slider differs from live")
    expect(page.locator("#effect-sentence")).not_to_contain_text("No change yet")
    expect(page.locator("#worth")).to_contain_text("Revenue")
    revenue.locator("[type=number]").fill("2.5")
    expect(revenue.locator(".field-error")).to_have_text("Enter a number from 0 to 2.")
    revenue.get_by_role("button", name="Back to live: Revenue").click()
    expect(page.locator("#effect-sentence")).to_contain_text("No change yet")
    page.get_by_role("button", name="Suggest…").click()
    goals = page.get_by_role("dialog").get_by_role("radio")
    expect(goals).to_have_count(2)
    expect(page.get_by_role("dialog").get_by_label("Revenue")).to_be_visible()
    assert ada.complaints() == []
    assert ada.problems == []


def test_bad_input_is_told_where_it_stands_and_goes_when_it_is_mended(ada: Visitor) -> None:
    row = ada.page.locator("[data-setting^='w.']").first
    row.locator("[type=number]").fill("900")
    expect(row.locator(".field-error")).to_have_text("Enter a number from 0 to 100.")
    expect(row.locator("[type=number]")).to_have_attribute("aria-invalid", "true")
    expect(ada.page.locator("#effect-old")).to_have_text("Showing the last valid settings.")
    expect(ada.page.locator("#error-weights")).to_be_empty()
    assert ada.complaints() == []
    row.locator("[type=number]").fill("9")
    expect(row.locator(".field-error")).to_be_empty()
    ada.page.get_by_role("button", name="Discard").click()
    expect(ada.page.locator("#dirty")).to_be_hidden()
    assert ada.problems == []


def test_a_point_is_loaded_and_a_locked_slider_stays(ada: Visitor) -> None:
    page = ada.page
    first = page.locator("[data-setting^='w.']").first
    stays = first.locator("[type=number]").input_value()
    first.get_by_role("checkbox").check(force=True)
    expect(first.locator("[type=range]")).to_be_disabled()
    before = page.locator("#places > *").first.element_handle()
    page.locator("#weights-form summary", has_text="Load").click()
    page.get_by_role("link", name="Shipped preset").click()
    expect(page.locator("#loaded")).to_have_text("Shipped preset")
    expect(page).to_have_url(re.compile("load=preset"))
    expect(first.locator("[type=number]")).to_have_value(stays)
    expect(page.locator("#effect-sentence")).not_to_contain_text("No change yet")
    until(page, "(before) => !before.isConnected", before)  # the hand rested: the chart, too, is that of the preset
    until(ada.page, "() => document.getElementById('past-chart').dataset.loads")
    page.locator("#past-chart").scroll_into_view_if_needed()
    at = page.evaluate(WHERE, "best")
    page.mouse.move(at["x"] - 3, at["y"])
    page.mouse.move(at["x"], at["y"])
    page.mouse.click(at["x"], at["y"])
    expect(page.locator("#loaded")).to_have_text("Only the best one")
    page.get_by_role("button", name="Back to live", exact=True).first.click()
    expect(page.locator("#effect-sentence")).to_contain_text("No change yet")
    assert ada.problems == []


def test_figures_stay_the_newest_when_a_dialog_brings_a_part_of_the_page(ada: Visitor) -> None:
    page, drawn = ada.page, ada.page.evaluate(DRAWN)
    page.locator("[data-setting^='w.'] [type=number]").first.fill("3")
    until(page, f"(before) => {DRAWN} !== before", drawn)
    newest = page.evaluate(DRAWN)
    page.get_by_role("button", name="Suggest…").click()
    expect(page.get_by_label("Show at least this share of the catalogue")).to_be_visible()
    assert ada.complaints() == []
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    assert page.evaluate(DRAWN) == newest


def test_an_ended_session_is_told_and_nothing_is_lost(ada: Visitor) -> None:
    page = ada.page
    page.context.clear_cookies(name="recsite_session")
    page.locator("[data-setting^='w.'] [type=number]").first.fill("3")
    expect(page.locator("#ended")).to_be_visible()
    page.get_by_role("link", name="Log in again").click()
    page.wait_for_load_state()  # the script of the login keeps what was typed
    ada.page.fill("#id_username", EMAIL)
    ada.page.fill("#id_password", "correct horse battery")
    ada.page.click("form.stack button")
    expect(page.locator("[data-setting^='w.'] [type=number]").first).to_have_value("3")
    expect(page.locator("#dirty-words")).to_have_text("1 slider differs from live")


def test_an_audience_gets_weights_of_its_own_and_loses_them_again(ada: Visitor) -> None:
    page = ada.page
    tea_drinker = committed(lambda: Customer.objects.get(pseudonym=pseudonym("u3")).code)
    page.select_option("#group", label="Audience: Tea fans")
    expect(page).to_have_url(re.compile("group="))
    expect(page.get_by_text("same as live")).to_be_visible()
    ada.settle()
    page.locator("[data-setting] [type=range]:enabled").nth(3).press("PageUp")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Publish weights"))
    expect(dialog.get_by_role("heading", name="What changes")).to_be_visible()
    if dialog.get_by_role("checkbox").count():
        dialog.get_by_role("checkbox").check()
    dialog.get_by_role("textbox").fill("Tea fans like it so")
    dialog.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is live for audience “Tea fans”: the shop's next request uses it.")).to_be_visible()
    assert committed(of_audience) == 1

    ada.visit(f"/customers/{tea_drinker}/")
    expect(page.get_by_role("link", name=re.compile("^Weights: For you v.*Tea fans"))).to_be_visible()

    page.go_back()
    page.get_by_role("button", name="Take offline…").click()
    dialog = page.get_by_role("dialog", name=re.compile("offline"))
    dialog.get_by_role("textbox").fill("It was a trial")
    dialog.get_by_role("button", name="Take offline").click()
    expect(page.get_by_role("button", name="Take offline…")).to_be_hidden()
    assert committed(of_audience) == 0
    ada.visit(f"/customers/{tea_drinker}/")
    expect(page.get_by_role("link", name=re.compile("^Weights: For you v.*everybody"))).to_be_visible()
    assert ada.problems == []
