"""What the dashboard is for: see why, ask why not, change it, publish, see the shop's answer change, go back."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from recommendations.models import BlendWeights, Customer, Item
from recommendations.services.access.keys import create_key
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Scope
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

expect.set_options(timeout=15_000)
WHO = "u3"  # a tea drinker
N = 10


@pytest.fixture
def answer(site: str) -> Iterator[Callable[[], list[str]]]:
    """What the shop is answered for the tea drinker now: ids in order."""

    def key() -> str:
        api_key, secret = create_key(name="Journey", scopes=[Scope.RECOMMENDATIONS_READ], by=None)
        return f"{api_key.prefix}.{secret}"

    token = committed(key)

    def ask() -> list[str]:
        address = f"{site}/api/v1/placements/home/recommend/?user_id={WHO}&n={N}"
        request = urllib.request.Request(address, headers={"Authorization": f"Api-Key {token}"})
        with urllib.request.urlopen(request) as reply:
            return [item["item_id"] for item in json.load(reply)["results"]]

    return ask


def default() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None)


def value(text: str) -> float:
    return float(text.replace("−", "-"))


def section(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()


def test_from_why_not_to_the_shops_answer_and_back(ada: Visitor, answer: Callable[[], list[str]]) -> None:
    page, before, former = ada.page, answer(), committed(default)
    first = Item.objects.get(shop_id=before[0])
    missing = Item.objects.filter(title__startswith="Tea").exclude(shop_id__in=before).order_by("pk")[0]

    ada.visit("/")
    find_tea_drinker(ada)
    read_why(ada, first)
    draft_smallest_change(ada, missing)
    assert answer() == before  # a draft changes nothing

    publish_weights(ada, former)
    after = answer()
    assert after != before

    roll_back(page, former)
    assert answer() == before

    read_activity(page)
    assert ada.complaints() == []
    assert ada.problems == []


def find_tea_drinker(ada: Visitor) -> None:
    page, who = ada.page, Customer.objects.get(pseudonym=pseudonym(WHO))
    section(page, "Customers")
    expect(page.get_by_role("heading", name="Customers", level=1)).to_be_visible()
    ada.settle()
    page.keyboard.press("/")
    page.keyboard.type(WHO)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Customer {who.code}")).to_be_visible()


def read_why(ada: Visitor, first: Item) -> None:
    """Read why the first item is there: the terms add up."""
    page = ada.page
    page.get_by_role("link", name="Why here").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=re.compile(first.title))).to_be_visible()
    ada.settle()
    terms = [value(text) for text in drawer.locator(".terms-table tbody td.num").all_inner_texts()]
    total = value(drawer.locator(".terms-table tfoot td").inner_text())
    assert sum(terms) == pytest.approx(total, abs=0.00005 * (len(terms) + 1))  # each is rounded to four digits
    assert ada.complaints() == []
    drawer.get_by_role("button", name="Close").click()


def draft_smallest_change(ada: Visitor, missing: Item) -> None:
    """Ask why an item is not there, and make a draft of the smallest change that brings it in."""
    page = ada.page
    page.get_by_label("Why not …?").fill(missing.title)
    page.locator(".option").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("smallest change")).to_be_visible()
    assert ada.complaints() == []
    drawer.get_by_role("link", name="Apply as draft …").first.click()
    drawer.get_by_role("button", name="Make a draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Weights$|^Rule|"))


def publish_weights(ada: Visitor, former: BlendWeights) -> None:
    """Tune the draft further, and publish it with a note."""
    page = ada.page
    page.goto(f"{ada.site}/weights/?blend=home")
    ada.settle()
    strongest = max(former.weights, key=lambda name: former.weights[name])
    slider = page.locator(f'[data-setting="w.{strongest}"] [type=range]')
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#effect-sentence")).not_to_contain_text("As live")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Publish"))
    expect(dialog.get_by_role("heading", name="What changes")).to_be_visible()
    if dialog.get_by_role("checkbox").count():
        dialog.get_by_role("checkbox").check()
    dialog.get_by_role("textbox").fill("More variety for tea drinkers")
    dialog.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is live: the shop's next request uses it.")).to_be_visible()


def roll_back(page: Page, former: BlendWeights) -> None:
    page.wait_for_load_state()  # the button asks once the scripts have run
    page.get_by_role("button", name=f"Roll back to v{former.number}…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Roll back"))
    dialog.get_by_role("textbox").fill("The tea drinkers complained")
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text(f"with the weights of v{former.number}.")).to_be_visible()


def read_activity(page: Page) -> None:
    """Read in Activity who published and rolled back, and why."""
    section(page, "Activity")
    table = page.get_by_role("table")
    for note in ("More variety for tea drinkers", "The tea drinkers complained"):
        expect(table.get_by_role("row").filter(has_text=note)).to_contain_text("Ada Lind")
