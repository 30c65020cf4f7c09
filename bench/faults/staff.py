"""Staff at the dashboard, without a browser: cookies, the token of forms, the heading of a page."""

import http.client
import time
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode

from bench.faults.shop import Shop

PATIENCE = 30.0
TOKEN = "recsite_csrf"  # noqa: S105 - the name of a cookie


class Page(NamedTuple):
    status: int
    heading: str
    seconds: float


class Staff:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._cookies: dict[str, str] = {}

    def page(self, path: str, form: dict[str, str] | None = None) -> Page:
        """GET a page, or send its form."""
        started = time.monotonic()
        headers = {"Host": "localhost", "Cookie": "; ".join(f"{name}={text}" for name, text in self._cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
            headers |= {"X-CSRFToken": self._cookies.get(TOKEN, "")}
        connection = http.client.HTTPConnection("127.0.0.1", self._shop.port, timeout=PATIENCE)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            for line in answer.headers.get_all("Set-Cookie") or []:
                self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        finally:
            connection.close()
        heading = text.partition("<h1")[2].partition(">")[2].partition("</h1>")[0]
        return Page(answer.status, heading.strip(), time.monotonic() - started)

    def log_in(self, email: str = "", password: str = "") -> int:
        """Log in, with the right e-mail and password where none are given."""
        pair = self._shop.facts["staff"]
        self.page("/login/")
        return self.page("/login/", {"username": email or pair[0], "password": password or pair[1]}).status

    def forgot(self) -> int:
        self.page("/password/")
        return self.page("/password/", {"email": self._shop.facts["staff"][0]}).status
