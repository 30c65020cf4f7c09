"""Answers that a test keeps back until it has looked at what a page says meanwhile."""

from collections.abc import Callable

from playwright.sync_api import Page, Route

ASK = "(number) => { new Image().src = `${document.querySelector('link[rel=icon]').href}?held=${number}`; }"


def holding(page: Page, address: str) -> Callable[[int], Route]:
    """Requests to an address wait from now on; what is returned waits for the nth of them."""
    held = list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    def nth(n: int) -> Route:
        for _ in range(400):
            if len(held) >= n:
                return held[n - 1]
            page.wait_for_timeout(25)
        raise AssertionError(f"{address} was not asked for {n} times")

    page.route(address, hold)
    _begin(page)
    return nth


def _begin(page: Page) -> None:
    """Wait until the page's requests are held: on a busy machine one got through after ``route`` had returned."""
    seen = list[str]()

    def see(route: Route) -> None:
        seen.append(route.request.url)
        route.continue_()

    page.route("**/*?held=*", see)
    for number in range(400):
        page.evaluate(ASK, number)
        page.wait_for_timeout(25)
        if seen:
            break
    assert seen, "no request is held"
    page.unroute("**/*?held=*")
