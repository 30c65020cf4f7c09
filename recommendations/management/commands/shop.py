"""``manage.py shop``: a shop's own files, a first run, an account and keys; then the supervisor of all that runs."""

import os
import secrets
import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from recommendations.ingest.sources.table import EVENTS
from recommendations.management.file_import import FileCommand
from recommendations.management.first_start import (
    SERVER_SCOPES,
    prepare,
    read_private,
    refuse_taken,
    step,
    write_private,
)
from recommendations.management.progress import Bar
from recommendations.models import ApiKey, Import, ModelVersion, Staff
from recommendations.services.access.keys import create_key
from recommendations.services.access.origins import NotAnOriginError, TooManyOriginsError, read_origins
from recommendations.services.catalogue import feeds, own_files
from recommendations.services.catalogue.own_files import OwnFile
from recommendations.terms import Scope

FILE = "shop.json"
"""Says in the folder of the data whose it is; the file with ``.pending`` behind it has what is printed once."""
REMEMBERED = (
    "SHOP_NAME", "SHOP_DOMAIN", "SHOP_CURRENCY", "SHOP_TIME_ZONE", "SHOP_LANGUAGE", "SHOP_URL", "SHOP_HOSTS",
    "WAITING_LINES",
    "SHOPIFY_WEBHOOK_SECRET", "WOOCOMMERCE_WEBHOOK_SECRET", "PURCHASES_FROM", "ITEM_FEED", "ITEM_FEED_FILE",
    "ITEM_FEED_HOURS", "ITEM_FEED_FULL", "ITEM_FEED_MAP", "PICTURE_HOSTS", "SUBJECT_MARK", "POSTAL_ADDRESS",
    "PUSH_FROM", "BOUNCE_DOMAIN", "DOUBLE_OPT_IN", "FOUR_EYES",
)  # fmt: skip
"""Variables that ``recsite.embedded`` gives to later commands on the same folder; that real mail may leave is none."""
SERVER_KEY, PAGES_KEY = "Shop, server", "Shop, pages"


class Command(FileCommand):
    help = "Open a shop of your own on this machine. Called by `make shop`, which gives it the servers."
    requires_system_checks = ()  # they read every page; the web process does that next

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--items", default="", help="file or address of the catalogue, as import_items takes it")
        parser.add_argument("--events", default="", help="file of events, as import_events takes it")
        parser.add_argument(
            "--from", dest="system", default="", choices=["", *EVENTS],
            help="whose calls the file of events holds; else it is known by what is in it",
        )  # fmt: skip
        parser.add_argument("--name", default="", help="of the shop; as the last time, or SHOP_NAME")
        parser.add_argument("--port", type=int, default=8000, help="of the web pages and the API, on this machine only")
        parser.add_argument("--email", default="admin@example.com", help="of the first account")
        parser.add_argument(
            "--origin", action="append", default=[],
            help="address of the shop's pages, for their key; the port after the first, on this machine; repeatable",
        )  # fmt: skip

    def handle(
        self, *, items: str, events: str, system: str, name: str, port: int, email: str, origin: list[str],
        **_options: Any,
    ) -> None:  # fmt: skip
        self._refuse_what_cannot_work(items, events, port=port)
        origins = _origins(origin or [f"http://{host}:{port + 1}" for host in ("localhost", "127.0.0.1")])
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"EMAIL={email} is not an e-mail address.") from error
        items, events = (_whole(source) for source in (items, events))
        prepare(self.stdout)
        step(self.stdout, "Files", lambda: self._take_files(items, events, system=system))
        if not ModelVersion.objects.live().exists():
            step(self.stdout, "First run of the loop", lambda: call_command("run_loop"))
        url = f"http://127.0.0.1:{port}/"
        step(self.stdout, "Account and keys", lambda: _publish_credentials(url, email=email, origins=origins))
        named = {"SHOP_NAME": name} if name else {}
        _remember(named)
        self.stdout.write("Starting web, workers, beat and the post office")
        self.stdout.flush()
        # The supervisor needs none of the memory that the run took, so it replaces this program.
        argv = [sys.executable, "-m", "recsite.supervisor", "--port", str(port), "--data", str(settings.DATA)]
        environment = {"LOG_LEVEL": "WARNING", "PUBLIC_URL": url.rstrip("/")} | os.environ | named
        os.execve(sys.executable, argv, environment)  # noqa: S606 - no shell, our own program

    def _refuse_what_cannot_work(self, items: str, events: str, *, port: int) -> None:
        """Raise CommandError before anything is there that would be half of something."""
        if not settings.DEMO:
            raise CommandError(
                "This opens a shop on the machine of its engineer: `make shop DATA=own ITEMS=… EVENTS=…`. "
                "On servers of your own: docs/going-live.md."
            )
        if any((settings.DATA / f"demo.json{end}").exists() for end in ("", ".pending")):
            raise CommandError(f"{settings.DATA} holds the demo. Choose another folder: make shop DATA=own …")
        for variable, source in (("ITEMS", items), ("EVENTS", events)):
            if source and not feeds.is_address(source) and not Path(source).is_file():
                raise CommandError(f"{variable}={source}: there is no such file.")
        if feeds.is_address(events):
            raise CommandError(f"EVENTS={events}: events come from a file. Download it first.")
        if not items and not _was_open():
            raise CommandError("A first start needs the catalogue: make shop DATA=own ITEMS=feed.xml EVENTS=events.csv")
        refuse_taken(port, command="make shop")

    def _take_files(self, items: str, events: str, *, system: str) -> None:
        """Import what is new or has changed: both files, or, where one cannot be used, none."""
        given = {OwnFile.ITEMS: items, OwnFile.EVENTS: events}
        files = {kind: source or own_files.source_of(kind) for kind, source in given.items()}
        with transaction.atomic():
            for kind, source in files.items():
                if not source or not self._is_new(kind, source, given=bool(given[kind])):
                    continue
                whose = system if kind is OwnFile.EVENTS else ""
                self.take(partial(self._load, kind, source, system=whose), strict=False, some=True)

    def _is_new(self, kind: OwnFile, source: str, *, given: bool) -> bool:
        if not given and not feeds.is_address(source) and not Path(source).is_file():
            self.stdout.write(f"  {source} is gone: what was imported of it stays.")
            return False
        if own_files.is_new(kind, source):
            return True
        self.stdout.write(f"  {source} has not changed.")
        return False

    def _load(self, kind: OwnFile, source: str, *, system: str) -> Import | None:
        if kind is OwnFile.EVENTS and (system := system or own_files.system_in(source)):
            self.stdout.write(f"  {Path(source).name} is read as {EVENTS[system].label}'s calls.")
        imported = own_files.take_file(kind, source, now=timezone.now(), report=Bar(self.stdout), system=system)
        if imported is None:
            self.stdout.write(f"  {feeds.without_secrets(source)} has not changed.")
        return imported


