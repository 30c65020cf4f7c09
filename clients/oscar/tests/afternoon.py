"""An afternoon with both: a shop on django-oscar beside a Recsite of its own, all of it real, and a browser.

    python clients/oscar/tests/afternoon.py --oscar .tools/oscar/bin/python [--sandbox …/django-oscar/sandbox]

``make check-oscar`` runs it, after the tests that need no Recsite. Without ``--sandbox`` the shop is the smallest one
(``tests/shop``); with it it is Oscar's own, from a clone of its repository.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = ROOT / ".venv/bin/python"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PATIENCE = 180.0  # seconds for anything that comes by itself
ADDRESS = {"first_name": "Ann", "last_name": "Lee", "line1": "1 High Street", "line4": "London", "postcode": "N1 9RT"}
EVENTS = """
import json
from django.apps import apps
model = lambda name: apps.get_model("recommendations", name)
print("JSON", json.dumps({
    "events": [list(row) for row in model("Event").objects.exclude(source="import").order_by("received_at").values_list(
        "name", "item__shop_id", "transaction_id", "recommendation_id", "customer_id")],
    "attributed": [list(row) for row in model("AttributedLine").objects.values_list(
        "name", "item__shop_id", "transaction_id", "placement", "touch")],
    "people": list(model("CustomerAlias").objects.filter(undone_at=None).values_list("anonymous_id", flat=True)),
    "sold_out": list(model("Item").objects.filter(available_quantity=0).values_list("shop_id", flat=True)),
}, default=str))
"""


class MissedError(Exception):
    """Something did not come about."""


@dataclass
class Afternoon:
    """Folder, ports and programs of one afternoon."""

    oscar: Path
    sandbox: Path | None
    folder: Path
    recsite_port: int
    shop_port: int
    address: str = ""
    """Of the page of the item that was bought."""
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def shop(self) -> Path:
        return HERE / "shop" if self.sandbox is None else self.folder / "sandbox"

    @property
    def shop_url(self) -> str:
        return f"http://127.0.0.1:{self.shop_port}"

    @property
    def recsite_url(self) -> str:
        return f"http://127.0.0.1:{self.recsite_port}"

    def environment(self) -> dict[str, str]:
        module = "shop_settings" if self.sandbox is None else "settings_recsite"
        paths = f"{HERE / 'shop'}:{ROOT / 'clients/oscar'}:{ROOT / 'clients/python'}"
        given = {
            "SHOP_DATA": str(self.folder / "shop"), "DJANGO_SETTINGS_MODULE": module, "PYTHONPATH": paths,
            "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1", "RECSITE_SHOP_URL": self.shop_url,
            "SHOP_TEMPLATES": str(HERE / "shop/templates"),
        }  # fmt: skip
        return os.environ | given | self.keys

    def manage(self, *argv: str) -> str:
        """Run a command of the shop, and return what it printed."""
        return run([str(self.oscar), "manage.py", *argv], cwd=self.shop, env=self.environment())

    def embedded(self, *argv: str) -> list[str]:
        return [str(PYTHON), "-m", "recsite.embedded", "--data", str(self.folder / "own"), "--", str(PYTHON), *argv]

    def looked_up(self) -> dict[str, Any]:
        """What Recsite's database has."""
        out = run(self.embedded("manage.py", "shell", "-v0", "-c", EVENTS), cwd=ROOT, env=dict(os.environ))
        line = next(line for line in out.splitlines() if line.startswith("JSON "))
        result: dict[str, Any] = json.loads(line.removeprefix("JSON "))
        return result

    def await_in_database(self, what: str, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            database = self.looked_up()
            if holds(database):
                return database
            time.sleep(2)
        raise MissedError(f"{what}: not in {PATIENCE:.0f} seconds. {json.dumps(database)[-3000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oscar", type=Path, required=True, help="a Python with django-oscar")
    parser.add_argument("--sandbox", type=Path, help="the folder of that name in a clone of django-oscar")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oscar-") as folder, ExitStack() as stack:
        sandbox = options.sandbox and options.sandbox.resolve()
        day = Afternoon(options.oscar.absolute(), sandbox, Path(folder), free_port(), free_port())
        step("A shop with products and orders", lambda: open_shop(day))
        step("Its items and orders as files", lambda: write_files(day))
        its = stack.enter_context(ExitStack())
        step("Recsite takes them, trains, and gives keys", lambda: its.enter_context(recsite(day, first=True)))
        step("The shop has nothing to complain about, and sends its items", lambda: check_and_send(day))
        step("The shop's pages are there", lambda: stack.enter_context(pages(day)))
        with browser() as page:
            order, item = step("A visitor sees a slot, clicks, and buys as a guest", lambda: visit(day, page))
            step("Recsite knows which answer sold it", lambda: attributed(day, order=order, item=item))
            step("The visitor registers and is one person", lambda: register(day, page))
            step("Recsite knows what is sold out now", lambda: sell_out(day))
            step("Recsite goes", its.close)
            order = step("The shop goes on without, and sells", lambda: sell_without(day, page))
            step("Recsite comes back", lambda: stack.enter_context(recsite(day, first=False)))
            step("It has the order, once", lambda: has_once(day, order))
        say("All of it came about.")


def step(title: str, work: Callable[[], Any]) -> Any:
    begin = time.monotonic()
    result = work()
    say(f"{time.monotonic() - begin:6.1f} s  {title}")
    return result


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# --- both sides


def open_shop(day: Afternoon) -> None:
    (day.folder / "shop").mkdir()
    if day.sandbox is None:
        day.manage("migrate", "-v0")
        day.manage("shell", "-v0", "-c", "from shelves import stock_shelves; stock_shelves()")
    else:
        open_sandbox(day, day.sandbox)
    day.manage("shell", "-v0", "-c", "from history import order_history; order_history()")


def open_sandbox(day: Afternoon, source: Path) -> None:
    """Oscar's sandbox as its own Makefile builds it, with the adapter in settings of its own."""
    shutil.copytree(source, day.shop, ignore=shutil.ignore_patterns("db.sqlite", "whoosh_index", "media"))
    shutil.copy(HERE / "shop/sandbox_settings.py", day.shop / "settings_recsite.py")
    books = sorted(str(path.relative_to(day.shop)) for path in day.shop.glob("fixtures/books.*.csv"))
    day.manage("migrate", "-v0")
    day.manage("loaddata", "fixtures/auth.json", "fixtures/child_products.json")
    day.manage("oscar_import_catalogue", *books)
    day.manage("oscar_import_catalogue_images", "fixtures/images.tar.gz")
    day.manage("oscar_populate_countries", "--initial-only")
    day.manage("loaddata", *(f"fixtures/{name}.json" for name in ("pages", "ranges", "offers", "orders")))
    day.manage("update_index", "catalogue")


def write_files(day: Afternoon) -> None:
    day.manage("recsite_items", "--file", str(day.folder / "items.jsonl"))
    day.manage("recsite_orders", "--file", str(day.folder / "orders.csv"))


@contextmanager
def recsite(day: Afternoon, *, first: bool) -> Iterator[None]:
    argv = ["manage.py", "shop", "--port", str(day.recsite_port), "--origin", day.shop_url]
    if first:
        argv += ["--items", str(day.folder / "items.jsonl"), "--events", str(day.folder / "orders.csv")]
    log = day.folder / "recsite.log"
    with running(day.embedded(*argv), log, cwd=ROOT, env=os.environ | {"SHOP_CURRENCY": "GBP"}) as process:
        if first:  # keys are shown once
            text = awaited(log, process, r"Pages key\s+\S+")
            server, pages_key = (re.search(rf"{name} key\s+(\S+)", text) for name in ("Server", "Pages"))
            assert server is not None, text
            assert pages_key is not None, text
            day.keys = {"RECSITE_URL": day.recsite_url, "RECSITE_KEY": server[1], "RECSITE_PAGES_KEY": pages_key[1]}
        awaited_answer(f"{day.recsite_url}/readyz", process)
        yield


def check_and_send(day: Afternoon) -> None:
    assert "oscar_recsite" not in day.manage("check")
    lines = (day.folder / "items.jsonl").read_text().splitlines()
    out = day.manage("recsite_items")
    assert f"0 items created, 0 updated, {len(lines)} unchanged" in out, out  # the file said the same
    assert " 0 refused" in out, out
    assert re.search(
        r"^0 orders sent, \d+ were there, 0 refused", day.manage("recsite_orders", "--days", "60"), re.MULTILINE
    )


@contextmanager
def pages(day: Afternoon) -> Iterator[None]:
    argv = [str(day.oscar), "manage.py", "runserver", str(day.shop_port), "--noreload"]
    with running(argv, day.folder / "shop.log", cwd=day.shop, env=day.environment()) as process:
        awaited_answer(f"{day.shop_url}/catalogue/", process)
        yield


# --- the visitor


@contextmanager
def browser() -> Iterator[Page]:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, (shutil.which(name) for name in names if name)), None)
    if program is None:
        sys.exit("No Chromium: install it, or name it with CHROMIUM=/path/to/chromium.")
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = chromium.new_context(user_agent=AGENT, viewport={"width": 1200, "height": 1000}).new_page()
        page.route(re.compile(r"^https://"), lambda route: route.abort())  # Oscar's jQuery comes from elsewhere
        yield page
        chromium.close()


