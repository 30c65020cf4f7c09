"""Pages of the shop as staff see them: for anybody, with drafts, with a pin that is tried first, and rearranged."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from recommendations.models import AuditEntry, Customer, Item, Placement, Rule, ShopPage, Slate
from recommendations.services.rules.editing import save_rule
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.serving.slates import write_slates
from recommendations.terms import Role
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME = ["home", "buy_again", "discover", "trending", "new"]


@pytest.fixture
def tea_drinker() -> Customer:
    return Customer.objects.get(pseudonym=pseudonym("u3"))


@pytest.fixture
def merchandiser(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)


def text(client: Client, address: str, *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def lists(page: str) -> dict[str, list[str]]:
    """Titles of the cards in each list that has any, in order."""
    parts = re.split(r'data-placement="(\w+)"', page)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: re.findall(r'<p class="shop-title">([^<]+)</p>', part) for name, part in pairs}


def test_a_page_shows_its_lists_in_order_and_nothing_twice(viewer: Client, tea_drinker: Customer) -> None:
    assert viewer.get("/pages/")["Location"] == "/pages/home/"
    page = text(viewer, f"/pages/home/?customer={tea_drinker.code}")
    shown = lists(page)
    assert list(shown) == HOME
    every = [title for titles in shown.values() for title in titles]
    assert len(every) == len(set(every))
    assert {title.split()[0] for title in shown["buy_again"]} == {"Tea"}
    assert f"Customer {tea_drinker.code}" in page
    assert lists(text(viewer, "/pages/home/?customer=u3")) == shown  # the shop's id
    assert write_slates() == 0
    assert not Slate.objects.exists()


def test_somebody_new_and_somebody_at_random(viewer: Client) -> None:
    assert "A new visitor" in text(viewer, "/pages/home/")
    assert "buy_again" not in lists(text(viewer, "/pages/home/"))
    assert "No customer has this code or id" in text(viewer, "/pages/home/?customer=nobody")
    target = viewer.get("/pages/home/?customer=random&width=phone")["Location"]
    assert re.fullmatch(r"/pages/home/\?customer=C-\w+&width=phone", target)
    assert "is-phone" in text(viewer, target)
    assert viewer.get("/pages/nowhere/").status_code == 404


def test_a_page_about_an_item_has_one_in_view(viewer: Client, tea_drinker: Customer) -> None:
    page = text(viewer, f"/pages/item/?customer={tea_drinker.code}")
    assert re.search(r"in view: Tea \d", page)
    wine = text(viewer, f"/pages/item/?customer={tea_drinker.code}&item=wine-3")
    assert "in view: Wine 3" in wine
    assert {title.split()[0] for title in lists(wine)["item"]} == {"Wine"}
    assert "Wine 3" not in [title for titles in lists(wine).values() for title in titles]
    assert "No item has this title or id" in text(viewer, "/pages/item/?item=zzzz")
    assert "in view:" in text(viewer, "/pages/item/")


def test_drafts_are_looked_at_beside_what_is_served(viewer: Client, tea_drinker: Customer) -> None:
    address = f"/pages/home/?customer={tea_drinker.code}"
    soap = {"attribute": "item", "operator": "is", "values": ["soap-7"]}
    values = {"name": "Soap first", "placement": "home", "action": "pin", "slot": 1, "items": [soap]}
    assert "no rule waits" in text(viewer, f"{address}&draft=yes")
    save_rule(rule=None, values=values, revision=None, by=None, now=NOW)
    assert lists(text(viewer, address))["home"][0] != "Soap 7"
    page = text(viewer, f"{address}&draft=yes")
    assert lists(page)["home"][0] == "Soap 7"
    assert page.count("<span>Soap first</span>") == 2  # the rule that waits, and on its card


def test_a_pin_shows_its_price_before_it_is_a_draft(merchandiser: Client, tea_drinker: Customer) -> None:
    soap = Item.objects.get(shop_id="soap-7")
    asked = f"customer={tea_drinker.code}&pinned={soap.pk}&placement=trending&slot=2"
    whole, part = (
        text(merchandiser, f"/pages/home/pin/?{asked}"),
        merchandiser.get(f"/pages/home/pin/?{asked}", headers={"HX-Request": "true"}).content.decode(),
    )
    assert "<html" in whole
    assert "<html" not in part
    for page in (whole, part):
        assert "of the slots" in page
        assert "Make a draft" in page
        assert f'href="/pages/home/?customer={tea_drinker.code}"' in page  # Cancel leaves nothing
    assert not Rule.objects.exists()
    sent = {"pinned": soap.pk, "placement": "trending", "slot": 2}
    answer = merchandiser.post(f"/pages/home/pin/draft/?customer={tea_drinker.code}", sent)
    assert answer["Location"] == f"/pages/home/?customer={tea_drinker.code}&draft=yes"
    rule = Rule.objects.get()
    assert (rule.action, rule.slot, rule.placement and rule.placement.name) == ("pin", 2, "trending")
    assert lists(text(merchandiser, answer["Location"]))["trending"][1] == "Soap 7"


def test_lists_before_and_after_go_as_far_as_the_shop_shows_them(merchandiser: Client) -> None:
    soap = Item.objects.get(shop_id="soap-7")
    page = text(merchandiser, f"/pages/home/pin/?pinned={soap.pk}&placement=home&slot=3")
    assert re.search(r"Accuracy [+−]?\d+\.\d+%</strong>", page)  # in per cent, as in the list of rules
    assert not re.search(r">[^<]*\b0\.\d{3}", page)
    after = page.split("With the change")[1:]
    assert len(after) == 3
    for one in after:
        [title] = re.findall(r'class="num">3</span>.*?title="([^"]+)"', one.partition("</ol>")[0], flags=re.DOTALL)
        assert title == "Soap 7"


def test_a_pin_that_cannot_be_says_why(merchandiser: Client) -> None:
    soap = Item.objects.get(shop_id="soap-7").pk
    assert "Make a draft" not in text(merchandiser, f"/pages/home/pin/?pinned={soap}&placement=home&slot=101")
    merchandiser.post("/pages/home/pin/draft/", {"pinned": soap, "placement": "home"})
    assert not Rule.objects.exists()
    assert merchandiser.get("/pages/home/pin/?pinned=0&placement=home&slot=1").status_code == 404
    page = text(merchandiser, f"/pages/home/pin/?pinned={soap}&placement=nowhere&slot=1")
    assert "There is no placement “nowhere”" in page
    assert "Make a draft" not in page


def test_who_may_not_draft_sees_no_pins(viewer: Client, merchandiser: Client) -> None:
    assert "card-pin" not in text(viewer, "/pages/home/")
    assert "draggable" not in text(viewer, "/pages/home/")
    page = text(merchandiser, "/pages/home/")
    assert "card-pin" in page
    assert "Arrange lists" not in page


def test_an_admin_arranges_the_lists_of_a_page(admin: Client, django_capture_on_commit_callbacks: Any) -> None:
    keys = dict(Placement.objects.values_list("name", "pk"))
    assert "Arrange lists" in text(admin, "/pages/home/")
    form = text(admin, "/pages/home/arrange/")
    assert f'name="position-{keys["home"]}" value="1"' in form
    sent = {f"position-{keys['trending']}": 1, f"position-{keys['home']}": 4, f"n-{keys['home']}": 3}
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post("/pages/home/arrange/", sent)["Location"] == "/pages/home/"
    home = ShopPage.objects.get(name="home")
    assert list(home.slots.values_list("placement__name", "position", "n")) == [("trending", 1, None), ("home", 2, 3)]
    shown = lists(text(admin, "/pages/home/"))
    assert list(shown) == ["trending", "home"]
    assert len(shown["home"]) == 3
    entry = AuditEntry.objects.get(object_type="shoppage")
    assert entry.after == {"slots": ["trending", "home 3"]}
    assert "Page of the shop" in text(admin, "/activity/")
    assert admin.post("/pages/home/arrange/", sent)["Location"] == "/pages/home/"
    assert AuditEntry.objects.filter(object_type="shoppage").count() == 1  # nothing changed


@pytest.mark.parametrize(
    ("position", "n", "said"),
    [
        ("0", "", "home: the position"),
        ("x", "", "home: the position"),
        ("1", "101", "from 1 to 100"),
        ("", "", "at least one"),
    ],
)
def test_what_is_typed_wrongly_is_refused_and_kept(admin: Client, position: str, n: str, said: str) -> None:
    key = Placement.objects.get(name="home").pk
    answer = admin.post("/pages/home/arrange/", {f"position-{key}": position, f"n-{key}": n})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert said in page
    assert f'name="position-{key}" value="{position}"' in page
    assert ShopPage.objects.get(name="home").slots.count() == 5


def test_a_pin_while_one_customer_is_looked_at_says_whom_it_is_for(merchandiser: Client, tea_drinker: Customer) -> None:
    """A drag pinned for everybody, and the page spoke of one customer."""
    soap = Item.objects.get(shop_id="soap-7")
    asked = f"pinned={soap.pk}&placement=home&slot=2"
    assert "not only for" not in text(merchandiser, f"/pages/home/pin/?{asked}")
    page = text(merchandiser, f"/pages/home/pin/?customer={tea_drinker.code}&{asked}")
    assert f"This pins it for everyone, not only for {tea_drinker.code}." in page
    assert f"Only for {tea_drinker.code}" in page
    sent = {"pinned": soap.pk, "placement": "home", "slot": 2}
    address = f"/pages/home/pin/draft/?customer={tea_drinker.code}"
    merchandiser.post(address, sent)
    merchandiser.post(address, sent | {"only": "yes"})
    rules = Rule.objects.order_by("pk")
    assert [rule.customer for rule in rules] == [None, tea_drinker]
    assert rules[1].name == f"Pin Soap 7 to slot 2 on “For you” for {tea_drinker.code}"