def _origins(texts: list[str]) -> list[str]:
    try:
        return read_origins(texts)
    except (NotAnOriginError, TooManyOriginsError) as error:
        raise CommandError(f"ORIGIN={' '.join(texts)}: write it like https://shop.example, without a path.") from error


def _whole(source: str) -> str:
    """The path as it is found again from any folder; an address as it is."""
    return str(Path(source).resolve()) if source and not feeds.is_address(source) else source


def _was_open() -> bool:
    return any((settings.DATA / f"{FILE}{end}").exists() for end in ("", ".pending"))


def _publish_credentials(url: str, *, email: str, origins: list[str]) -> None:
    """Write ``shop.json.pending``, which the supervisor prints when the pages answer, and then keeps without secrets.

    The account and the keys are made once; who lost one makes another on the page or by command.
    """
    pending = settings.DATA / f"{FILE}.pending"
    values = read_private(settings.DATA / FILE) | read_private(pending) | {"url": url}
    with transaction.atomic():
        staff = Staff.objects.filter(is_superuser=True).order_by("pk").first()
        if staff is None:
            staff = Staff.objects.create_superuser(email, values.setdefault("password", secrets.token_urlsafe(12)))
        values["username"] = staff.email
        for name, label, scopes, of_pages in (
            ("server_key", SERVER_KEY, SERVER_SCOPES, False),
            ("pages_key", PAGES_KEY, (Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ), True),
        ):
            if not ApiKey.objects.filter(name=label).exists():
                key, secret = create_key(name=label, scopes=scopes, by=staff, origins=origins if of_pages else ())
                values[name] = f"{key.prefix}.{secret}"
                values["origins"] = origins
        write_private(pending, values)


def _remember(named: dict[str, str]) -> None:
    """Note the variables of the shop for later: what is given now wins, and an empty one is forgotten."""
    file = settings.DATA / "settings.json"
    given = {name: os.environ[name] for name in REMEMBERED if name in os.environ}
    anew = {name.removesuffix("_FILE") for name in given}  # a secret stands in its variable, or in a file
    held = {name: value for name, value in read_private(file).items() if name.removesuffix("_FILE") not in anew}
    values = held | given | named
    write_private(file, {name: value for name, value in values.items() if value})