def visit(day: Afternoon, page: Page) -> tuple[str, str]:
    """Look at the shop, click in the slot, put it into the basket and order as a guest: the order and the item."""
    page.goto(f"{day.shop_url}/")
    slot = page.locator("[data-recsite-slot=home]")
    assert slot.locator("li").count() == 4
    assert slot.locator("li .product_pod").count() == 4, "tiles are not the shop's own"
    tile = slot.locator("li").first
    item = tile.get_attribute("data-item-id") or ""
    tile.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)  # it is seen, and the tracker says so
    tile.locator("h3 a").click()
    assert re.search(r"\?rid=r-\w+$", page.url), page.url
    day.address = page.url.partition("?")[0]
    page.locator("#add_to_basket_form button[type=submit]").click()
    page.goto(f"{day.shop_url}/basket/")
    page.goto(f"{day.shop_url}/checkout/")
    page.fill("[name=username]", "guest@example.com")
    page.check("input[name=options][value=anonymous]")
    page.locator("form button:has-text('Continue')").first.click()
    return pay(page), item


def pay(page: Page) -> str:
    """Go through the rest of the checkout: the order's number."""
    for name, value in ADDRESS.items():
        page.fill(f"[name={name}]", value)
    if page.locator("select[name=country]").count():
        page.select_option("select[name=country]", "GB")
    page.locator("form#new_shipping_address button[type=submit]").click()
    page.locator("a:has-text('Continue'), button:has-text('Continue')").first.click()
    page.locator("#place-order").click()
    assert "thank-you" in page.url, page.url
    number = re.search(r"\b1\d{5}\b", page.locator("body").inner_text())
    assert number is not None
    return number[0]


