"""Answers that a test keeps back until it has looked at what a page says meanwhile."""

from playwright.sync_api import Page, Route

ASK = "(number) => { new Image().src = `${document.querySelector('link[rel=icon]').href}?held=${number}`; }"


class Held:
    """Requests to an address that wait from now on; called with n it waits for the nth of them."""

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._address = page, address
        self._routes, self._go_on = list[Route](), False
        page.route(address, self._hold)

    def _hold(self, route: Route) -> None:
        if self._go_on:
            route.continue_()
        else:
            self._routes.append(route)

    def __call__(self, n: int) -> Route:
        for _ in range(400):
            if len(self._routes) >= n:
                return self._routes[n - 1]
            self._page.wait_for_timeout(25)
        raise AssertionError(f"{self._address} was not asked for {n} times")

    def let_go(self) -> None:
        """Let all go on that wait, and what comes after them: a page may ask again in place of what it asked first."""
        self._go_on = True
        for route in self._routes:
            route.continue_()


def holding(page: Page, address: str) -> Held:
    """Hold requests to an address: from now on, or where there is no page yet from its first one on."""
    held = Held(page, address)
    if page.url != "about:blank":
        _begin(page)
    return held


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
