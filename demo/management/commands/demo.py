"""``manage.py demo``: prepare everything that is missing, then become the supervisor of all that runs."""

import hashlib
import json
import os
import secrets
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandError, call_command
from django.utils import timezone

from demo.contacts import invent_contacts
from demo.exploration import publish_exploration
from demo.fatigue import set_fatigue
from demo.load import lacks_complete_journey
from recommendations.models import ApiKey, Customer, Item, ModelVersion, Staff
from recommendations.services.access.keys import create_key
from recommendations.services.catalogue import files
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Scope
from recommendations.wording.money import currency

_USERNAME = "admin@example.com"
_SHOPPERS = ("2375", "1228", "718", "1609", "982", "19", "88", "113", "253", "40")
"""Households of Complete Journey; a visitor may shop as the first five that were loaded."""
_HOLD_DAYS = 14  # of the data, for the replay
_TIMEOUT = 1.0  # seconds that a page of the shop waits for a slot


class Command(BaseCommand):
    help = "Prepare the demo and run it. Called by `make demo`, which gives it the servers."
    requires_system_checks = ()  # they read every page; the web process does that next

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the web pages and the API, on this machine only")
        parser.add_argument("--shop-port", type=int, help="of the demo's shop; the port after the first")
        parser.add_argument(
            "--households", type=int, metavar="N", help="load only the first N households: a small shop, up sooner"
        )

    def handle(self, *, port: int, shop_port: int | None, households: int | None, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is no demo: start it with `make demo`, or `python -m recsite.embedded -- …`.")
        shop_port = shop_port or port + 1
        url, shop_url = f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{shop_port}/"
        _refuse_taken(port)
        _refuse_taken(shop_port)
        self._step("Tables", lambda: call_command("migrate", verbosity=0, interactive=False))
        self._step("Styles and scripts", _collect_static)
        if lacks_complete_journey():
            arguments = {"shift_weeks": "auto", "hold_days": _HOLD_DAYS, "households": households}
            self._step("Complete Journey", lambda: call_command("load_complete_journey", **arguments))
        if not ModelVersion.objects.live().exists():
            self._step("First run of the loop", lambda: call_command("run_loop"))
        self._step("Exploration", lambda: publish_exploration(now=timezone.now()))
        self._step("Fatigue", set_fatigue)
        self._step("Invented contacts", lambda: invent_contacts(now=timezone.now()))
        self._step("Login and API key", lambda: _publish_credentials(url, shop_url))
        self._step("Catalogue and keys of the shop", lambda: _furnish_shop(url, shop_url))
        self.stdout.write("Starting web, workers, beat, the post office and the shop")
        self.stdout.flush()
        # The supervisor needs none of the memory that the run took, so it replaces this program.
        ports = ["--port", str(port), "--shop-port", str(shop_port)]
        argv = [sys.executable, "-m", "recsite.supervisor", *ports, "--data", str(settings.DATA)]
        environment = {"LOG_LEVEL": "WARNING", "PUBLIC_URL": url.rstrip("/"), "SHOP_URL": shop_url} | os.environ
        os.execve(sys.executable, argv, environment)  # noqa: S606 - no shell, our own program

    def _step(self, title: str, work: Callable[[], object]) -> None:
        self.stdout.write(title)
        self.stdout.flush()
        begin = time.monotonic()
        work()
        self.stdout.write(f"  {time.monotonic() - begin:.1f} s")
        self.stdout.flush()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}); try `make demo PORT={port + 1}`."
            ) from error


def _collect_static() -> None:
    """Hash and compress the static files, unless they are those of the last time."""
    stamp = settings.STATIC_ROOT / "inputs.sha256"
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest.hexdigest(), encoding="utf-8")


def _furnish_shop(url: str, shop_url: str) -> None:
    """Write what ``storefront.settings`` reads: the catalogue as a file and two keys. Known ones are kept."""
    folder = settings.DATA / "storefront"
    folder.mkdir(mode=0o700, exist_ok=True)
    catalogue, file = folder / "catalogue.csv", folder / "settings.json"
    if not catalogue.exists():
        on_sale = Item.objects.filter(retired_at=None, price__gt=0).order_by("pk")
        part = catalogue.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="") as lines:
            lines.writelines(files.export(on_sale))
        part.rename(catalogue)
    old: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    origin = shop_url.rstrip("/")
    server = (Scope.CATALOGUE_WRITE, Scope.EVENTS_WRITE, Scope.IDENTITY_PROVE, Scope.RECOMMENDATIONS_READ)
    pages = (Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ)
    loaded = [name for name in _SHOPPERS if Customer.objects.filter(pseudonym=pseudonym(name)).exists()]
    options = {
        "recsite": url,
        "timeout": _TIMEOUT,
        "currency": currency(),
        "catalogue": catalogue.name,
        "customers": loaded[:5],
        "server_key": _key_of(old.get("server_key", ""), name="Demo shop, server", scopes=server),
        "browser_key": _key_of(old.get("browser_key", ""), name="Demo shop, pages", scopes=pages, origins=[origin]),
    }
    _write_private(file, options)


def _key_of(token: str, *, name: str, scopes: Iterable[Scope], origins: Sequence[str] = ()) -> str:
    """The key of the last time if it is still good for this, else a new one."""
    wanted = {"prefix": token.partition(".")[0], "scopes": sorted(set(scopes)), "origins": list(origins)}
    if ApiKey.objects.valid().filter(**wanted).exists():
        return token
    key, secret = create_key(
        name=name, scopes=scopes, by=Staff.objects.filter(email=_USERNAME).first(), origins=origins
    )
    return f"{key.prefix}.{secret}"


def _publish_credentials(url: str, shop_url: str) -> None:
    """Write ``demo.json.pending``; the supervisor renames it when the pages answer. Known credentials are kept."""
    pending, published = settings.DATA / "demo.json.pending", settings.DATA / "demo.json"
    old: dict[str, str] = {}
    for file in (pending, published):
        if file.exists():
            old = json.loads(file.read_text(encoding="utf-8"))
    staff = Staff.objects.filter(email=_USERNAME).first() or Staff.objects.create_superuser(_USERNAME)
    password = old.get("password")
    if not password or not staff.check_password(password):
        password = secrets.token_urlsafe(12)
        staff.set_password(password)
        staff.save()
    credentials = {
        "url": url,
        "shop_url": shop_url,
        "username": _USERNAME,
        "password": password,
        "api_key": _key_of(old.get("api_key", ""), name="Demo", scopes=list(Scope)),
        "read_key": _key_of(old.get("read_key", ""), name="Demo, to try", scopes=[Scope.RECOMMENDATIONS_READ]),
    }
    published.unlink(missing_ok=True)
    _write_private(pending, credentials)


def _write_private(file: Path, known: Mapping[str, Any]) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as private:
        json.dump(known, private, indent=2)
