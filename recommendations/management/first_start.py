"""Steps of a start on this machine that the demo and a shop of one's own share: ports, static files, keys, files."""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command

from recommendations.management.progress import Output
from recommendations.models import ApiKey, Staff
from recommendations.services.access.keys import create_key
from recommendations.services.operations.readiness import foreign_domain
from recommendations.terms import Scope

SERVER_SCOPES = (Scope.CATALOGUE_WRITE, Scope.EVENTS_WRITE, Scope.IDENTITY_PROVE, Scope.RECOMMENDATIONS_READ)
"""What the key of a shop's server may do."""


def step(output: Output, title: str, work: Callable[[], object]) -> None:
    """Say what begins, do it, and say how long it took."""
    output.write(title)
    output.flush()
    begin = time.monotonic()
    work()
    output.write(f"  {time.monotonic() - begin:.1f} s")
    output.flush()


def prepare(output: Output) -> None:
    """Bring tables and static files up to date, each in a process of its own. Raises CommandError as the tables do."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=django.setup) as beside:
        files = beside.submit(collect_static)
        step(output, "Tables", prepare_tables)
        step(output, "Styles and scripts", files.result)


def prepare_tables() -> None:
    """Bring the tables up to date. Raises CommandError where they are of a shop that offers something else."""
    call_command("migrate", verbosity=0, interactive=False)
    if foreign := foreign_domain():
        raise CommandError(foreign)


def refuse_taken(port: int, *, command: str) -> None:
    """Raise CommandError where another program listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}); try `{command} PORT={port + 1}`."
            ) from error


def collect_static() -> None:
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


def key_of(
    token: str, *, name: str, scopes: Iterable[Scope], by: Staff | None, origins: Sequence[str] = ()
) -> str:  # fmt: skip
    """The key of the last time if it is still good for this, else a new one."""
    wanted = {"prefix": token.partition(".")[0], "scopes": sorted(set(scopes)), "origins": list(origins)}
    if ApiKey.objects.valid().filter(**wanted).exists():
        return token
    key, secret = create_key(name=name, scopes=scopes, by=by, origins=origins)
    return f"{key.prefix}.{secret}"


def read_private(file: Path) -> dict[str, Any]:
    """What ``write_private`` wrote; empty where there is no such file."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def write_private(file: Path, values: Mapping[str, Any]) -> None:
    """Write a file of JSON that nobody but its owner can read."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as private:
        json.dump(values, private, indent=2)
