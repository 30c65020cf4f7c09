"""The lines of ``docs/storefront.md`` that give a visitor's id to the shop's server, run as they stand there.

Flask, Express and PHP are no part of this project's environment: their lines run where they are found, by
``SNIPPETS_PYTHON`` (a Python with Flask), ``SNIPPETS_NODE`` (a folder where npm installed express) and ``php`` or
``SNIPPETS_PHP``. Without these the test says that they were left out.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.architecture.source import ROOT
from tests.clients.conftest import Pages, Server

DOCS = (ROOT / "docs/storefront.md").read_text(encoding="utf-8")
ANSWER = {"page": "home", "slots": [{"placement": "home", "results": [{"product": {"title": "Green tea"}}]}]}
LOOP = "{% for slot in slots %}{% for each in slot.results %}<p>{{ each.product.title }}</p>{% endfor %}{% endfor %}"
DJANGO = """
import sys
from wsgiref.simple_server import make_server
from django.conf import settings
settings.configure(SECRET_KEY="s", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, TEMPLATES=[
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"]}])
from django.core.wsgi import get_wsgi_application
from django.urls import path
from shop import home
urlpatterns = [path("", home)]
make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
"""
EXPRESS = """
app.engine("html", (_file, { slots }, done) =>
  done(null, slots.flatMap(({ results }) => results).map(({ product }) => `<p>${product.title}</p>`).join("")));
app.set("view engine", "html").listen(process.argv[2], "127.0.0.1");
"""
PHP = '<?php foreach ($slots as $slot) foreach ($slot["results"] as $each) echo "<p>{$each["product"]["title"]}</p>";'
FLASK = "import sys\nfrom shop import app\napp.run(port=int(sys.argv[1]))\n"


def snippet(name: str) -> str:
    """The block of code under **name**."""
    _mark, _, after = DOCS.partition(f"**{name}**")
    assert after, name
    return after.split("```")[1].partition("\n")[2]


def python_with(module: str) -> str:
    """A Python that has such a module; skips where there is none."""
    for program in (sys.executable, os.environ.get("SNIPPETS_PYTHON", "")):
        if (
            program
            and subprocess.run([program, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0
        ):
            return program
    pytest.skip(f"it needs a Python with {module}: SNIPPETS_PYTHON=…")


def of_flask(folder: Path) -> list[str]:
    program = python_with("flask")
    (folder / "shop.py").write_text(snippet("Flask"), encoding="utf-8")
    (folder / "run.py").write_text(FLASK, encoding="utf-8")
    return [program, "run.py"]


def of_django(folder: Path) -> list[str]:
    (folder / "shop.py").write_text(snippet("Django"), encoding="utf-8")
    (folder / "run.py").write_text(DJANGO, encoding="utf-8")
    return [sys.executable, "run.py"]


def of_express(folder: Path) -> list[str]:
    node, modules = shutil.which("node"), Path(os.environ.get("SNIPPETS_NODE", "")) / "node_modules"
    if node is None or not (modules / "express").exists():
        pytest.skip("it needs Node and Express: SNIPPETS_NODE=… (a folder with node_modules)")
    (folder / "node_modules").symlink_to(modules.resolve())
    (folder / "views").mkdir()
    (folder / "views/home.html").touch()
    (folder / "shop.mjs").write_text(snippet("Express") + EXPRESS, encoding="utf-8")
    return [node, "shop.mjs"]


def of_php(folder: Path) -> list[str]:
    php = os.environ.get("SNIPPETS_PHP") or shutil.which("php")
    if php is None:
        pytest.skip("it needs php-cli: SNIPPETS_PHP=…")
    (folder / "shop.php").write_text(snippet("PHP"), encoding="utf-8")
    (folder / "home.php").write_text(PHP, encoding="utf-8")
    return [php, "-S"]


@contextmanager
def running(make: Callable[[Path], list[str]], folder: Path, *, recsite: str) -> Iterator[str]:
    """The shop of a snippet; its address."""
    (folder / "templates").mkdir()
    (folder / "templates/home.html").write_text(LOOP, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    argv = make(folder)
    argv += [f"127.0.0.1:{port}", "shop.php"] if argv[-1] == "-S" else [str(port)]
    given = {"RECSITE_URL": recsite, "RECSITE_KEY": "a.b", "PYTHONPATH": f"{ROOT / 'clients/python'}:{folder}"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(argv, cwd=folder, env=os.environ | given, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(10)


def page_of(address: str, cookie: str = "") -> str:
    """The page of the shop, once it answers."""
    for _ in range(200):
        try:
            with urlopen(Request(address, headers={"Cookie": cookie} if cookie else {}), timeout=10) as answer:
                return str(answer.read().decode())
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
    raise AssertionError(address)


@pytest.mark.parametrize("make", [of_flask, of_django, of_express, of_php], ids=["Flask", "Django", "Express", "PHP"])
def test_a_shops_server_asks_for_the_visitor_of_its_cookie(
    make: Callable[[Path], list[str]], tmp_path: Path, server: Server
) -> None:
    reply = (200, {"Content-Type": "application/json"}, json.dumps(ANSWER).encode())
    server.replies = [reply, reply, (503, {"Content-Type": "application/problem+json"}, b"{}")]
    with running(make, tmp_path, recsite=f"http://127.0.0.1:{server.server_port}") as address:
        assert "<p>Green tea</p>" in page_of(address, "theme=dark; shop_visitor=0192-a9; other=1")
        assert "<p>Green tea</p>" in page_of(address)
        assert "Green tea" not in page_of(address, "shop_visitor=0192-a9")  # and no error
    lines, bodies = zip(*server.got, strict=True)
    assert set(lines) == {"POST /api/v1/pages/home/recommend/"}
    named, nobody, *_again = map(json.loads, bodies)
    assert (named["anonymous_id"], "anonymous_id" in nobody, nobody["personalise"]) == ("0192-a9", False, False)


def test_the_browser_gives_the_id_in_a_cookie_of_the_shops_own(
    page: Page, pages: Pages, context: BrowserContext
) -> None:
    pages.body = '<!doctype html><html lang="en"><title>Shop</title><script src="/recsite.js"></script>'
    pages.policy = "default-src 'none'; script-src 'self'"

    def visitor() -> list[str]:
        return [str(cookie["value"]) for cookie in context.cookies() if cookie["name"] == "shop_visitor"]

    page.goto(pages.url)
    page.evaluate(snippet("In the browser"))
    begin = "(options) => recsite.init({ url: 'https://recsite.example', key: 'k', ...options })"
    page.evaluate(begin, {})
    assert page.evaluate("recsite.ids()") == {"anonymous_id": "", "session_id": ""}
    assert visitor() == []  # nobody was asked
    page.evaluate("recsite.consent(true)")
    ids = page.evaluate("recsite.ids()")
    assert visitor() == [ids["anonymous_id"]]
    assert ids["session_id"]
    page.goto(pages.url)
    page.evaluate(snippet("In the browser"))
    page.evaluate(begin, {"consent": True})
    assert page.evaluate("recsite.ids()") == ids
    page.evaluate("recsite.identify('u1', 'proof')")
    assert visitor() == [ids["anonymous_id"]]
    page.evaluate("recsite.identify()")
    [other] = visitor()
    assert other == page.evaluate("recsite.ids().anonymous_id") != ids["anonymous_id"]
    page.evaluate("recsite.consent(false)")
    assert visitor() == []
    assert page.evaluate("recsite.ids()") == {"anonymous_id": "", "session_id": ""}
    page.evaluate(begin, {"consent": True, "anonymous_id": "own-1", "session_id": "s1"})
    assert page.evaluate("recsite.ids()") == {"anonymous_id": "own-1", "session_id": "s1"}
