"""Where the focus goes by itself: to what is to be done next, and nothing jumps from under the pointer."""

import re

import pytest
from playwright.sync_api import expect

from recommendations.models import BlendWeights, Experiment
from recommendations.services.weights.drafts import save_draft
from recommendations.terms import BlendName, WeightsStatus
from tests.journeys.conftest import Visitor, committed
from tests.trained import NOW

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)


def test_a_refused_publish_leads_to_the_box_that_is_to_be_ticked(ada: Visitor) -> None:
    page = ada.page
    only_popular = {"weights": {"popularity_home": 100}}
    committed(lambda: save_draft(blend=BlendName.HOME, values=only_popular, revision=None, by=None, now=NOW))
    ada.visit("/weights/")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog")
    override = dialog.get_by_role("checkbox")
    expect(override).to_be_visible()
    dialog.get_by_role("textbox").fill("I insist")
    dialog.get_by_role("button", name="Publish", exact=True).click()
    expect(dialog.get_by_text("Tick the box to publish it anyway.")).to_be_visible()
    expect(override).to_be_focused()
    expect(dialog.get_by_role("textbox")).to_have_value("I insist")
    assert committed(lambda: BlendWeights.objects.defaults().get(blend__name="home").number) == 1
    committed(lambda: BlendWeights.objects.filter(status=WeightsStatus.DRAFT).delete())


@pytest.mark.parametrize("address", ["/segments/", "/segments/1/"])
def test_the_field_of_a_new_name_has_the_focus_and_its_pencil_stays(ada: Visitor, address: str) -> None:
    page = ada.page
    ada.visit(address)
    pencil = page.locator(".rename > summary").first
    before = pencil.bounding_box()
    pencil.click()
    field = page.locator(".rename[open] input[name=name]")
    expect(field).to_be_focused()
    assert pencil.bounding_box() == before
    page.keyboard.type("Tea drinkers")
    expect(field).to_have_value("Tea drinkers")


def test_escape_leaves_a_dialog_where_it_was_opened_and_takes_it_from_the_address(ada: Visitor) -> None:
    page = ada.page
    key = committed(lambda: Experiment.objects.get(name="More at once").pk)
    ada.visit(f"/experiments/{key}/")
    opener = page.locator('a[href$="?open=publish&arm=B"]')
    opener.click()
    expect(page.locator("dialog:modal")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    expect(page).to_have_url(re.compile(rf"/experiments/{key}/$"))
