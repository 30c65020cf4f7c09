"""A shopper behind the links of mails: what they get, how often, everything stopped and back; confirming; erasing."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext
from pytest_django.live_server_helper import LiveServer

from recommendations.models import Address, Contact, Item, Permission, Suppression
from recommendations.services.contacts.links import path_of
from recommendations.services.contacts.tokens import LinkKind, SignedLink
from tests.journeys.conftest import Visitor, until
from tests.public.pages import contact, page_of, states

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS = [(1440, "light", "en"), (390, "dark", "en"), (1440, "dark", "zh-hans"), (390, "light", "zh-hans")]
SMALLEST = """() => [...document.querySelectorAll("button, input, select, .languages a, summary")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 24 && !each.closest("label"))
  .map((each) => each.outerHTML)"""

type Open = Callable[..., Visitor]


@pytest.fixture
def phone(live_server: LiveServer, browser: Browser) -> Iterator[Open]:
    """Open a window without any cookie, in which no script runs but ours of the tests."""
    contexts: list[BrowserContext] = []

    def open_window(*, width: int = 390, theme: str = "light") -> Visitor:
        context = browser.new_context(
            reduced_motion="reduce", color_scheme="dark" if theme == "dark" else "light", accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 844})
        return Visitor(page=page, site=live_server.url)

    yield open_window
    for context in contexts:
        context.close()


def own_page(address: Address, kind: LinkKind, *, minutes: int = 0) -> str:
    """A page that the shop or an answer leads the owner of an address to."""
    item, _new = Item.objects.get_or_create(shop_id="tea", title="Tea")
    link = SignedLink(kind, address.contact_id, item=item.pk, minutes=minutes)
    return path_of(link, now=timezone.now())


def done(shopper: Visitor) -> str:
    """What the page says was done; it has the focus, so that a screen reader begins there."""
    shopper.page.wait_for_load_state()
    shopper.page.wait_for_selector(".said")
    until(shopper.page, "document.activeElement.matches('.said')")  # the browser gives it when it has drawn the page
    return shopper.page.inner_text(".said p")


def press(shopper: Visitor, role: str, name: str) -> str:
    shopper.page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]
    return done(shopper)


def switched(shopper: Visitor, name: str) -> str | None:
    return shopper.page.get_by_role("switch", name=name).get_attribute("aria-checked")


def test_a_shopper_chooses_and_takes_it_back(phone: Open) -> None:
    shopper = phone()
    shopper.visit(page_of(contact()))
    assert (switched(shopper, "Recommendations for you"), switched(shopper, "Reminders")) == ("true", "false")
    shopper.page.get_by_role("switch", name="Recommendations for you").focus()
    shopper.page.keyboard.press("Space")
    assert "You are unsubscribed from “Recommendations for you”." in done(shopper)
    assert switched(shopper, "Recommendations for you") == "false"
    assert states() == {"for_you": "withdrawn", "news": "refused"}
    assert press(shopper, "button", "Undo") == "Undone: everything is as it was before."
    assert states() == {"for_you": "given", "news": "refused"}

    assert "Paused: nothing is sent until" in press(shopper, "button", "Pause for 4 weeks")
    assert shopper.page.get_by_role("button", name="End the pause").is_visible()
    shopper.page.get_by_label("At most one a week").check()
    assert press(shopper, "button", "Save how often") == "You get at most 1 mail a week."
    assert Contact.objects.get().paused_until is not None
    assert Contact.objects.get().most_a_week == 1

    shopper.page.get_by_role("link", name="简体中文").click()
    shopper.page.wait_for_selector("html[lang=zh-hans]")
    assert done(shopper) == "您每周最多收到 1 封邮件。"
    assert "已全部停止" in press(shopper, "button", "全部停止")
    assert Suppression.objects.get().reason == "unsubscribed_all"
    assert "given" not in states().values()
    assert press(shopper, "button", "撤销") == "已恢复原状。"
    assert states() == {"for_you": "given", "news": "refused"}
    assert not Suppression.objects.exists()
    assert shopper.page.context.cookies() == []
    assert shopper.complaints() == []


def test_quiet_hours_and_no_recommendations_by_traits(phone: Open) -> None:
    shopper = phone(width=1440)
    shopper.visit(page_of(contact()))
    shopper.page.get_by_label("From").fill("22:00")
    shopper.page.get_by_label("until").fill("07:00")
    shopper.page.get_by_label("Time zone").select_option("Asia/Shanghai")
    assert press(shopper, "button", "Save quiet hours") == "Nothing is sent between 22:00 and 07:00 (Asia/Shanghai)."
    assert "no quiet hours" in press(shopper, "button", "No quiet hours")
    assert Contact.objects.values_list("quiet_from", "time_zone").get() == (None, "Asia/Shanghai")
    shopper.page.get_by_role("switch", name="Recommend by what I bought and looked at").click()
    assert "no longer used" in done(shopper)
    assert not Contact.objects.get().customer.personalise
    shopper.page.get_by_label("From").fill("22:00")
    shopper.page.get_by_role("button", name="Save quiet hours").click()
    assert done(shopper) == "Quiet hours need two different times, from and until."


def test_confirming_and_erasing(phone: Open, tmp_path: Path) -> None:
    address, shopper = contact(confirmed=False), phone()
    shopper.visit(page_of(address, LinkKind.CONFIRM))
    shopper.page.get_by_role("button", name="Yes, write to me").click()
    shopper.page.get_by_role("heading", name="Thank you, this is confirmed").wait_for()
    assert Permission.objects.get(purpose="for_you").state == "given"
    shopper.page.get_by_role("link", name="Choose what you get").click()
    shopper.page.get_by_role("heading", name="Your mails").wait_for()

    shopper.visit(page_of(address, LinkKind.OWN_DATA))
    with shopper.page.expect_download() as download:
        shopper.page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "own.json")
    content = json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))
    assert content["addresses"][0]["address"] == "u1@example.com"
    shopper.page.get_by_text("Erase what is kept to write to me").click()
    shopper.page.get_by_role("button", name="Erase this now").click()
    shopper.page.get_by_role("heading", name="It is erased").wait_for()
    assert not Address.objects.exists()
    assert shopper.complaints() == []


@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_every_page_is_in_order(phone: Open, width: int, theme: str, language: str) -> None:
    """Axe, the policy and the console are content, and nothing is too small for a finger."""
    shopper, waiting, own = phone(width=width, theme=theme), contact(confirmed=False), contact(user_id="u2")
    Contact.objects.filter(pk=own.contact_id).update(quiet_from="22:00", quiet_until="07:00")
    for page in (
        page_of(own),
        page_of(waiting),
        page_of(waiting, LinkKind.CONFIRM),
        page_of(own, LinkKind.CONFIRM),
        page_of(own, LinkKind.OWN_DATA),
        f"{page_of(own)}?sent=data&",
        *(own_page(own, kind) for kind in (LinkKind.DISLIKE, LinkKind.OBJECT, LinkKind.MY_DATA)),
        own_page(own, LinkKind.MY_DATA, minutes=60),
    ):
        shopper.visit(f"{page}{'' if '?' in page else '?'}language={language}")
        assert shopper.page.locator("html").get_attribute("lang") == language
        assert shopper.complaints() == [], page
        assert shopper.page.evaluate(SMALLEST) == [], page
    shopper.page.locator("summary").evaluate_all("(each) => each.forEach((one) => one.click())")
    assert shopper.complaints() == []
    shopper.page.locator("button[value=sure]").click()
    shopper.page.wait_for_selector("#word")
    assert shopper.complaints() == []
    assert shopper.page.evaluate(SMALLEST) == []
    shopper.visit(f"{page_of(own)}?language={language}")
    shopper.page.get_by_role("switch").first.click()
    done(shopper)
    assert shopper.complaints() == []
    shopper.visit(f"/m/p/unknown/?language={language}")
    shopper.problems.clear()  # the console complains of the status
    assert shopper.complaints() == []
