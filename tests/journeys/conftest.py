"""A learned shop behind a real server, and a browser that reports everything that a reader must not see."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_django
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from playwright.sync_api import Error as PageError
from pytest_django.live_server_helper import LiveServer

from recommendations.models import (
    Staff,
)
from tests.journeys.furnishing import EMAIL, PASSWORD, furnish
from tests.trained import trained_shop

AXE = (Path(__file__).parents[1] / "vendor/axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CLOCK = 5.0  # seconds by which a browser may be off
AXE_OF_SITE = """() => new Promise((done, fail) => {
  const script = Object.assign(document.createElement("script"), { src: "/static/axe.min.js", onerror: fail });
  script.onload = () => { script.remove(); done(); };
  document.head.append(script);
})"""
"""As any script of the site it is kept by the browser, ready compiled; to send its text takes longer."""
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[str]:
    """Address of a server over the learned shop, with one admin."""
    with trained_shop(django_db_blocker, then=furnish):
        server = LiveServer("127.0.0.1")
        try:
            with override_settings(PUBLIC_URL=server.url):  # where the pictures of mails are
                yield server.url
        finally:
            server.stop()


def committed[T](work: Callable[[], T]) -> T:
    """Do work in a thread, which is outside the test's own transaction, so that the server sees it."""

    def alone() -> T:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


def _session() -> str:
    """Key of a new session of Ada's."""
    client = Client()
    client.force_login(Staff.objects.get(email=EMAIL))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def until(page: Page, script: str, arg: Any = None, *, seconds: float = 30) -> None:
    """Wait until the script says yes, on whatever page that comes to be.

    ``Page.wait_for_function`` asks a second time by ``eval``, which the policy of our pages refuses.
    """
    end = time.monotonic() + seconds
    while not _says_yes(page, script, arg):
        assert time.monotonic() < end, script
        page.wait_for_timeout(50)


def _says_yes(page: Page, script: str, arg: Any) -> bool:
    try:
        return bool(page.evaluate(script, arg))
    except PageError as error:
        if "context was destroyed" not in error.message:
            raise
        return False  # another page is on its way


@dataclass
class Visitor:
    """A browser window on the site; ``problems`` collects what its console and its policy complained of."""

    page: Page
    site: str
    problems: list[str] = field(default_factory=list)
    axe_at: tuple[str, ...] = ()  # sites that have axe among their files and let it in

    def __post_init__(self) -> None:
        self.page.add_init_script(VIOLATIONS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    def log_in(self) -> None:
        """Sign Ada in without the form and the pages behind it, which take seconds; there is no page yet."""
        self.page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": committed(_session), "url": self.site}]
        )

    def log_in_by_form(self) -> None:
        self.page.goto(f"{self.site}/login/")
        self.page.fill("#id_username", EMAIL)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("form.stack button")
        self.page.wait_for_url(f"{self.site}/")

    def visit(self, address: str) -> None:
        self.page.goto(self.site + address)
        self.settle()

    def settle(self) -> None:
        """Wait until every chart that the page has is drawn, and what comes after it is there, with its frames."""
        self.page.wait_for_load_state()
        until(self.page, "() => !document.querySelector('[data-comes]')")
        for frame in self.page.frames:
            frame.wait_for_load_state()
        until(
            self.page,
            "() => [...document.querySelectorAll('[data-figure-for]')]"
            ".every((script) => document.getElementById(script.dataset.figureFor).dataset.drawn)",
        )

    def complaints(self) -> list[str]:
        """Complaints of console, policy and accessibility rules, and a page wider than its window."""
        self.page.wait_for_load_state()
        complaints = self.problems + [f"policy: {text}" for text in self.page.evaluate("window.violations")]
        if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            complaints.append("the page is wider than its window")
        self.page.evaluate(AXE_OF_SITE if self.page.url.startswith(self.axe_at) else AXE)
        answer: dict[str, Any] = self.page.evaluate(
            "(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'], preload: false, iframes: false })", RULES
        )
        complaints += [
            f"axe: {violation['id']}: {node['html'][:200]}"
            for violation in answer["violations"]
            for node in violation["nodes"]
        ]
        return complaints


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser's profile that keeps scripts and styles from test to test: a page loads in a third of the time."""
    context = browser.new_context(reduced_motion="reduce")
    context.new_page()  # stays, to forget what the others leave
    yield context
    context.close()


@pytest.fixture
def window(site: str, browser: Browser, profile: BrowserContext) -> Iterator[Callable[..., Visitor]]:
    """Make a visitor with a window of this width, and the theme and language of an earlier visit.

    The first one of a test has the profile of all tests, with nothing of theirs but the cache; others, and one that is
    to be ``alone``, have their own.
    """
    contexts: list[BrowserContext] = []
    origins: set[str] = set()

    def make(*, width: int = 1440, theme: str = "light", language: str = "en", alone: bool = False) -> Visitor:
        context = browser.new_context(reduced_motion="reduce") if alone or contexts else profile
        contexts.append(context)
        cookies = {"recsite_theme": theme, "django_language": language}
        context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
        page = context.new_page()
        page.on("framenavigated", lambda frame: origins.add("{0.scheme}://{0.netloc}".format(urlsplit(frame.url))))
        page.set_viewport_size({"width": width, "height": 900})
        return Visitor(page=page, site=site, axe_at=(site,))

    yield make
    for context in contexts:
        if context is not profile:
            context.close()
    forget(profile, origins)


def forget(profile: BrowserContext, origins: set[str]) -> None:
    """Close the windows, and leave nothing of what pages of these origins have stored but the cache.

    A window goes on storing until it is closed: what it stored is forgotten after that, by the one that stays.
    """
    blank, *windows = profile.pages
    ahead = blank.evaluate("Date.now()") / 1_000 - time.time()
    assert abs(ahead) < CLOCK, "who moves the clock, which all windows of the profile share, asks for one alone"
    for page in windows:
        page.close()
    session = profile.new_cdp_session(blank)
    for origin in origins:  # the site, and the shop of the demo; to ask the profile for them takes longer
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
    session.detach()
    profile.clear_cookies()
    profile.clear_permissions()


@pytest.fixture
def ada(window: Callable[..., Visitor]) -> Visitor:
    """A visitor signed in, in English and with the theme of the system, which is light."""
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme="auto", language="en"))
    visitor = window(theme="auto")
    visitor.log_in()
    return visitor
