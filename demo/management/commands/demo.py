"""``manage.py demo``: prepare everything that is missing, then become the supervisor of all that runs."""

import os
import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.utils import timezone

from demo.contacts import invent_contacts
from demo.exploration import publish_exploration
from demo.fatigue import set_fatigue
from demo.invented import push_service
from demo.load import lacks_complete_journey
from demo.movielens import LICENCE, SetIsMissingError
from demo.other_domains import load_domain
from demo.promises import promise_impressions
from recommendations.domains.protocol import DomainName
from recommendations.management.first_start import (
    SERVER_SCOPES,
    key_of,
    prepare,
    read_private,
    refuse_taken,
    step,
    write_private,
)
from recommendations.models import Customer, Item, ModelVersion, Staff
from recommendations.services.catalogue import files
from recommendations.store.domain import shop_domain
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.temp_tables import silent
from recommendations.terms import Scope
from recommendations.wording.money import currency

_USERNAME = "admin@example.com"
_SHOPPERS = (
    "2375", "1228", "718", "1609", "982", "19", "88", "113", "253", "40", "1", "2", "3", "p0", "p1", "p2", "p3", "p4",
)  # fmt: skip
"""Households of Complete Journey, and people of the other demos; a visitor may shop as the first five of them."""
_PLAYS = {DomainName.ARTICLES: "Read", DomainName.MUSIC: "Play", DomainName.VIDEO: "Watch"}
"""What a button of the shop says where items are not bought."""
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
        parser.add_argument("--accept-licence", action="store_true", help="of MovieLens, with SHOP_DOMAIN=video")

    def handle(
        self, *, port: int, shop_port: int | None, households: int | None, accept_licence: bool, **_options: Any
    ) -> None:
        if not settings.DEMO:
            raise CommandError("This is no demo: start it with `make demo`, or `python -m recsite.embedded -- …`.")
        shop_port = shop_port or port + 1
        push_port = shop_port + 1
        url, shop_url = f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{shop_port}/"
        for each in (port, shop_port, push_port):
            refuse_taken(each, command="make demo")
        if (settings.DATA / "shop.json").exists():
            raise CommandError(
                f"{settings.DATA} holds a shop of your own: start that with `make shop`, or choose another folder."
            )
        video = settings.SHOP_DOMAIN == DomainName.VIDEO
        if video and not accept_licence:
            raise CommandError(f"{LICENCE}\nIf you accept this: make demo DOMAIN=video ACCEPT_LICENCE=1")
        prepare(self.stdout)
        if settings.SHOP_DOMAIN != DomainName.GOODS:
            self._load_domain()
        elif lacks_complete_journey():
            arguments = {"shift_weeks": "auto", "hold_days": _HOLD_DAYS, "households": households}
            step(self.stdout, "Complete Journey", lambda: call_command("load_complete_journey", **arguments))
        if not ModelVersion.objects.live().exists():
            step(self.stdout, "First run of the loop", lambda: call_command("run_loop"))
        step(self.stdout, "Exploration", lambda: publish_exploration(now=timezone.now()))
        step(self.stdout, "Fatigue", set_fatigue)
        step(self.stdout, "Promise to new items", lambda: promise_impressions(now=timezone.now()))
        pushes = push_service(push_port)
        step(self.stdout, "Invented contacts", lambda: invent_contacts(now=timezone.now(), push_service=pushes))
        step(self.stdout, "Login and API key", lambda: _publish_credentials(url, shop_url))
        step(self.stdout, "Catalogue and keys of the shop", lambda: _furnish_shop(url, shop_url))
        self.stdout.write("Starting web, workers, beat, the post office and the shop")
        self.stdout.flush()
        # The supervisor needs none of the memory that the run took, so it replaces this program.
        ports = ["--port", str(port), "--shop-port", str(shop_port), "--push-port", str(push_port)]
        argv = [sys.executable, "-m", "recsite.supervisor", *ports, "--data", str(settings.DATA)]
        environment = {"LOG_LEVEL": "WARNING", "PUBLIC_URL": url.rstrip("/"), "SHOP_URL": shop_url} | os.environ
        os.execve(sys.executable, argv, environment)  # noqa: S606 - no shell, our own program

    def _load_domain(self) -> None:
        """Fill an empty shop with what its domain's demo offers."""
        if Item.objects.exists():
            return
        domain, file = shop_domain(), settings.DATA / "settings.json"
        write_private(file, read_private(file) | {"SHOP_DOMAIN": domain.name.value})  # for later commands on the folder
        try:
            step(self.stdout, f"Data of {domain.name}", lambda: load_domain(domain, now=timezone.now(), report=silent))
        except SetIsMissingError as error:
            raise CommandError(str(error)) from error


def _furnish_shop(url: str, shop_url: str) -> None:
    """Write what ``storefront.settings`` reads: the catalogue as a file and two keys. Known ones are kept."""
    folder = settings.DATA / "storefront"
    folder.mkdir(mode=0o700, exist_ok=True)
    catalogue, file = folder / "catalogue.csv", folder / "settings.json"
    if not catalogue.exists():
        on_sale = Item.objects.filter(retired_at=None).order_by("pk")
        if settings.SHOP_DOMAIN == DomainName.GOODS:
            on_sale = on_sale.filter(price__gt=0)
        part = catalogue.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="") as lines:
            lines.writelines(files.export(on_sale))
        part.rename(catalogue)
    old, admin = read_private(file), Staff.objects.filter(email=_USERNAME).first()
    origin = shop_url.rstrip("/")
    pages = (Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.PUSH_SUBSCRIBE)
    server = (*SERVER_SCOPES, Scope.PRIVACY_WRITE)  # for links to My data
    loaded = [name for name in _SHOPPERS if Customer.objects.filter(pseudonym=pseudonym(name)).exists()]
    options = {
        "recsite": url,
        "timeout": _TIMEOUT,
        "currency": currency(),
        "catalogue": catalogue.name,
        "customers": loaded[:5],
        "name": settings.SHOP_NAME,
        "language": settings.SHOP_LANGUAGE,
        "plays": _PLAYS.get(DomainName(settings.SHOP_DOMAIN), ""),
        "server_key": key_of(old.get("server_key", ""), name="Demo shop, server", scopes=server, by=admin),
        "browser_key": key_of(
            old.get("browser_key", ""), name="Demo shop, pages", scopes=pages, by=admin, origins=[origin]
        ),
    }
    write_private(file, options)


def _publish_credentials(url: str, shop_url: str) -> None:
    """Write ``demo.json.pending``; the supervisor renames it when the pages answer. Known credentials are kept."""
    pending, published = settings.DATA / "demo.json.pending", settings.DATA / "demo.json"
    old = read_private(published) or read_private(pending)
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
        "api_key": key_of(old.get("api_key", ""), name="Demo", scopes=list(Scope), by=staff),
        "read_key": key_of(old.get("read_key", ""), name="Demo, to try", scopes=[Scope.RECOMMENDATIONS_READ], by=staff),
    }
    published.unlink(missing_ok=True)
    write_private(pending, credentials)
