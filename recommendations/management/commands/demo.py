"""``manage.py demo``: prepare everything that is missing, then become the supervisor of web, workers and beat."""

import hashlib
import json
import os
import secrets
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandError, call_command

from recommendations.loop import collect
from recommendations.models import ApiKey, ModelVersion, Staff
from recommendations.services.keys import create_key
from recommendations.terms import Scope

_USERNAME = "admin@example.com"
_HOLD_DAYS = 14  # of the data, for the replay


class Command(BaseCommand):
    help = "Prepare the demo and run it. Called by `make demo`, which gives it the servers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the web pages and the API, on this machine only")

    def handle(self, *, port: int, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is no demo: start it with `make demo`, or `python -m recsite.embedded -- …`.")
        _refuse_taken(port)
        self._step("Tables", lambda: call_command("migrate", verbosity=0, interactive=False))
        self._step("Styles and scripts", _collect_static)
        if collect.lacks_complete_journey():
            arguments = {"shift_weeks": "auto", "hold_days": _HOLD_DAYS}
            self._step("Complete Journey", lambda: call_command("load_complete_journey", **arguments))
        if not ModelVersion.objects.live().exists():
            self._step("First turn of the loop", lambda: call_command("run_loop"))
        self._step("Login and API key", lambda: _publish_credentials(f"http://127.0.0.1:{port}/"))
        self.stdout.write("Starting web, workers and beat")
        self.stdout.flush()
        # The supervisor needs none of the memory that the turn took, so it replaces this program.
        argv = [sys.executable, "-m", "recsite.supervisor", "--port", str(port), "--data", str(settings.DATA)]
        os.execve(sys.executable, argv, {"LOG_LEVEL": "WARNING"} | os.environ)  # noqa: S606 - no shell, our own program

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


def _publish_credentials(url: str) -> None:
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
    key = old.get("api_key", "")
    if not ApiKey.objects.valid().filter(prefix=key.partition(".")[0]).exists():
        made, secret = create_key(name="Demo", scopes=list(Scope), by=staff)
        key = f"{made.prefix}.{secret}"
    known = {"url": url, "username": _USERNAME, "password": password, "api_key": key}
    published.unlink(missing_ok=True)
    pending.unlink(missing_ok=True)
    with os.fdopen(os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as private:
        json.dump(known, private, indent=2)
