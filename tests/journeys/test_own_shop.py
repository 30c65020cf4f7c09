"""``make shop`` as an engineer runs it in a fresh clone: a bad file, own files, one run, pages, API, a second start."""

import http.cookiejar
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.journeys.test_demo import clone, get
from tests.recsite.processes import Family, wait_for
from tests.recsite.test_embedded import environment

__all__ = ["clone"]

pytestmark = [pytest.mark.demo, pytest.mark.timeout(900)]

PORT = 8769
FIRST_SECONDS = 400  # one minute on a quiet machine
SECOND_SECONDS = 90  # fifteen, there
CUSTOMERS, ITEMS = 120, 60


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Google's product feed, and half a year of a shop's events."""
    heads = "id\ttitle\tlink\timage_link\tprice\tavailability\tproduct_type\n"
    (tmp_path / "feed.tsv").write_text(heads + "".join(map(item, range(ITEMS))), encoding="utf-8")
    draw, now = random.Random(7), datetime.now(UTC)
    lines = ["name,timestamp,user_id,item_id,quantity,price,transaction_id"]
    for person in range(CUSTOMERS):
        for visit in range(3):
            at = now - timedelta(days=draw.uniform(1, 150))
            for sku in draw.sample(range(person % 3, ITEMS, 3), 2):
                lines.append(f"view_item,{at.isoformat()},u{person},SKU{sku},,,")
                lines.append(f"purchase,{at.isoformat()},u{person},SKU{sku},1,9.90,t{person}-{visit}")
    (tmp_path / "events.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def item(number: int) -> str:
    picture = "" if number % 10 == 0 else f"https://shop.example/{number}.png"
    kind = ("Shoes", "Jackets", "Socks")[number % 3]
    return f"SKU{number}\tThing {number}\thttps://shop.example/p/{number}\t{picture}\t9.90 USD\tin stock\t{kind}\n"


class Starts:
    """Starts of the shop in a clone, each with its log."""

    def __init__(self, clone: Path, logs: Path) -> None:
        self._clone, self._logs, self.families = clone, logs, list[Family]()

    def start(self, *variables: str) -> tuple[Family, Path]:
        log = self._logs / f"{len(self.families)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["make", "shop", "DATA=own", f"PORT={PORT}", *variables],
                cwd=self._clone, env=environment(0), stdout=output, stderr=subprocess.STDOUT, text=True,
                start_new_session=True,
            )  # fmt: skip
        self.families.append(Family(process))
        return self.families[-1], log

    def until_up(self, *variables: str, seconds: float) -> tuple[Family, str]:
        family, log = self.start(*variables)

        def printed() -> bool:
            return "Ctrl-C" in log.read_text(encoding="utf-8")

        assert wait_for(lambda: printed() or family.process.poll() is not None, seconds=seconds), "too slow"
        text = log.read_text(encoding="utf-8")
        assert printed(), text[-3000:]
        return family, text


@pytest.fixture
def starts(clone: Path, tmp_path: Path) -> Iterator[Starts]:
    begun = Starts(clone, tmp_path)
    yield begun
    for family in begun.families:
        family.end()


def page_of_staff(url: str, path: str, *, email: str, password: str) -> str:
    """A page of the dashboard, after the login form was filled in."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = browser.open(f"{url}login/", timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "username": email, "password": password, "next": path}
    data = urllib.parse.urlencode(fields).encode()
    with browser.open(urllib.request.Request(f"{url}login/", data, {"Referer": url}), timeout=30) as answer:
        return str(answer.read().decode())


def test_make_shop_goes_from_two_files_to_answers_and_a_page_of_what_they_allow(
    clone: Path, starts: Starts, files: Path
) -> None:
    bad = files / "bad.csv"
    bad.write_text("what,when\nlooked,yesterday\n", encoding="utf-8")
    given = f"ITEMS={files / 'feed.tsv'}", f"EVENTS={files / 'events.csv'}"
    family, log = starts.start(given[0], f"EVENTS={bad}")
    assert family.is_gone(seconds=FIRST_SECONDS)
    assert family.process.returncode == 2  # make's, where its recipe ended with 1
    assert "bad.csv, line 1: the column" in log.read_text(encoding="utf-8")

    family, text = starts.until_up(*given, "NAME=Trail & Co", seconds=FIRST_SECONDS)
    login = re.search(r"Login +(\S+) +(\S+)", text)
    key = re.search(r"Server key +(\S+)", text)
    assert login
    assert key
    assert "Pages key" in text
    url = f"http://127.0.0.1:{PORT}/"
    status, body = get(f"{url}api/v1/placements/home/recommend/?user_id=u7&n=5", key[1])
    answer = json.loads(body)
    assert (status, len(answer["results"]), answer["source"]) == (200, 5, "model")
    page = page_of_staff(url, "/setup/your-data/", email=login[1], password=login[2])
    assert f"{CUSTOMERS} customers with two acts or more; recommendations of their own for 100% of all" in page
    assert "Trail &amp; Co" in page
    assert "Fill in pictures" in page
    family.members()
    family.process.send_signal(signal.SIGINT)
    assert family.is_gone(seconds=30), family.members()

    with (files / "feed.tsv").open("a", encoding="utf-8") as feed:
        feed.write(item(ITEMS))
    begin = time.monotonic()
    family, text = starts.until_up(seconds=SECOND_SECONDS)
    assert time.monotonic() - begin < SECOND_SECONDS
    assert f"feed.tsv: {ITEMS + 1} rows: 1 kept, {ITEMS} already there" in text
    assert "events.csv has not changed" in text
    assert login[2] not in text
    assert key[1] not in text
    assert get(f"{url}api/v1/placements/home/recommend/?user_id=u7&n=5", key[1])[0] == 200
    secrets = {login[2], key[1]}
    private = [path for path in (clone / "own").glob("*.json*") for each in secrets if each in path.read_text()]
    assert private == []
    os.kill(family.process.pid, signal.SIGKILL)
    assert family.is_gone(seconds=30), family.members()