def attributed(day: Afternoon, *, order: str, item: str) -> None:
    line = ["purchase", item, order, "home", "click"]
    database = day.await_in_database("the attributed order", lambda database: line in database["attributed"])
    events = database["events"]
    names = {event[0] for event in events}
    assert {"view_item_list", "select_item", "view_item", "add_to_cart", "begin_checkout", "purchase"} <= names, names
    assert len({event[4] for event in events}) == 1, events  # all of one person
    assert sum(event[:3] == ["purchase", item, order] for event in events) == 1, events
    led = {event[0] for event in events if event[3]}
    assert {"view_item_list", "select_item", "view_item", "add_to_cart"} <= led, events


def register(day: Afternoon, page: Page) -> None:
    page.goto(f"{day.shop_url}/accounts/login/")
    page.fill("[name=registration-email]", "ann@example.com")
    for number in (1, 2):
        page.fill(f"[name=registration-password{number}]", "correct horse battery")
    page.locator("[name=registration_submit]").click()
    day.await_in_database("the merger", lambda database: database["people"])


def sell_out(day: Afternoon) -> None:
    code = (
        "from oscar.core.loading import get_model as g; "
        "r = g('partner', 'StockRecord').objects.filter(product__structure='standalone').order_by('pk').first(); "
        "r.num_in_stock = r.num_allocated or 0; r.save(); print('PRODUCT', r.product_id)"
    )
    match = re.search(r"PRODUCT (\d+)", day.manage("shell", "-v0", "-c", code))
    assert match is not None
    day.await_in_database("the item that is sold out", lambda database: match[1] in database["sold_out"])


def sell_without(day: Afternoon, page: Page) -> str:
    begin = time.monotonic()
    page.goto(f"{day.shop_url}/")
    seconds = time.monotonic() - begin
    assert seconds < 5.0, f"the page took {seconds:.1f} seconds"  # with a loaded machine's own
    assert not page.locator("[data-recsite-slot]").count()
    page.goto(day.address)
    page.locator("#add_to_basket_form button[type=submit]").click()
    page.goto(f"{day.shop_url}/checkout/")
    page.goto(f"{day.shop_url}/checkout/shipping-address/")
    return pay(page)


def has_once(day: Afternoon, order: str) -> None:
    """The order waited in the shop's process."""
    database = day.await_in_database(
        "the order", lambda database: [event for event in database["events"] if event[2] == order]
    )
    assert sum(event[2] == order for event in database["events"]) == 1


# --- processes


def run(argv: list[str], *, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissedError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout + done.stderr


@contextmanager
def running(argv: list[str], log: Path, *, cwd: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out, subprocess.Popen(argv, cwd=cwd, env=env, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def awaited(log: Path, process: subprocess.Popen[bytes], pattern: str) -> str:
    """The log, once it has what matches."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        text = log.read_text(errors="replace")
        if re.search(pattern, text):
            return text
        time.sleep(0.2)
    raise MissedError(f"{pattern} did not come:\n{log.read_text(errors='replace')[-4000:]}")


def awaited_answer(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if answers(address):
            return
        time.sleep(0.2)
    raise MissedError(f"{address} does not answer")


def answers(address: str) -> bool:
    try:
        urlopen(address, timeout=10).close()
    except (URLError, ConnectionError, TimeoutError):
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    try:
        main()
    except (MissedError, AssertionError) as error:
        sys.exit(f"It did not come about: {type(error).__name__} {error}")
