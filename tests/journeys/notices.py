"""What a browser displays of the messages that its service worker opens."""

import time
from typing import Any

from playwright.sync_api import Page

LIST = """async () => (await (await navigator.serviceWorker.getRegistration('/static/worker.js')).getNotifications())
  .map(({ title, body, tag, data }) => ({ title, body, id: tag, url: data.url }))"""
CLOSE = """async () => { for (const each of await (await navigator.serviceWorker.getRegistration(
  '/static/worker.js')).getNotifications()) each.close(); }"""


class Notices:
    """Notifications of a page's site; it counts those that the browser has displayed since it was asked to tell.

    Whoever asks for the list while one is stored and not displayed yet makes Chromium forget that one: nobody asks
    before the browser has told of each.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.displayed = page, 0
        line, service = page.context.new_cdp_session(page), {"service": "notifications"}
        line.on("BackgroundService.backgroundServiceEventReceived", self._heard)
        line.send("BackgroundService.startObserving", service)
        line.send("BackgroundService.setRecording", {"shouldRecord": True, **service})

    def _heard(self, told: dict[str, Any]) -> None:
        self.displayed += told["backgroundServiceEvent"]["eventName"] == "Notification displayed"

    def listed(self, displayed: int) -> list[dict[str, Any]]:
        """Those in the list, by their numbers, once so many have been displayed in all; 30 s at most."""
        end = time.monotonic() + 30
        while self.displayed < displayed:
            assert time.monotonic() < end, f"{self.displayed} of {displayed} displayed"
            self.page.wait_for_timeout(50)
        return sorted(self.page.evaluate(LIST), key=lambda each: (len(each["id"]), each["id"]))

    def close(self) -> None:
        """Put away what is listed."""
        self.page.evaluate(CLOSE)
